"""What this console remembers about its looks and its backend: one small file, no secrets."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from console.theme_choice import ThemeChoice

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preferences:
    """`backend` is the address signed in to last; empty means the demo workspace.

    `notify`: the desktop tells of new payments while the window is not in use.
    """

    theme: ThemeChoice = ThemeChoice.SYSTEM
    backend: str = ""
    notify: bool = True


class PreferenceFile:
    """Blocks shortly on the disk. A damaged file counts as none: nothing in it matters enough."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.current = self._read()

    def change(
        self,
        *,
        theme: ThemeChoice | None = None,
        backend: str | None = None,
        notify: bool | None = None,
    ) -> None:
        """Keep what is given; a disk that refuses costs only the memory of it."""
        changed = self.current
        if theme is not None:
            changed = replace(changed, theme=theme)
        if backend is not None:
            changed = replace(changed, backend=backend)
        if notify is not None:
            changed = replace(changed, notify=notify)
        self.current = changed
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(changed)), encoding="utf-8")
            fresh.replace(self._path)
        except OSError:
            log.warning("the preferences cannot be written")

    def _read(self) -> Preferences:
        try:
            fields = json.loads(self._path.read_text(encoding="utf-8"))
            return Preferences(
                theme=ThemeChoice(fields["theme"]),
                backend=str(fields["backend"]),
                notify=fields.get("notify") is not False,  # older files do not say
            )
        except (OSError, ValueError, KeyError, TypeError):
            return Preferences()
