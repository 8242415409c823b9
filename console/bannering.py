"""`Bannering`: says in the banner over every screen what `banners.py` finds the gravest now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from console.banners import BannerAction, Situation, banner_of
from console.elsewhere import banner_words
from console.ports import DeskPort
from console.widgets.notices import Banner
from console.words import when_words
from core.client.connection import ConnectionState
from core.client.witness import WitnessStatus


class Bannering:
    """`actions` are what its button does; `as_of` is when the pending list stood as it does (UTC),
    None while it is live."""

    def __init__(
        self,
        banner: Banner,
        desk: DeskPort,
        *,
        clock: Callable[[], datetime],
        actions: Mapping[BannerAction, Callable[[], object]],
    ) -> None:
        self._banner = banner
        self._desk = desk
        self._clock = clock
        self._actions = actions
        self.as_of: datetime | None = None

    def refresh(
        self,
        *,
        connection: ConnectionState,
        message: str,
        witness: WitnessStatus | None,
        waiting: int,
    ) -> None:
        """See `Situation`; an empty `message` leaves the words that stand there."""
        desk = self._desk
        telling = banner_of(
            Situation(
                connection=connection,
                message=message or self._banner.text,
                witness=witness,
                device=desk.enrollment.device.state,
                fingerprint=desk.entered.device.fingerprint,
                roles=frozenset(desk.entered.officer.roles),
                has_root=desk.enrollment.has_root,
                waiting=waiting,
                as_of="" if self.as_of is None else when_words(self.as_of, self._clock()),
                keeps=desk.entered.durability.remembered,
                elsewhere=banner_words(desk.entered.elsewhere),
            )
        )
        if telling is None:
            self._banner.hide()
            return
        self._banner.tell(
            telling.kind,
            telling.text,
            action=telling.words,
            on_action=None if telling.action is None else self._actions[telling.action],
        )
