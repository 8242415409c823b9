"""Dead letters: seen by staff, replayed by who may, and the ledger says who did."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from uuid_utils.compat import uuid7

from core.backend.cli import main
from core.backend.configuring import DATABASE_FILE, folder_config
from core.backend.services.container import Services, build
from core.backend.services.errors import ConflictError, NotAllowedError, NotFoundError
from core.backend.services.webhook_replay import REPLAYED
from core.backend.services.webhooks import body_place
from core.backend.storage import webhooks
from core.backend.storage.webhook_records import Delivery
from core.domain.failures import FailureClass
from core.domain.roles import Role
from core.domain.webhooks import AlertKind, DeliveryState
from core.protocol.messages import WebhookDetail, WebhookPage
from tests.backend.storage.test_plans import whole_reads
from tests.backend.web.asking import bearer, problem
from tests.backend.webhooks.letters import PATH, compact, fields
from tests.backend.webhooks.office import Office
from tests.backend.webhooks.till import Till
from tests.support.card_provider import trouble
from tests.support.watch import ExpectedLogs

DEAD = "a callback waits for a person"


async def _dead(office: Office, expected_logs: ExpectedLogs, count: int = 1) -> list[Delivery]:
    """Callbacks of so many students who paid, while our keys were refused."""
    office.shop.provider.down = trouble(FailureClass.CONFIGURATION, retryable=False)
    for _ in range(count):
        office.shop.provider.down = None
        await office.student()
        office.shop.provider.pay()
        await office.called_back()
    office.shop.provider.down = trouble(FailureClass.CONFIGURATION, retryable=False)
    with expected_logs(DEAD):
        await office.work()
    office.shop.provider.down = None
    return office.deliveries()


@pytest.mark.req("8.3")
@pytest.mark.both_engines
async def test_a_person_replays_dead_letters_and_the_payments_go_through(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    dead = await _dead(office, expected_logs, 3)
    supervisor = await office.shop.house.officer(Role.SUPERVISOR)
    services = office.shop.house.services
    ids = [d.id for d in dead[:2]]
    asker = supervisor.identity.asking("one and the same key")
    told = await services.webhook_desk.replay(asker, ids)
    assert (await services.webhook_desk.replay(asker, ids)).index == told.index
    leaf = office.shop.house.leaves()[told.index]
    assert (leaf.action, leaf.actor) == (REPLAYED, supervisor.identity.actor.code)
    assert leaf.facts == {"deliveries": [str(one) for one in ids], "count": 2}
    assert await office.work() == 2
    states = [(d.state.value, d.outcome, d.tries, d.replays) for d in office.deliveries()]
    assert states == [("done", "approved", 2, 1)] * 2 + [("dead", "unreachable", 1, 0)]
    assert office.shop.actions().count("enrollment.approved") == 2
    outcomes = [t.outcome for t in office.tries(ids[0])]
    assert outcomes == ["unreachable", "approved"]  # the history goes on
    office.shop.house.verify()


async def test_who_may_and_what_can_be_replayed(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    (dead,) = await _dead(office, expected_logs)
    house, desk = office.shop.house, office.shop.house.services.webhook_desk
    officer = await house.officer()
    administrator = await house.administrator()
    size = house.size()
    with pytest.raises(NotAllowedError):
        await desk.replay(officer.identity.asking(str(uuid7())), [dead.id])
    with pytest.raises(NotFoundError):
        await desk.replay(administrator.asking(str(uuid7())), [dead.id, uuid7()])
    assert house.size() == size
    await desk.replay(administrator.asking(str(uuid7())), [dead.id, dead.id])
    with pytest.raises(ConflictError, match="worked on already"):
        await desk.replay(administrator.asking(str(uuid7())), [dead.id])
    await office.called_back(success=False)
    # What waits already is left out, not refused.
    await office.work()
    await desk.replay(administrator.asking(str(uuid7())), [d.id for d in office.deliveries()])
    assert house.leaves()[-1].facts["count"] == 2
    assert await office.work() == 2
    assert office.shop.actions().count("enrollment.approved") == 1


async def test_a_whole_range_is_replayed_at_the_machine(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    house = office.shop.house
    first = house.clock.now
    await _dead(office, expected_logs, 2)
    house.clock.advance(hours=1)
    await _dead(office, expected_logs, 1)
    desk = house.services.webhook_desk
    assert await desk.replay_dead(since=None, until=first - timedelta(seconds=1)) == 0
    assert await desk.replay_dead(since=first + timedelta(minutes=30), until=None) == 1
    assert await desk.replay_dead(since=None, until=None) == 2
    assert await office.work() == 3
    assert [leaf.actor for leaf in house.leaves() if leaf.action == REPLAYED] == ["system"] * 2
    assert office.shop.actions().count("enrollment.approved") == 3


async def test_no_statement_reads_a_whole_table(
    office: Office, expected_logs: ExpectedLogs
) -> None:
    house = office.shop.house

    async def everything() -> None:
        await _dead(office, expected_logs, 2)
        desk = house.services.webhook_desk
        await office.called_back()  # a copy
        await desk.page(state=None, after=uuid7(), limit=1)
        dead = await desk.page(state=DeliveryState.DEAD, after=uuid7(), limit=1)
        await desk.detail(dead.rows[0].id)
        await desk.standing()
        await desk.alerts(after=uuid7(), limit=1)
        await desk.replay_dead(since=None, until=None)
        await house.services.reader.run(lambda c: webhooks.has_due(c, house.clock.now))
        await office.work()
        with expected_logs("refused"):
            office.handler.alerts.note(AlertKind.BAD_SIGNATURE, "203.0.113.7")
            await office.handler.alerts.flush()
        await house.services.housekeeping.tidy()

    assert not await whole_reads(house, everything(), at_least=30)


def test_over_http(till: Till, http: httpx.Client, expected_logs: ExpectedLogs) -> None:
    body = compact(fields("nobodys link!"))
    with expected_logs(DEAD):
        assert http.post(PATH, content=body, headers=till.sign(body)).status_code == 200
        till.settled()
    officer, supervisor = (bearer(till.backend.staff(r)) for r in (Role.OFFICER, Role.SUPERVISOR))
    listed = http.get("/api/webhooks?state=dead", headers=officer)
    (row,) = WebhookPage.model_validate_json(listed.content).rows
    assert (row.outcome, row.success, row.tries) == ("unreadable", None, 1)
    assert not WebhookPage.model_validate_json(
        http.get("/api/webhooks?state=done", headers=officer).content
    ).rows
    shown = http.get(f"/api/webhooks/{row.id}", headers=officer)
    detail = WebhookDetail.model_validate_json(shown.content)
    assert detail.body == body.decode()
    assert [t.outcome for t in detail.tries] == ["unreadable"]
    sent = {"deliveries": [str(row.id)]}
    key = {"Idempotency-Key": str(uuid7())}
    refused = http.post("/api/webhooks/replay", json=sent, headers=officer | key)
    problem(refused, 403, "wrong-role")
    with expected_logs(DEAD):
        done = http.post("/api/webhooks/replay", json=sent, headers=supervisor | key)
        assert done.status_code == 200, done.text
        till.settled()
    nobody = {"deliveries": [str(uuid7())]}
    key = {"Idempotency-Key": str(uuid7())}
    answer = http.post("/api/webhooks/replay", json=nobody, headers=supervisor | key)
    problem(answer, 404, "unknown-delivery")
    problem(http.get(f"/api/webhooks/{uuid7()}", headers=officer), 404, "unknown-delivery")


def test_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], office_folder: list[str]
) -> None:
    assert main(["webhooks", "list", "--state", "dead", *office_folder]) == 0
    line = capsys.readouterr().out
    delivery = line.split()[0]
    assert "dead  unreadable" in line
    assert main(["webhooks", "show", delivery, *office_folder]) == 0
    shown = capsys.readouterr().out
    assert "Body: 'rubbish'" in shown
    assert "1 tries" in shown
    assert main(["webhooks", "replay", delivery, *office_folder]) == 0
    assert capsys.readouterr().out == "1 to be worked on again.\n"
    assert main(["webhooks", "replay", "--since", "2020-01-01", *office_folder]) == 0
    assert capsys.readouterr().out == "0 to be worked on again.\n"
    assert main(["webhooks", "list", "--state", "waiting", *office_folder]) == 0
    assert delivery in capsys.readouterr().out
    assert main(["webhooks", "replay", str(uuid7()), *office_folder]) == 1
    assert "no such callback" in capsys.readouterr().err
    for wrong in ([], [delivery, "--since", "2020-01-01"], ["--since", "yesterday"]):
        assert main(["webhooks", "replay", *wrong, *office_folder]) == 2
    assert (tmp_path / "data" / DATABASE_FILE).exists()


@pytest.fixture
def office_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """A data folder with one dead letter."""
    folder = tmp_path / "data"
    assert main(["migrate", "--data", str(folder)]) == 0
    capsys.readouterr()
    services = build(folder_config(folder))
    try:
        letter = _letter(services)
        services.writer.run_now(lambda c: webhooks.store_deliveries(c, [letter]))
    finally:
        services.close()
    return ["--data", str(folder)]


def _letter(services: Services) -> Delivery:
    delivery, now = uuid7(), services.config.clock()
    return Delivery(
        id=delivery, provider="sandbox", signature=b"s" * 32,
        sealed=services.vault.seal(b"rubbish", place=body_place(delivery)),
        received_at=now, last_at=now, next_try_at=None, state=DeliveryState.DEAD,
        outcome="unreadable", message="Nothing we know.", tries=1, settled_at=now,
    )  # fmt: skip
