"""`bursar`: paints the first window, then loads and runs everything else."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QApplication

import resources
from console.arguments import Arguments, read_arguments
from console.preferences import PreferenceFile
from console.runtime.signals import end_at_once
from console.views.main_window import MainWindow

_LOG_BYTES = 1_000_000


def main(given: Sequence[str] | None = None) -> int:
    """Run the console; the exit status."""
    arguments = read_arguments(
        sys.argv[1:] if given is None else given,
        default_data=_user_data(),
    )
    with end_at_once():
        return _run(arguments)


def _run(arguments: Arguments) -> int:
    application = QApplication(sys.argv[:1])
    application.setApplicationName("bursar")
    application.setApplicationDisplayName("Bursar")
    preferences = PreferenceFile(arguments.data / "preferences.json")
    choice = arguments.theme or preferences.current.theme
    window = MainWindow(resources.load_tokens().palette(choice.shown).surface)
    window.show()
    application.processEvents()  # on the screen before anything heavy is imported

    from console.theme import Theme  # noqa: PLC0415 - with QtSvg, after the first paint
    from console.views.start import StartPage  # noqa: PLC0415 - as above

    theme = Theme(application, choice)
    window.wear(theme)
    start = StartPage(theme)
    window.show_page(start)
    application.processEvents()

    _start_logging(arguments.data)

    from console.app import App  # noqa: PLC0415 - half a second of imports, as above
    from console.runtime import garbage  # noqa: PLC0415 - as above
    from console.runtime.crash import CrashReporter  # noqa: PLC0415 - as above
    from console.runtime.loop import run  # noqa: PLC0415 - as above

    garbage.settle()
    garbage.look_from_here(application)
    crash = CrashReporter()

    async def whole_run() -> int:
        app = App(
            window=window,
            start=start,
            theme=theme,
            arguments=arguments,
            preferences=preferences,
            crash=crash,
        )
        return await app.run()

    return run(whole_run, application, crash)


def _user_data() -> Path:
    """The folder for this account's data; Qt knows it without another import."""
    place = QStandardPaths.StandardLocation.GenericDataLocation
    return Path(QStandardPaths.writableLocation(place)) / "bursar"


def _start_logging(data: Path) -> None:
    """To a file that does not grow without end; to standard error where there can be no file."""
    from logging.handlers import RotatingFileHandler  # noqa: PLC0415 - not before the first paint

    handler: logging.Handler
    try:
        folder = data / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            folder / "console.log", maxBytes=_LOG_BYTES, backupCount=3, encoding="utf-8"
        )
    except OSError:
        handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # One line per request says nothing and would fill the file.
    logging.getLogger("httpx").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
