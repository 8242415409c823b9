"""What the frozen folder must hold and must not hold. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

CONTENTS = "_internal"
PROGRAMS = ("bursar", "bursar-backend")

# Tests and tools have no business on an officer's computer, nor has what only they need.
_TOOLS = frozenset(
    {
        "PyInstaller", "_pytest", "coverage", "execnet", "grimp", "hatchling", "hypothesis",
        "importlinter", "iniconfig", "mypy", "mypyc", "pip", "playwright", "pluggy", "pytest",
        "pytest_asyncio", "pytestqt", "rfc8785", "ruff", "schemathesis", "scripts", "setuptools",
        "tests", "tkinter", "wheel", "xdist",
    }
)  # fmt: skip
_SERVER_SIDE = frozenset(
    {
        "alembic", "argon2", "core.backend", "fastapi", "psycopg", "psycopg_binary", "sqlalchemy",
        "starlette", "typer", "uvicorn",
    }
)  # fmt: skip
_WINDOWS = frozenset({"PySide6", "console", "keyring", "qasync", "shiboken6"})

_CONSOLE_NEEDS = frozenset(
    {
        "console.app", "core.client.embedded", "keyring.backends.SecretService",
        "keyring.backends.Windows", "keyring.backends.fail", "keyring.backends.kwallet",
        "keyring.backends.libsecret", "keyring.backends.macOS",
    }
)  # fmt: skip
_BACKEND_NEEDS = frozenset(
    {
        "core.backend.cli", "psycopg", "psycopg_binary", "sqlalchemy.dialects.postgresql.psycopg",
        "sqlalchemy.dialects.sqlite.pysqlite",
        "uvicorn.protocols.websockets.websockets_sansio_impl",
    }
)  # fmt: skip

# Parts of Qt that come along with plugins nobody asked for.
_QT_UNUSED = re.compile(
    r"Qt6?(Charts|Concurrent|DataVisualization|Designer|Help|Multimedia|Network|Pdf|PrintSupport"
    r"|Qml|Quick|Sql|Test|UiTools|VirtualKeyboard|Web|Xml)"
)
_SYSTEM_TOOLKITS = re.compile(r"^lib(gtk|gdk|atk|cairo|pango)[-_.0-9]")
_QT_PLUGINS = ("platforms/qoffscreen", "iconengines/qsvgicon", "imageformats/qsvg")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A frozen folder: its files, relative to it, and the modules inside each program."""

    files: frozenset[PurePosixPath]
    console: frozenset[str]
    backend: frozenset[str]


def problems(bundle: Bundle, data: Iterable[PurePosixPath]) -> list[str]:
    """Everything that is wrong, one line each; empty when all is right.

    `data`: files of the source tree (resources, migrations) that must be there at the same place.
    """
    files = bundle.files
    inside = {file.relative_to(CONTENTS) for file in files if file.parts[0] == CONTENTS}
    return [
        *(f"the program {name} is missing" for name in PROGRAMS if not _has(files, name)),
        *(f"the file {file} is missing" for file in sorted(set(data) - inside)),
        *(f"Qt's plugin {name} is missing" for name in _QT_PLUGINS if not _has_plugin(files, name)),
        *_unwanted_files(inside),
        *_lacking("console", bundle.console, _CONSOLE_NEEDS),
        *_lacking("backend", bundle.backend, _BACKEND_NEEDS),
        *_carrying("console", bundle.console, _TOOLS | _SERVER_SIDE),
        *_carrying("backend", bundle.backend, _TOOLS | _WINDOWS),
    ]


def modules(listing: str) -> frozenset[str]:
    """The module names in what PyInstaller's archive viewer prints (one a line, indented)."""
    return frozenset(line.strip() for line in listing.splitlines() if line.startswith(" "))


def _unwanted_files(inside: Iterable[PurePosixPath]) -> list[str]:
    found = []
    for file in sorted(inside):
        owner = re.split(r"[-.]", file.parts[0].removesuffix(".dist-info"))[0]
        if owner in _TOOLS:
            found.append(f"{file} belongs to a tool or a test")
        elif _QT_UNUSED.search(file.name):
            found.append(f"{file} is a part of Qt that nothing uses")
        elif _SYSTEM_TOOLKITS.match(file.name):
            found.append(f"{file} belongs to a toolkit that nothing uses")
        elif "PySide6" in file.parts and {"translations", "qml"} & set(file.parts):
            found.append(f"{file} is not used")
    return found


def _lacking(program: str, held: frozenset[str], needed: frozenset[str]) -> list[str]:
    return [f"the {program} lacks {name}" for name in sorted(needed - held)]


def _carrying(program: str, held: frozenset[str], unwanted: frozenset[str]) -> list[str]:
    roots = {name for name in unwanted if any(_within(module, name) for module in held)}
    return [f"the {program} carries {name}" for name in sorted(roots)]


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _has(files: Iterable[PurePosixPath], program: str) -> bool:
    return any(str(file) in {program, f"{program}.exe"} for file in files)


def _has_plugin(files: Iterable[PurePosixPath], name: str) -> bool:
    folder, plugin = name.split("/")
    return any(
        file.parent.name == folder and file.name.removeprefix("lib").split(".")[0] == plugin
        for file in files
    )
