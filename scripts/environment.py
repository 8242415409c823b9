"""The virtual environment `.venv` at the project's root, made from `requirements.lock`.

Standard library only, and readable by any Python 3.8 or later: this runs before anything is
installed, maybe on a Python that is too old or too new for the product itself.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from scripts import system_packages

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"

SUPPORTED = ((3, 11), (3, 12), (3, 13))

_ASK_VERSION = "import sys; print(*sys.version_info[:2])"


class SetupError(Exception):
    """Something a person has to put right; the message says what and how."""


def venv_python() -> Path:
    """The interpreter inside the environment."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def prepare() -> None:
    """Make `.venv` right; quick when nothing changed. Raises `SetupError`."""
    _system_libraries()
    if _version([str(venv_python())]) not in SUPPORTED:
        _create(choose_python())
    stamp = VENV / "bursar-setup.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == _fingerprint():
        return
    stamp.unlink(missing_ok=True)
    print(
        "Installing what requirements.lock lists (a minute or two the first time) ...", flush=True
    )
    _pip("--require-hashes", "-r", str(LOCK))
    _pip("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    stamp.write_text(_fingerprint(), encoding="utf-8")
    print(f"The environment is ready in {VENV.name}.")


def choose_python() -> list[str]:
    """The command of an interpreter we support: $PYTHON, else this one, else one on the path.

    Raises `SetupError` naming what was found.
    """
    named = os.environ.get("PYTHON")
    candidates = [[named]] if named else [[sys.executable], *_by_name()]
    for command in candidates:
        if _version(command) in SUPPORTED:
            return command
    looked_at = ", ".join(" ".join(command) for command in candidates)
    raise SetupError(
        "Bursar needs Python 3.11, 3.12 or 3.13. None of these is one: "
        f"{looked_at}.\nInstall one of them, or name it: PYTHON=/path/to/python3.11 make setup"
    )


def _by_name() -> list[list[str]]:
    versions = [f"{major}.{minor}" for major, minor in reversed(SUPPORTED)]
    if os.name == "nt":
        return [["py", f"-{version}"] for version in versions]
    return [[f"python{version}"] for version in versions]


def _version(command: list[str]) -> tuple[int, ...] | None:
    """(major, minor) of an interpreter, or None if it does not run."""
    try:
        run = subprocess.run(
            [*command, "-c", _ASK_VERSION], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    if run.returncode != 0:
        return None
    return tuple(int(part) for part in run.stdout.split())


def _create(python: list[str]) -> None:
    # Debian ships Python without the parts that make an environment.
    if subprocess.run([*python, "-c", "import ensurepip"], check=False).returncode != 0:
        major, minor = _version(python) or SUPPORTED[0]
        _install_or_explain([f"python{major}.{minor}-venv"], "Python cannot make an environment")
    print(f"Creating {VENV.name} ...", flush=True)
    made = subprocess.run([*python, "-m", "venv", "--clear", str(VENV)], check=False)
    if made.returncode != 0:
        raise SetupError(f"{' '.join(python)} could not create {VENV}")


def _system_libraries() -> None:
    needed = system_packages.missing_libraries(system_packages.QT)
    for_windows = system_packages.missing_libraries(system_packages.WINDOW)
    if not needed + for_windows or system_packages.install(needed + for_windows):
        return
    if needed:
        raise SetupError(_explain(needed + for_windows, "Qt lacks system libraries"))
    print(_explain(for_windows, "A window under X11 lacks system libraries"))


def _install_or_explain(packages: list[str], problem: str) -> None:
    if not system_packages.install(packages):
        raise SetupError(_explain(packages, problem))


def _explain(packages: list[str], problem: str) -> str:
    return f"{problem}. On Debian or Ubuntu run:\n  {system_packages.apt_line(packages)}"


def _pip(*arguments: str) -> None:
    pip = [str(venv_python()), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    if subprocess.run([*pip, *arguments], cwd=ROOT, check=False).returncode != 0:
        raise SetupError("The packages could not be installed: pip says above why.")


def _fingerprint() -> str:
    """Changes with the lock, the project file, and the folder (an environment cannot be moved)."""
    content = LOCK.read_bytes() + PROJECT.read_bytes() + str(ROOT).encode()
    return hashlib.sha256(content).hexdigest()
