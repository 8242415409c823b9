"""Refused callbacks: counted by address and hour, bounded, and told to staff."""

from __future__ import annotations

import pytest

from core.backend.services.webhook_alerts import MANY, SecurityAlerts
from core.backend.services.webhooks import CallbackRefusedError
from core.backend.storage.errors import DatabaseAwayError
from core.backend.storage.webhooks import MAX_ADDRESSES
from core.domain.webhooks import AlertKind
from tests.backend.webhooks.office import Office
from tests.support.waiting import until
from tests.support.watch import ExpectedLogs

REFUSED = "callbacks of the card provider refused"
BAD = AlertKind.BAD_SIGNATURE


async def _refused(office: Office, address: str, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(CallbackRefusedError):
            await office.receive(b"{}", address, secret="not-the-secret")


@pytest.mark.req("8.4")
@pytest.mark.both_engines
async def test_many_from_one_address_are_an_alert_of_their_own(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    alerts = office.handler.alerts
    desk = office.shop.house.services.webhook_desk
    await _refused(office, "203.0.113.7", MANY - 1)
    await _refused(office, "198.51.100.2")
    with expected_logs(REFUSED) as lines:
        await alerts.flush()
    assert not any("many" in line for line in lines)
    page = await desk.alerts(after=None, limit=10)
    assert {(r.address, r.count, r.many) for r in page.rows} == {
        ("203.0.113.7", MANY - 1, False),
        ("198.51.100.2", 1, False),
    }
    await _refused(office, "203.0.113.7")
    with expected_logs(REFUSED), expected_logs("many callbacks refused"):
        await alerts.flush()
    many = [r for r in (await desk.alerts(after=None, limit=10)).rows if r.many]
    assert [(r.address, r.count) for r in many] == [("203.0.113.7", MANY)]
    assert many[0].message.endswith("came from one address.")
    assert (await desk.standing()).refused == MANY + 1


async def test_a_flood_from_everywhere_stays_small(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    """In memory and on the disk; nothing goes uncounted."""
    with expected_logs(f"{REFUSED}|many callbacks refused"):
        for begin in (0, 1_000, 2_000):
            for number in range(begin, begin + 3 * MAX_ADDRESSES):
                office.handler.alerts.note(BAD, f"address {number}")
            await office.handler.alerts.flush()
    kept = office.alerts()
    assert len(kept) == MAX_ADDRESSES + 1
    assert sum(alert.count for alert in kept) == 9 * MAX_ADDRESSES
    assert [alert.address for alert in kept].count("") == 1


async def test_each_hour_has_its_own_count_and_is_kept_for_90_days(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    clock = office.shop.house.clock
    with expected_logs(REFUSED):
        for _ in range(2):
            await _refused(office, "203.0.113.7")
            await office.handler.alerts.flush()
            clock.advance(hours=1)
    assert [alert.count for alert in office.alerts()] == [1, 1]
    tidy = office.shop.house.services.housekeeping.tidy
    clock.advance(days=89)
    await tidy()
    assert len(office.alerts()) == 2
    clock.advance(days=2)
    await tidy()
    assert not office.alerts()


async def test_what_could_not_be_written_stays_noted(
    office: Office, expected_logs: ExpectedLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts, writer = office.handler.alerts, office.shop.house.services.writer

    async def away(_work: object) -> None:
        raise DatabaseAwayError("The database cannot be reached.")

    await _refused(office, "203.0.113.7", 2)
    with monkeypatch.context() as broken:
        broken.setattr(writer, "run", away)
        with pytest.raises(DatabaseAwayError):
            await alerts.flush()
    await _refused(office, "203.0.113.7")
    with expected_logs(REFUSED):
        await alerts.flush()
    assert [alert.count for alert in office.alerts()] == [3]


async def test_it_writes_by_itself_and_what_is_left_at_its_end(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    house = office.shop.house
    alerts = SecurityAlerts(
        writer=house.services.writer, clock=house.clock,
        new_id=house.services.config.new_id, pause_seconds=600,
    )  # fmt: skip
    alerts.start()
    with expected_logs(REFUSED):
        alerts.note(BAD, "203.0.113.7\x00")
        await until(lambda: [alert.count for alert in office.alerts()] == [1])
        alerts.note(BAD, "203.0.113.7")
        await alerts.stop()
    assert [(alert.address, alert.count) for alert in office.alerts()] == [("203.0.113.7", 2)]
