"""Real processes: a node that is killed under load, and a second one where only one may be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from core.protocol.messages import (
    AnswerKind,
    DecisionAnswer,
    DecisionAnswers,
    DecisionBatch,
    SignedDecision,
)
from tests.support.live_backend import http_client
from tests.support.live_template import ADDRESS, Template
from tests.support.node_process import NodeProcess, node_process, wait_until_ready
from tests.support.waiting import until
from tests.support.workspace import House, Officer, open_house

DECISIONS = 120


async def test_a_node_that_is_killed_under_load_costs_and_doubles_nothing(
    live_template: Template, tmp_path: Path
) -> None:
    async with open_house(live_template, tmp_path / "house") as house:
        officer = await house.officer()
        enrollments = await asyncio.gather(*(house.claim() for _ in range(DECISIONS)))
        items = [officer.sign(await house.row(enrollment)) for enrollment in enrollments]
        before = house.size()
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
            (folder / ADDRESS).write_text(house.services.config.database_url)
        with node_process(folders[0]) as one, node_process(folders[1]) as two:
            with http_client(one.url) as client:
                await asyncio.to_thread(wait_until_ready, one, client)
                await asyncio.to_thread(wait_until_ready, two, client)
            answers = await _decide_while_one_dies(house, officer, items, (one, two), before)
        assert {answer.kind for answer in answers} == {AnswerKind.ACCEPTED}
        told = sorted(answer.index or 0 for answer in answers)
        assert told == list(range(before, before + DECISIONS))
        assert house.size() == before + DECISIONS
        assert house.verify().decisions_verified == DECISIONS


async def _decide_while_one_dies(
    house: House,
    officer: Officer,
    items: Sequence[SignedDecision],
    nodes: tuple[NodeProcess, NodeProcess],
    before: int,
) -> list[DecisionAnswer]:
    """Half of them go to each node; what the dead one did not answer goes to the other."""
    headers = {**officer.device.headers, "Content-Type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as http:  # noqa: S501 - plain http on this machine

        async def decide(number: int, item: SignedDecision) -> DecisionAnswer:
            body = DecisionBatch(items=(item,)).model_dump_json()
            for asked in range(100):
                url = nodes[(number + asked) % 2].url
                try:
                    answer = await http.post(f"{url}/api/decisions", content=body, headers=headers)
                except httpx.TransportError:
                    continue  # the other one, with the same id
                answer.raise_for_status()
                (result,) = DecisionAnswers.model_validate_json(answer.content).results
                if result.kind is not AnswerKind.TRANSIENT:
                    return result
            raise AssertionError("there was never an answer")

        working = [asyncio.create_task(decide(n, item)) for n, item in enumerate(items)]
        await until(lambda: house.size() > before, timeout=60, what="the first decision")
        nodes[0].kill()
        assert not all(task.done() for task in working)
        return await asyncio.gather(*working)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_sqlite_refuses_a_second_process_in_plain_words(
    live_template: Template, tmp_path: Path
) -> None:
    folder = tmp_path / "house"
    live_template.copy_to(folder)
    with node_process(folder) as one, http_client(one.url) as client:
        await asyncio.to_thread(wait_until_ready, one, client)
        with node_process(folder) as two:
            await asyncio.to_thread(two.process.wait, 60)
            said = two.errors.read_text()
            assert two.process.returncode == 1
            expected = "Another Bursar backend is using this database already. Stop it first."
            assert said.strip().splitlines()[-1] == expected
            assert "Traceback" not in said
        assert client.get("/health/ready").status_code == httpx.codes.OK
        one.kill()  # whoever dies lets go of it
    with node_process(folder) as three, http_client(three.url) as client:
        await asyncio.to_thread(wait_until_ready, three, client)
