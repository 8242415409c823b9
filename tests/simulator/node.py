"""A backend node: the product's services over the shared database file, asked without sockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from sqlalchemy import Engine

from core.backend.services.accounts import Accounts, AccountsConfig
from core.backend.services.approval import AdminApprovalWorkflow
from core.backend.services.audit import AuditQuery, AuditTrail
from core.backend.services.checkpoints import CheckpointSigner
from core.backend.services.devices import Devices
from core.backend.services.errors import (
    AccountDisabledError,
    ServiceError,
    SignInNeededError,
    SignInRefusedError,
    TooManyGuessesError,
)
from core.backend.services.guesses import GuessLimiter
from core.backend.services.identities import StaffIdentity
from core.backend.services.mailbox import FeedClosedError
from core.backend.services.passwords import Passwords
from core.backend.services.realtime import RealTimePaymentSync, SyncLimits
from core.backend.services.rows import Rows
from core.backend.storage.command import Command, Outcome
from core.backend.storage.errors import StorageError
from core.backend.storage.reader import Reader
from core.backend.storage.vault import Vault
from core.client.exchange import Exchanged
from core.ledger.keys import SigningKey
from core.protocol.feed import FeedError, read_hello
from core.protocol.messages import (
    CloseCode,
    DecisionBatch,
    HeldDecisions,
    Message,
    Problem,
    Refresh,
    SignIn,
)
from tests.simulator.build import Build
from tests.simulator.chance import Chance, Ids
from tests.simulator.network import Line
from tests.simulator.process import Process
from tests.simulator.template import CHECKPOINT_NAME, House, config_of
from tests.simulator.writer import InlineWriter, Trouble

# Longer than in a real house: each look at the database costs time, and news wakes them anyway.
_STATUS: Mapping[type[ServiceError], int] = {
    SignInNeededError: 401,
    SignInRefusedError: 401,
    TooManyGuessesError: 429,
    AccountDisabledError: 403,
}
LIMITS = SyncLimits(queue=200, page=50, poll_seconds=12.0, checkpoint_seconds=6.0)


@dataclass(frozen=True)
class Machine:
    """What outlives the process of a node: database, state folder, clock. `tell` notifies the
    other nodes that the ledger grew."""

    number: int
    engine: Engine
    folder: Path
    house: House
    clock: Callable[[], datetime]
    trouble: Trouble
    build: Build
    tell: Callable[[int], None]


class Node:
    """One run of the backend's program on a machine."""

    def __init__(self, machine: Machine, chance: Chance, process: Process) -> None:
        self.process = process
        self._machine = machine
        self._build = machine.build
        self._lines: dict[Line, None] = {}
        config = config_of(machine.folder)
        new_id = Ids(chance)
        vault = Vault(
            keys=config.vault_keys, current=config.vault_current,
            index_key=config.email_index_key, random_bytes=chance.randbytes,
        )  # fmt: skip
        rows = Rows(vault)
        self.reader = Reader(machine.engine)
        self.writer = InlineWriter(
            machine.engine, build=machine.build, now=machine.clock, new_id=new_id,
            process=process, chance=chance, trouble=machine.trouble,
        )  # fmt: skip
        self._signer = CheckpointSigner(
            reader=self.reader, writer=self.writer, key=SigningKey(config.checkpoint_seed),
            name=CHECKPOINT_NAME, state_file=machine.folder / "last-checkpoint.json",
        )  # fmt: skip
        self.sync = RealTimePaymentSync(
            reader=self.reader, rows=rows, signer=self._signer, clock=machine.clock, limits=LIMITS
        )
        self.writer.on_commit = self._committed
        people = AccountsConfig(
            clock=machine.clock, new_id=new_id, random_bytes=chance.randbytes, embedded_token=None
        )
        self._accounts = Accounts(
            reader=self.reader, writer=self.writer, vault=vault,
            passwords=Passwords(config.argon2, ThreadPoolExecutor()),
            guesses=GuessLimiter(clock=machine.clock), config=people,
        )  # fmt: skip
        self._approval = AdminApprovalWorkflow(
            reader=self.reader, writer=self.writer, vault=vault, rows=rows
        )
        self._devices = Devices(
            reader=self.reader, writer=self.writer, clock=machine.clock, new_id=new_id,
            random_bytes=chance.randbytes,
        )  # fmt: skip
        self.access = machine.build.access(reader=self.reader)
        self._audit = AuditTrail(reader=self.reader, rows=rows)

    def _committed(self, size: int) -> None:
        self.sync.wake(size)
        self._machine.tell(self._machine.number)

    def close(self) -> None:
        """What the operating system does when a process ends: its connections are gone."""
        self.writer.on_commit = None
        for line in list(self._lines):
            line.break_within(1.0)

    # --- what it is asked ----------------------------------------------------------------------

    async def submit(self, command: Command) -> Outcome | None:
        """A command of a student or of the system; None where it is not known what became of it."""
        try:
            return await self.writer.submit(command)
        except StorageError:
            return None

    async def handle(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Exchanged:
        """One request of a console, as the routes answer it."""
        try:
            message = await self._route(f"{method} {path}", content or b"", headers)
        except ServiceError as error:
            return _problem(_STATUS.get(type(error), 409), error.code, error.message)
        except StorageError as error:
            return _problem(503, "busy", str(error))
        return Exchanged(200, message.model_dump_json().encode())

    async def _route(self, route: str, content: bytes, headers: Mapping[str, str]) -> Message:
        if route == "POST /api/staff/sign-in":
            body = SignIn.model_validate_json(content)
            return await self._accounts.staff_sign_in(body, address="127.0.0.1")
        if route == "POST /api/staff/refresh":
            return await self._accounts.staff_refresh(Refresh.model_validate_json(content))
        if route == "POST /api/decisions/held":
            held = HeldDecisions.model_validate_json(content)
            shut_out = await self._accounts.disabled_identity(held.refresh_token)
            return self._build.answers(await self._approval.decide(shut_out, held))
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        identity = await self._accounts.staff_identity(token)
        if route == "POST /api/decisions":
            batch = DecisionBatch.model_validate_json(content)
            return self._build.answers(await self._approval.decide(identity, batch))
        return await self._look_up(route.removeprefix("GET /api/"), identity)

    async def _look_up(self, path: str, identity: StaffIdentity) -> Message:
        parts = urlsplit(path)
        everything = AuditQuery()
        query = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
        routes: Mapping[str, Callable[[], Awaitable[Message]]] = {
            "ledger/head": self._signer.head,
            "ledger/consistency": lambda: self._signer.consistency(query["size1"], query["size2"]),
            "ledger/entries": lambda: self._audit.page(
                everything, before=query.get("before"), limit=query["limit"]
            ),
            "ledger/inclusion": lambda: self._audit.inclusion(query["index"], query["size"]),
        }
        if parts.path in routes:
            return await routes[parts.path]()
        device = UUID(parts.path.removeprefix("devices/"))
        return await self._devices.get(identity, device)

    # --- feeds ---------------------------------------------------------------------------------

    def take_line(self, line: Line) -> None:
        """A console has connected."""
        self._lines[line] = None
        serving = self.process.spawn(self._serve(line), "feed")

        def ended() -> None:
            self._lines.pop(line, None)
            serving.cancel()

        line.on_end = ended

    async def _serve(self, line: Line) -> None:
        try:
            await self._feed(line)
        except FeedClosedError as end:
            line.close(end.code, end.reason)

    async def _feed(self, line: Line) -> None:
        try:
            hello = read_hello(await line.hear())
            identity = await self._accounts.staff_identity(hello.token)
        except FeedError as error:
            raise FeedClosedError(CloseCode.BAD_MESSAGE, str(error)) from error
        except ServiceError as error:
            raise FeedClosedError(CloseCode.SIGN_IN_NEEDED, error.message) from error
        subscription = await self.sync.subscribe_staff(hello, identity)
        try:
            async for message in subscription:
                text = self._build.feed_message(message.decode())
                if text is not None:
                    line.say(text)
        finally:
            subscription.close()


def _problem(status: int, code: str, detail: str) -> Exchanged:
    problem = Problem(
        type=f"urn:bursar:{code.replace('_', '-')}", title="Refused", status=status, detail=detail
    )
    return Exchanged(status, problem.model_dump_json().encode())
