"""How much of the card money needs a person: the figures on the tabs and in the rail."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.views.payments.port import PaymentsPort
from console.words import counted
from core.protocol.messages import SecurityAlertRow

# An alert is of an hour; one of yesterday is history.
ALERT_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """Each is exact up to one page of rows, which is more than a badge shows."""

    late: int = 0
    refunds: int = 0
    dead: int = 0
    alerts: int = 0

    @property
    def needs(self) -> int:
        return self.late + self.refunds + self.dead + self.alerts

    @property
    def words(self) -> str:
        """For a screen reader: `2 payments came late, 1 dead letter`."""
        parts = (
            (self.late, "payment came late", "payments came late"),
            (self.refunds, "refund is open", "refunds are open"),
            (self.dead, "dead letter", "dead letters"),
            (self.alerts, "alert", "alerts"),
        )
        return ", ".join(counted(count, one, many) for count, one, many in parts if count)


async def read_figures(port: PaymentsPort, *, now: datetime, seen_to: datetime | None) -> Figures:
    """`seen_to`: alerts up to then (UTC) were seen by this person. Raises ClientError."""
    late, refunds, standing, alerts = await asyncio.gather(
        port.late_money(open_only=True),
        port.refunds(open_only=True),
        port.webhook_standing(),
        port.alerts(),
    )
    return Figures(
        late=len(late.rows),
        refunds=len(refunds.rows),
        dead=standing.dead,
        alerts=sum(_is_news(alert, now, seen_to) for alert in alerts.rows),
    )


def _is_news(alert: SecurityAlertRow, now: datetime, seen_to: datetime | None) -> bool:
    return alert.last_at > now - ALERT_AGE and (seen_to is None or alert.last_at > seen_to)
