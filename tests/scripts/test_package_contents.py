"""The check of the frozen folder finds what lacks and what has no business there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from scripts.package_contents import Bundle, modules, problems

DATA = (
    PurePosixPath("resources/fonts/Inter-Regular.ttf"),
    PurePosixPath("core/backend/storage/migrations/versions/0001_first.py"),
)
QT = "_internal/PySide6/Qt"
FILES = (
    "bursar",
    "bursar-backend",
    "_internal/libpython3.11.so.1.0",
    f"{QT}/lib/libQt6Gui.so.6",
    f"{QT}/plugins/platforms/libqoffscreen.so",
    f"{QT}/plugins/platforms/libqxcb.so",
    f"{QT}/plugins/iconengines/libqsvgicon.so",
    f"{QT}/plugins/imageformats/libqsvg.so",
    *(f"_internal/{file}" for file in DATA),
)
CONSOLE = (
    "console.app", "core.client.embedded", "keyring.backends.SecretService",
    "keyring.backends.Windows", "keyring.backends.fail", "keyring.backends.kwallet",
    "keyring.backends.libsecret", "keyring.backends.macOS",
)  # fmt: skip
BACKEND = (
    "core.backend.cli", "psycopg", "psycopg_binary", "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite", "uvicorn.protocols.websockets.websockets_sansio_impl",
)  # fmt: skip
RIGHT = Bundle(
    files=frozenset(map(PurePosixPath, FILES)),
    console=frozenset(CONSOLE),
    backend=frozenset(BACKEND),
)


def found(bundle: Bundle) -> list[str]:
    return problems(bundle, DATA)


def with_file(name: str) -> Bundle:
    return replace(RIGHT, files=RIGHT.files | {PurePosixPath(name)})


def without_file(name: str) -> Bundle:
    assert PurePosixPath(name) in RIGHT.files
    return replace(RIGHT, files=RIGHT.files - {PurePosixPath(name)})


def test_what_is_right_has_no_problem() -> None:
    assert found(RIGHT) == []


def test_the_names_of_other_systems_are_right_too() -> None:
    windows = {
        PurePosixPath(str(file).replace("lib", "").replace(".so", ".dll")) for file in RIGHT.files
    } - {PurePosixPath("bursar"), PurePosixPath("bursar-backend")}
    programs = {PurePosixPath("bursar.exe"), PurePosixPath("bursar-backend.exe")}
    assert found(replace(RIGHT, files=frozenset(windows | programs))) == []


@pytest.mark.parametrize("name", ["bursar-backend", *(f"_internal/{file}" for file in DATA)])
def test_what_is_missing_is_named(name: str) -> None:
    (problem,) = found(without_file(name))
    assert name.removeprefix("_internal/") in problem
    assert problem.endswith("is missing")


def test_a_missing_plugin_is_named() -> None:
    (problem,) = found(without_file(f"{QT}/plugins/iconengines/libqsvgicon.so"))
    assert problem == "Qt's plugin iconengines/qsvgicon is missing"


@pytest.mark.parametrize(
    "name",
    [
        "_internal/pytest/__init__.py",
        "_internal/hypothesis-6.170.15.dist-info/METADATA",
        "_internal/mypy.cpython-311-x86_64-linux-gnu.so",
        "_internal/tests/conftest.py",
        "_internal/playwright/driver/node",
        f"{QT}/lib/libQt6Qml.so.6",
        f"{QT}/lib/libQt6WebEngineCore.so.6",
        "_internal/libQt6QuickControls2.so.6",
        "_internal/PySide6/QtNetwork.abi3.so",
        f"{QT}/translations/designer_de.qm",
        f"{QT}/translations/qtbase_de.qm",
        "_internal/libgtk-3.so.0",
        "_internal/libcairo.so.2",
    ],
)
def test_what_has_no_business_there_is_named(name: str) -> None:
    (problem,) = found(with_file(name))
    assert name.removeprefix("_internal/") in problem


@pytest.mark.parametrize("name", ["_internal/resources/tests.svg", "_internal/libgcc_s.so.1"])
def test_names_that_only_look_alike_are_left_alone(name: str) -> None:
    assert found(with_file(name)) == []


@pytest.mark.parametrize("module", ["fastapi.routing", "core.backend.cli", "sqlalchemy", "_pytest"])
def test_a_console_with_server_or_test_code_is_refused(module: str) -> None:
    (problem,) = found(replace(RIGHT, console=RIGHT.console | {module}))
    assert problem.startswith("the console carries ")


def test_a_backend_with_windows_is_refused() -> None:
    carrying = RIGHT.backend | {"PySide6.QtCore", "console.app", "sqlalchemy_extras", "pytest"}
    assert found(replace(RIGHT, backend=carrying)) == [
        "the backend carries PySide6",
        "the backend carries console",
        "the backend carries pytest",
    ]


@pytest.mark.parametrize("module", ["keyring.backends.libsecret", "keyring.backends.macOS"])
def test_a_keyring_backend_left_out_is_named(module: str) -> None:
    assert found(replace(RIGHT, console=RIGHT.console - {module})) == [
        f"the console lacks {module}"
    ]


def test_modules_are_the_indented_lines() -> None:
    listing = "Contents of 'PYZ.pyz' (PYZ):\n console.app\n core\n\nContents of x:\n a.b\n"
    assert modules(listing) == {"console.app", "core", "a.b"}
