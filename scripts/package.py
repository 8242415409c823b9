"""`make package`: the frozen folder dist/bursar, built clean, checked, and run.

1. An environment of its own, build/package/environment, gets what the programs need at run time and
   PyInstaller, by the hashes of requirements.lock: no test package is there to be picked up.
2. PyInstaller follows build.spec.
3. The list of files and modules is checked (scripts/package_contents.py).
4. The built console starts without a display, in an empty home and with no other environment, and
   `make demo` runs against both programs.

Ends with one JSON line. Exit status 1, with the causes, if anything did not hold.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from scripts.demo.console_process import ConsoleProcess, DemoError
from scripts.environment import ROOT, SetupError, choose_python
from scripts.package_contents import Bundle, modules, problems
from scripts.runtime_lock import LockError, runtime_lock

_WORK = ROOT / "build" / "package"
_BUNDLE = ROOT / "dist" / "bursar"
_MIGRATIONS = "core/backend/storage/migrations"
_STARTS = 3
# Without these Windows starts no program at all.
_ALWAYS = ("SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "LOCALAPPDATA", "APPDATA")


class PackageError(Exception):
    """The folder cannot be built or is not right; the message says why, a line per cause."""


def main() -> int:
    """Build, check and try; the exit status."""
    try:
        result = build()
    except (PackageError, SetupError, LockError, DemoError) as error:
        print(json.dumps({"package": "failed", "why": str(error)}))
        return 1
    print(json.dumps(result))
    return 0


def build() -> dict[str, object]:
    """The figures of the folder that was built. Raises PackageError and what its parts raise."""
    started = time.monotonic()
    python = _environment()
    _freeze(python)
    built = time.monotonic()
    bundle = _read_bundle(python)
    wrong = problems(bundle, _data_files())
    if wrong:
        raise PackageError("\n".join(wrong))
    print(f"-- the list of {len(bundle.files)} files is right", flush=True)
    with_home = _clean_environment()
    start = _start_milliseconds(with_home)
    _demo(with_home)
    return {
        "package": "ok",
        "folder": str(_BUNDLE.relative_to(ROOT)),
        "megabytes": round(_size(_BUNDLE) / 1e6, 1),
        "files": len(bundle.files),
        "build_seconds": round(built - started, 1),
        "start_ms": start,
    }


def _environment() -> Path:
    """A new environment, whatever was there before; its interpreter."""
    print("-- a clean environment", flush=True)
    shutil.rmtree(_WORK, ignore_errors=True)
    _WORK.mkdir(parents=True)
    folder, needed = _WORK / "environment", _WORK / "requirements.txt"
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    needed.write_text(runtime_lock(lock, tools=["pyinstaller"]), encoding="utf-8")
    _run([*choose_python(), "-m", "venv", str(folder)], "The environment cannot be made")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, "--require-hashes", "-r", str(needed)], "The packages cannot be installed")
    return python


def _freeze(python: Path) -> None:
    print("-- freezing (about a minute)", flush=True)
    options = ["--noconfirm", "--clean", "--log-level", "ERROR"]
    places = ["--distpath", str(_BUNDLE.parent), "--workpath", str(_WORK / "work")]
    _run(
        [str(python), "-m", "PyInstaller", "build.spec", *options, *places],
        "The programs cannot be frozen",
    )


def _read_bundle(python: Path) -> Bundle:
    files = frozenset(
        PurePosixPath(file.relative_to(_BUNDLE).as_posix())
        for file in _BUNDLE.rglob("*")
        if not file.is_dir()
    )
    return Bundle(
        files=files,
        console=_modules(python, _program("bursar")),
        backend=_modules(python, _program("bursar-backend")),
    )


def _modules(python: Path, program: Path) -> frozenset[str]:
    viewer = ["-m", "PyInstaller.utils.cliutils.archive_viewer", "--list", "--recursive", "--brief"]
    done = subprocess.run(
        [str(python), *viewer, str(program)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PackageError(f"{program.name} cannot be read: {done.stderr.strip()}")
    return modules(done.stdout)


def _data_files() -> list[PurePosixPath]:
    """Relative to the project, as they must be relative to the contents folder."""
    wanted = [
        *(file for file in (ROOT / "resources").rglob("*") if file.suffix != ".py"),
        *(ROOT / _MIGRATIONS).rglob("*.py"),
    ]
    return [
        PurePosixPath(file.relative_to(ROOT).as_posix())
        for file in wanted
        if file.is_file() and "__pycache__" not in file.parts
    ]


def _clean_environment() -> dict[str, str]:
    """As after `env -i`: a home where nothing is, the system's programs, and no display."""
    home = _WORK / "home"
    home.mkdir()
    kept = {name: os.environ[name] for name in _ALWAYS if name in os.environ}
    return {**kept, "HOME": str(home), "PATH": os.defpath, "QT_QPA_PLATFORM": "offscreen"}


def _start_milliseconds(environment: Mapping[str, str]) -> list[float]:
    """From the start of the process to its first answer, which comes after the first paint."""
    taken = []
    for number in range(_STARTS):
        start = time.monotonic()
        console = ConsoleProcess(
            [str(_program("bursar"))], None, _WORK / f"start-{number}.log", environment=environment
        )
        try:
            console.do("state")
            taken.append(round((time.monotonic() - start) * 1000, 1))
            console.wait_until_live()
        finally:
            status = console.stop()
        if status != 0:
            raise PackageError(f"the console ended with status {status}")
    print(f"-- it starts in a clean environment: {taken} ms", flush=True)
    return taken


def _demo(environment: Mapping[str, str]) -> None:
    print("-- the demo with the built programs", flush=True)
    programs = ["--console", str(_program("bursar")), "--backend", str(_program("bursar-backend"))]
    done = subprocess.run(
        [sys.executable, "-m", "scripts.demo", *programs],
        cwd=ROOT,
        env=dict(environment),
        check=False,
    )
    if done.returncode != 0:
        raise PackageError("the demo failed with the built programs: it says above why")


def _program(name: str) -> Path:
    return _BUNDLE / (f"{name}.exe" if os.name == "nt" else name)


def _size(folder: Path) -> int:
    """Bytes of all files; links count nothing."""
    files = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return sum(file.stat().st_size for file in files)


def _run(command: list[str], problem: str) -> None:
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise PackageError(f"{problem}: it says above why.")


if __name__ == "__main__":
    sys.exit(main())
