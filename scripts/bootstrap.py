"""The one way in on every system: `python scripts/bootstrap.py run` (make calls the same).

Standard library only. Every command but `help` makes the environment right first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import system_packages
from scripts.environment import ROOT, SetupError, prepare, venv_python

# Two at once keep both cores of a small machine busy and leave latencies honest; the tests of a
# file stay together, for they share their backend or browser.
_PYTEST = ["-m", "pytest", "-n", "2", "--dist", "loadfile"]

_CHECKS = (
    ("format", ["-m", "ruff", "format", "--check", "."]),
    ("lint", ["-m", "ruff", "check", "."]),
    ("types", ["-m", "mypy"]),
    ("imports", ["-c", "from importlinter.cli import lint_imports_command as run; run()"]),
)


def setup(arguments: list[str]) -> int:
    """make the environment in .venv; the other commands do it too"""
    _ = arguments
    prepare()
    return 0


def run(arguments: list[str]) -> int:
    """start the console (without a display: the demo)"""
    linux = sys.platform.startswith("linux")
    if linux and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        print("There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set),", end=" ")
        print("so the demo runs instead of the console.", flush=True)
        return demo([])
    prepare()
    return _python(["-m", "console", *arguments])


def demo(arguments: list[str]) -> int:
    """the main job without a person; screenshots in build/demo"""
    prepare()
    return _python(["-m", "scripts.demo", *arguments])


def test(arguments: list[str]) -> int:
    """run the tests; ARGS="-k word" is handed to pytest"""
    prepare()
    missing = system_packages.missing_for_tests()
    if missing and not system_packages.install(missing):
        print("Some tests will be skipped. To run them all, on Debian or Ubuntu:")
        print(f"  {system_packages.apt_line(missing)}", flush=True)
    return _python([*_PYTEST, *arguments])


def check(arguments: list[str]) -> int:
    """format, lint, strict types and import rules, as CI does"""
    _ = arguments
    prepare()
    failed = []
    for name, command in _CHECKS:
        print(f"-- {name}", flush=True)
        if _python(command) != 0:
            failed.append(name)
    print(f"check: failed in {', '.join(failed)}" if failed else "check: all good", flush=True)
    return 1 if failed else 0


def tidy(arguments: list[str]) -> int:
    """format the code and apply the linter's safe fixes"""
    _ = arguments
    prepare()
    fixed = _python(["-m", "ruff", "check", "--fix", "."])
    return _python(["-m", "ruff", "format", "."]) or fixed


def criteria(arguments: list[str]) -> int:
    """which acceptance criteria are proved, and by which tests"""
    _ = arguments
    prepare()
    return _python(["-m", "tests.support.criteria"])


def bench(arguments: list[str]) -> int:
    """measure; one JSON object per line; ARGS="name" for one"""
    prepare()
    return _python(["-m", "tests.benchmarks", *arguments])


def simulate(arguments: list[str]) -> int:
    """seeded worlds full of faults, in virtual time (make simulate SEEDS=n FIRST=m)"""
    prepare()
    return _python(["-m", "tests.simulator", *arguments])


def crash(arguments: list[str]) -> int:
    """kill backend and console, n times each, and check (make crash N=n)"""
    prepare()
    return _python(["-m", "tests.crash", *arguments])


def package(arguments: list[str]) -> int:
    """freeze console and backend into dist/bursar, and try them"""
    prepare()
    return _python(["-m", "scripts.package", *arguments])


def lock(arguments: list[str]) -> int:
    """write requirements.lock anew from pyproject.toml (needs uv)"""
    uv = shutil.which("uv")
    if uv is None:
        raise SetupError("This needs the program uv: pip install uv")
    target = ROOT / "requirements.lock"
    options = ["--group", "dev", "--universal", "--generate-hashes", "--no-header", "--quiet"]
    command = [uv, "pip", "compile", "pyproject.toml", *options, "-o", target.name, *arguments]
    code = subprocess.call(command, cwd=ROOT)
    if "://" in target.read_text(encoding="utf-8"):
        raise SetupError("requirements.lock names a download address: do not commit it")
    return code


def usage(arguments: list[str]) -> int:
    """this list"""
    _ = arguments
    print("make COMMAND, or on any system: python scripts/bootstrap.py COMMAND\n")
    for name, command in COMMANDS.items():
        print(f"  {name:<10}{command.__doc__}")
    return 0


COMMANDS: Mapping[str, Callable[[list[str]], int]] = {
    "setup": setup,
    "run": run,
    "demo": demo,
    "test": test,
    "check": check,
    "format": tidy,
    "criteria": criteria,
    "bench": bench,
    "simulate": simulate,
    "crash": crash,
    "package": package,
    "lock": lock,
    "help": usage,
}


def main(arguments: list[str]) -> int:
    """Run one command; the exit status of what it ran, 1 for a problem told in plain words."""
    name, *rest = arguments or ["help"]
    if name not in COMMANDS:
        print(f"There is no command {name!r}.", file=sys.stderr)
        usage([])
        return 2
    try:
        return COMMANDS[name](rest)
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _python(arguments: list[str]) -> int:
    """Its exit status. Ctrl+C reaches it as well, and it ends in its own time."""
    with subprocess.Popen([str(venv_python()), *arguments], cwd=ROOT) as program:
        while True:
            with suppress(KeyboardInterrupt):
                code = program.wait()
                return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
