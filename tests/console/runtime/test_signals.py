"""Ctrl+C and SIGTERM, whenever they come: before the loop, in it, twice, after it, or ignored."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from tests.console.runtime.child import child, child_run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

BOTH = (signal.SIGINT, signal.SIGTERM)
CANCELLED = 130


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_ends_it_after_its_clean_up(number: signal.Signals) -> None:
    with child_run(
        """
        async def main():
            print("ready", flush=True)
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                print("cleaned up", flush=True)
        sys.exit(run(main, application, told))
        """
    ) as process:
        assert line(process) == "ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (CANCELLED, "cleaned up\n", "")


@pytest.mark.parametrize(("first", "second"), tuple(product(BOTH, BOTH)))
def test_a_second_one_waits_for_nothing(first: signal.Signals, second: signal.Signals) -> None:
    with child_run(
        """
        async def main():
            asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
            print("ready", flush=True)
            try:
                await asyncio.Event().wait()
            finally:
                print("waits for its worker", flush=True)
        sys.exit(run(main, application, told))
        """
    ) as process:
        assert line(process) == "ready\n"
        process.send_signal(first)
        assert line(process) == "waits for its worker\n"
        process.send_signal(second)
        assert process.wait(30) == -second


@pytest.mark.parametrize("number", BOTH)
def test_at_whichever_line_it_comes_the_run_ends(number: signal.Signals) -> None:
    """Each run takes the signal one line of ours, asyncio's or qasync's later than the one before,
    as long as the loop has a handler: none goes on for ever, none fails.
    """
    with child_run(
        """
        number = int(sys.argv[1])

        def handled():
            handler = signal.getsignal(number)
            return callable(handler) and handler is not signal.default_int_handler

        def trace(frame, event, _):
            global left
            if event == "line" and handled():
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), number)
            return trace

        async def main():
            await asyncio.sleep(0)
            return 0

        position = 0
        while True:
            position += 1
            left = position
            sys.settrace(trace)
            status = run(main, application, told)
            sys.settrace(None)
            if left > 0:
                break
            print(status, flush=True)
        """,
        str(int(number)),
    ) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    statuses = [int(each) for each in out.split()]
    late = statuses.index(0)
    assert late > 10
    assert statuses == [CANCELLED] * late + [0] * (len(statuses) - late)


@pytest.mark.parametrize("number", BOTH)
def test_one_that_was_ignored_before_stays_so(number: signal.Signals) -> None:
    with child_run(
        """
        number = int(sys.argv[1])
        signal.signal(number, signal.SIG_IGN)
        async def main():
            os.kill(os.getpid(), number)
            await asyncio.sleep(0)
            return 3
        status = run(main, application, told)
        assert signal.getsignal(number) is signal.SIG_IGN
        sys.exit(status)
        """,
        str(int(number)),
    ) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (3, "", "")


@pytest.mark.parametrize("number", BOTH)
def test_while_the_console_starts_it_ends_at_once(number: signal.Signals, tmp_path: Path) -> None:
    """In an event of Qt's, which would swallow a KeyboardInterrupt and go on."""
    with child(
        """
        from console import __main__ as program

        class Interrupted(program.MainWindow):
            def showEvent(self, event):
                os.kill(os.getpid(), int(sys.argv[1]))

        program.MainWindow = Interrupted
        program.main(["--data", sys.argv[2]])
        """,
        str(int(number)),
        str(tmp_path),
    ) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (-number, "", "")
