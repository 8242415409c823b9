"""`bursar-backend webhooks`: the card provider's callbacks, and replaying them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from core.backend.cli_shared import Data, EnvFile, config_of, with_services
from core.backend.services.container import Services
from core.domain.webhooks import DeliveryState
from core.protocol.messages import (
    MAX_REPLAYED,
    WEBHOOK_PAGE_ROWS,
    WebhookDetail,
    WebhookRow,
)

webhooks_app = typer.Typer(no_args_is_help=True, help="The card provider's callbacks.")

_TIME_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
Time = typer.Option(formats=_TIME_FORMATS)


@webhooks_app.command("list")
def webhooks_list(
    *,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those.")] = None,
    after: Annotated[UUID | None, typer.Option(help="Go on behind this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=WEBHOOK_PAGE_ROWS)] = 50,
    data: Data = None,
    env_file: EnvFile = None,
) -> None:
    """The newest callbacks, a line each."""
    page = with_services(
        config_of(data, env_file),
        lambda services: services.webhook_desk.page(state=state, after=after, limit=limit),
    )
    for row in page.rows:
        typer.echo(_line(row))


@webhooks_app.command("show")
def webhooks_show(delivery: UUID, *, data: Data = None, env_file: EnvFile = None) -> None:
    """One callback with every try, and its body as it came."""
    found = with_services(
        config_of(data, env_file), lambda services: services.webhook_desk.detail(delivery)
    )
    typer.echo("\n".join(_lines(found)))


@webhooks_app.command("replay")
def webhooks_replay(
    deliveries: Annotated[list[UUID] | None, typer.Argument(help="These, whatever became.")] = None,
    *,
    since: Annotated[datetime | None, Time] = None,
    until: Annotated[datetime | None, Time] = None,
    data: Data = None,
    env_file: EnvFile = None,
) -> None:
    """Have callbacks worked on again: those named, or the dead letters of a time (UTC).

    The backend does it, within seconds where it runs, else once it is started.
    """
    ranged = since is not None or until is not None
    if bool(deliveries) == ranged:
        raise typer.BadParameter("name callbacks, or a time with --since and --until")
    named = tuple(deliveries or ())
    if len(named) > MAX_REPLAYED:
        raise typer.BadParameter(f"{MAX_REPLAYED} at most, or a time")

    async def work(services: Services) -> int:
        desk = services.webhook_desk
        if not named:
            return await desk.replay_dead(since=_utc(since), until=_utc(until))
        await desk.replay(desk.by_system(), named)
        return len(named)

    count = with_services(config_of(data, env_file), work)
    typer.echo(f"{count} to be worked on again.")


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)


def _line(row: WebhookRow) -> str:
    claim = {True: "success", False: "failure", None: "unreadable"}[row.success]
    parts = (
        str(row.id), row.received_at.isoformat(timespec="seconds"), row.state.value, claim,
        row.link_id or "-", f"{row.tries} tries", row.outcome or "-",
    )  # fmt: skip
    return "  ".join(parts)


def _lines(found: WebhookDetail) -> list[str]:
    row = found.row
    return [
        _line(row),
        f"Copies: {row.copies}, the last {row.last_at.isoformat(timespec='seconds')}",
        f"Payment: {row.external_id or '-'}  Enrollment: {row.enrollment or '-'}",
        *(
            f"{one.n}. {one.at.isoformat(timespec='seconds')}  {one.outcome}  {one.message}"
            for one in found.tries
        ),
        f"Body: {found.body!r}",
    ]
