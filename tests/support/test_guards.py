"""Each guard really fails a bad test, and leaves a good one alone.

The bad tests run in a pytest of their own; its JUnit report says what became of each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[2]

SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
qt_api = pyside6
addopts = --no-qt-log
filterwarnings = error
"""

COMMON = """
import asyncio, contextlib, logging, socket
import httpx, keyring, pytest, structlog

def test_good(): pass
async def test_good_async(): await asyncio.create_task(asyncio.sleep(0))

async def _boom(): raise ValueError("nobody asked for me")

async def test_bad_leaked_task():
    test_bad_leaked_task.kept = asyncio.create_task(asyncio.Event().wait(), name="left behind")

async def test_bad_lost_error():
    asyncio.get_running_loop().kept = task = asyncio.create_task(_boom())
    await asyncio.wait([task])
    del asyncio.get_running_loop().kept

async def test_bad_callback_error():
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

async def test_bad_fetch_whose_error_is_swallowed():
    async with httpx.AsyncClient(verify=False) as client:
        with contextlib.suppress(Exception, AssertionError):
            await client.get("http://example.com/")

@pytest.fixture
async def background():
    task = asyncio.create_task(asyncio.Event().wait())
    yield task
    task.cancel()

async def test_good_background(background): assert not background.done()
"""

PLAIN = """
def test_bad_log(): logging.getLogger("a.b").warning("careful with %s", "this")
def test_bad_structlog(): structlog.get_logger("a.b").error("it failed", code=7)

def test_bad_log_though_handlers_changed():
    logging.basicConfig(force=True, level=logging.CRITICAL + 1)
    quiet = logging.getLogger("quiet")
    quiet.setLevel(logging.DEBUG)
    quiet.propagate = False
    quiet.warning("nobody listens")

def test_bad_teardown_log(request):
    request.addfinalizer(lambda: logging.getLogger("late").warning("at the end"))

def test_bad_qt():
    from PySide6.QtCore import qWarning
    qWarning("QThing: this is wrong")

def test_bad_model(qtmodeltester):
    from PySide6.QtCore import QAbstractListModel
    class Negative(QAbstractListModel):
        def rowCount(self, parent): return -1
        def data(self, index, role): return None
    qtmodeltester.check(Negative())

def test_bad_connect():
    with socket.socket() as sock, contextlib.suppress(Exception, AssertionError):
        sock.settimeout(0.01)
        sock.connect(("192.0.2.1", 9))

def test_bad_datagram():
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", ("192.0.2.1", 9))

def test_bad_look_up(): socket.getaddrinfo("example.com", 80)

def test_bad_keyring():
    with contextlib.suppress(Exception, AssertionError):
        keyring.set_password("bursar", "officer", "secret")

def test_bad_expectation(expected_logs):
    with expected_logs("never"): pass

def test_bad_other_log_inside_expectation(expected_logs):
    with expected_logs("this one"):
        logging.getLogger("a").warning("this one")
        logging.getLogger("a").warning("another")

def test_bad_failure_shows_the_log():
    logging.getLogger("a").warning("the clue")
    raise ValueError("the failure")

def test_good_info(): logging.getLogger("a").info("all is well")
def test_good_record(): assert logging.makeLogRecord({"msg": "x"}).msg == "x"

def test_good_expectation(expected_logs):
    with expected_logs(r"a: WARNING: .*two") as lines:
        logging.getLogger("a").warning("one and two")
    assert lines == ["a: WARNING: one and two"]

def test_good_qt_expectation(expected_logs):
    from PySide6.QtCore import qWarning
    with expected_logs("QThing"): qWarning("QThing: this is wrong")

def test_good_keyring(private_keyring):
    keyring.set_password("bursar", "officer", "secret")
    assert keyring.get_password("bursar", "officer") == "secret"
    keyring.delete_password("bursar", "officer")
    assert keyring.get_password("bursar", "officer") is None
    with pytest.raises(keyring.errors.PasswordDeleteError):
        keyring.delete_password("bursar", "officer")

def test_good_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()

def test_good_unix(tmp_path):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
"""

WINDOWS = """
import qasync

async def test_good_loop():
    assert isinstance(asyncio.get_running_loop(), qasync.QEventLoop)

def test_good_without_a_loop(): pass

async def test_good_server_and_thread():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\\n")
        assert await reader.readline() == b"hello\\n"
        writer.close()
        await writer.wait_closed()
    assert await asyncio.to_thread(lambda: 42) == 42
"""

WINDOWS_CONFTEST = """
from tests.support.qt_loop import pytest_asyncio_loop_factories, window_application
"""

SHOWN = {
    "test_bad_log": "unexpected log: a.b: WARNING: careful with this",
    "test_bad_structlog": "a.b: ERROR: event='it failed' code=7",
    "test_bad_log_though_handlers_changed": "quiet: WARNING: nobody listens",
    "test_bad_teardown_log": "late: WARNING: at the end",
    "test_bad_qt": "QThing: this is wrong",
    "test_bad_model": "qt.modeltest",
    "test_bad_connect": "blocked connection to '192.0.2.1'",
    "test_bad_datagram": "blocked connection to '192.0.2.1'",
    "test_bad_look_up": "blocked connection to 'example.com'",
    "test_bad_keyring": "blocked use of the real keyring (bursar)",
    "test_bad_expectation": "expected a log line matching 'never'",
    "test_bad_other_log_inside_expectation": "unexpected log: a: WARNING: another",
    "test_bad_failure_shows_the_log": "the failure",
}
SHOWN_IN_BOTH = {
    "test_bad_leaked_task": "left behind",
    "test_bad_lost_error": "nobody asked for me",
    "test_bad_callback_error": "division by zero",
    "test_bad_fetch_whose_error_is_swallowed": "blocked connection to 'example.com'",
}
CASES = [
    *[("test_plain", name, shown) for name, shown in (SHOWN | SHOWN_IN_BOTH).items()],
    *[("windows.test_window", name, shown) for name, shown in SHOWN_IN_BOTH.items()],
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], str]:
    """(module, test) -> what its failures say, or nothing if it passed."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "windows").mkdir()
    for name, text in {
        "pytest.ini": SETTINGS,
        "conftest.py": 'pytest_plugins = ["tests.support.guards"]',
        "test_plain.py": COMMON + PLAIN,
        "windows/conftest.py": WINDOWS_CONFTEST,
        "windows/test_window.py": COMMON + WINDOWS,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--junitxml=report.xml", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    cases = ET.parse(folder / "report.xml").iter("testcase")  # noqa: S314 - pytest's own report
    found: dict[tuple[str, str], str] = {}
    for case in cases:
        said = "".join(
            f"{part.get('message')} {part.text}" for part in case if part.tag != "skipped"
        )
        key = (case.attrib["classname"], case.attrib["name"])
        found[key] = found.get(key, "") + said
    return found


@pytest.mark.parametrize(("module", "name", "shown"), CASES)
def test_a_bad_test_fails(
    outcomes: Mapping[tuple[str, str], str], module: str, name: str, shown: str
) -> None:
    assert shown in outcomes[module, name]


def test_every_bad_test_was_looked_at(outcomes: Mapping[tuple[str, str], str]) -> None:
    bad = {(module, name) for module, name in outcomes if name.startswith("test_bad")}
    assert bad == {(module, name) for module, name, _ in CASES}


def test_good_tests_pass(outcomes: Mapping[tuple[str, str], str]) -> None:
    good = {key: said for key, said in outcomes.items() if key[1].startswith("test_good")}
    assert len(good) == 16
    assert not any(good.values()), good
