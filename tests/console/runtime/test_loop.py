"""The real loop in a process of its own: exit status, lost errors. Signals: test_signals.py."""

from __future__ import annotations

from tests.console.runtime.child import child_run


def test_it_gives_the_exit_status_of_its_main() -> None:
    with child_run(
        """
        async def main():
            await asyncio.to_thread(print, "from a thread")
            return 3
        sys.exit(run(main, application, told))
        """
    ) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (3, "from a thread\n", "")


def test_errors_that_nobody_awaits_are_told() -> None:
    with child_run(
        """
        def slot():
            raise ValueError("in a slot")
        async def main():
            loop = asyncio.get_running_loop()
            async def forgotten():
                raise KeyError("in a task")
            task = asyncio.ensure_future(forgotten())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            del task
            QTimer.singleShot(0, slot)
            done = asyncio.Event()
            QTimer.singleShot(1, done.set)
            await done.wait()
            return 0
        sys.exit(run(main, application, told))
        """
    ) as process:
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "told a window ValueError" in out
    assert "told the event loop KeyError" in out
