"""How long a queue that grew while the backend was away takes to be sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.client.api import Api
from core.client.http import open_http
from core.client.outbox import Draft, Outbox, OutboxItem, OutboxState, SignedBytes
from core.client.sealing import KEY_BYTES, Sealer
from core.client.secrets import MemoryStore
from core.client.sender import Sender
from core.client.session import SessionKeeper
from core.domain.decisions import Decision
from core.ledger.keys import SIGNATURE_BYTES
from core.ledger.text import read_base64
from core.protocol.messages import DecisionBatch, Session, SignedDecision, User
from core.protocol.signing import read_decision
from tests.benchmarks.processes import BenchError, Child, running
from tests.benchmarks.replay_window import LIMIT_SECONDS, replayed_in_a_window
from tests.benchmarks.report import Line, median
from tests.benchmarks.scale import Scale
from tests.benchmarks.school import PRICE_CENTS

_PLACES_PER_PUPIL = 20


def replayed_after_reconnect(scale: Scale) -> Iterator[Line]:
    """First the client's parts alone, then a real window; see below."""
    yield _by_its_parts(scale)
    yield from replayed_in_a_window(scale)


def _by_its_parts(scale: Scale) -> Line:
    """Seconds from the reconnect until each of the queued decisions has its final answer in the
    queue file: the product's own outbox, sender and HTTP client, the backend in another process.
    Median of some turns. The limit is the target.
    """
    folder = scale.sub("replay")
    places = scale.turns * scale.decisions
    courses = min(_PLACES_PER_PUPIL, places)
    with running(Child("tests.benchmarks.host", str(folder), log=folder / "host.log")) as host:
        host.do("start", courses=courses, pupils=-(-places // courses), places=places)
        seconds = []
        for turn in range(scale.turns):
            signed = host.do("sign", count=scale.decisions)
            bodies = [DecisionBatch.model_validate_json(body) for body in signed["bodies"]]
            queue = folder / f"outbox-{turn}.sqlite3"
            url = f"http://127.0.0.1:{signed['port']}"
            items = [item for body in bodies for item in body.items]
            seconds.append(asyncio.run(_replay(url, signed["token"], items, queue)))
    metric = f"{scale.decisions} queued decisions"
    return Line("replayed_after_reconnect", metric, "s", median(seconds), LIMIT_SECONDS)


async def _replay(url: str, token: str, signed: Sequence[SignedDecision], queue: Path) -> float:
    """The seconds it took. Raises BenchError if one was not accepted."""
    decisions = [read_decision(item.payload.encode()) for item in signed]
    officer, device = decisions[0].officer, decisions[0].device
    outbox = await Outbox.open(queue, Sealer(bytes(KEY_BYTES)))
    for item, decision in zip(signed, decisions, strict=True):
        await _add(outbox, item, decision)
    api = Api(open_http(url), SessionKeeper(MemoryStore(), url))
    await api.keeper.keep(
        Session(
            access_token=token, refresh_token=token, user=User(id=officer, name="A", roles=()),
            access_expires_at=datetime.now(UTC) + timedelta(hours=1),
        )
    )  # fmt: skip
    results: list[OutboxItem] = []
    sender = Sender(
        api=api, outbox=outbox, officer=officer, device=device,
        on_results=results.extend, on_state=lambda _: None,
    )  # fmt: skip
    start = time.perf_counter()
    while await sender.send_due():
        pass
    seconds = time.perf_counter() - start
    await api.aclose()
    await outbox.close()
    if [item.state for item in results] != [OutboxState.ACCEPTED] * len(signed):
        raise BenchError("a decision was not accepted")
    return seconds


async def _add(outbox: Outbox, item: SignedDecision, decision: Decision) -> None:
    signature = read_base64(item.signature, SIGNATURE_BYTES)
    draft = Draft(
        id=item.id, officer=decision.officer, device=decision.device,
        enrollment=decision.enrollment, verdict=decision.verdict, note=item.note,
        created_at=datetime.now(UTC), reference="REFERENCE", cents=PRICE_CENTS,
    )  # fmt: skip
    await outbox.add(draft, lambda _: SignedBytes(item.payload.encode(), signature))
