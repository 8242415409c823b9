"""The composition root of the backend: builds every part, starts it, closes it in order."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from core.backend.gateway.provider import CardProvider
from core.backend.services.access import CourseAccessController
from core.backend.services.accounts import Accounts, AccountsConfig, Argon2Profile
from core.backend.services.administration import UserAdmin
from core.backend.services.approval import AdminApprovalWorkflow
from core.backend.services.audit import AuditTrail
from core.backend.services.card_links import CardAddresses, CardLinks
from core.backend.services.checkpoints import CheckpointSigner
from core.backend.services.confirmations import Confirmations
from core.backend.services.deciders import decide
from core.backend.services.devices import Devices
from core.backend.services.guesses import GuessLimiter
from core.backend.services.housekeeping import Housekeeping
from core.backend.services.orchestrator import ProductionPaymentOrchestrator, refuse_simulated
from core.backend.services.own_account import OwnAccount
from core.backend.services.passwords import Passwords
from core.backend.services.payment_desk import PaymentDesk
from core.backend.services.realtime import RealTimePaymentSync, SyncLimits
from core.backend.services.rows import Rows
from core.backend.services.sweeper import CardSweeper
from core.backend.services.webhook_alerts import SecurityAlerts
from core.backend.services.webhook_desk import WebhookDesk
from core.backend.services.webhook_worker import DeliveryWorker
from core.backend.services.webhooks import CallbackKeys, WebhookHandler
from core.backend.services.workspace_admin import WorkspaceAdmin
from core.backend.storage.engine import DatabaseLock, open_engine, sqlite_file
from core.backend.storage.listener import LedgerListener
from core.backend.storage.reader import Reader
from core.backend.storage.revision import require_current
from core.backend.storage.vault import Vault
from core.backend.storage.writer import Writer
from core.domain.enrollment import PaymentMethod
from core.domain.routing import PaymentMethodRouter
from core.ledger.keys import SigningKey


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendConfig:
    """All that the backend is told. Secrets are bytes: 32 each, never shown.

    `vault_keys`: key id -> key; `vault_current` seals, all of them open. `state_dir` holds what
    must live outside of the database. `checkpoint_name` is the origin and key name of checkpoints.
    The number from which two signatures are needed is in the workspace row, not here.
    `card_provider` None: no card payments; whoever made it closes it. In `production` it must be
    one of real money. Without `callback_keys` its callbacks are not taken. `chance` gives numbers
    from 0 to 1 that spread what is tried again.
    """

    database_url: str
    state_dir: Path
    vault_current: str
    vault_keys: Mapping[str, bytes] = field(repr=False)
    email_index_key: bytes = field(repr=False)
    checkpoint_seed: bytes = field(repr=False)
    checkpoint_name: str = "bursar/ledger"
    embedded_token: str | None = field(default=None, repr=False)
    public_url: str = "http://127.0.0.1"
    allowed_origins: frozenset[str] = frozenset()
    production: bool = False
    card_provider: CardProvider | None = None
    callback_keys: CallbackKeys | None = field(default=None, repr=False)
    argon2: Argon2Profile = field(default_factory=Argon2Profile)
    sync_limits: SyncLimits = field(default_factory=SyncLimits)
    clock: Callable[[], datetime] = utc_now
    new_id: Callable[[], UUID] = uuid7
    random_bytes: Callable[[int], bytes] = os.urandom
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Every use case, ready. `writer` works from `build` on; the live feed from `start` on."""

    config: BackendConfig
    engine: Engine
    reader: Reader
    writer: Writer
    vault: Vault
    accounts: Accounts
    own_account: OwnAccount
    users: UserAdmin
    devices: Devices
    workspace: WorkspaceAdmin
    orchestrator: ProductionPaymentOrchestrator
    confirmations: Confirmations
    payments: PaymentDesk
    approval: AdminApprovalWorkflow
    access: CourseAccessController
    audit: AuditTrail
    signer: CheckpointSigner
    sync: RealTimePaymentSync
    housekeeping: Housekeeping
    sweeper: CardSweeper | None
    webhooks: WebhookHandler | None
    webhook_desk: WebhookDesk
    _card_links: CardLinks | None
    _lock: DatabaseLock | None
    _listener: LedgerListener | None
    _hashing: ThreadPoolExecutor

    async def start(self) -> None:
        """Follow the ledger and sign checkpoints; the embedded console's token enrolls a device."""
        if self.config.embedded_token is not None:
            await self.devices.accept_code(self.config.embedded_token)
        await self.sync.start()
        self.housekeeping.start()
        if self.sweeper is not None:
            self.sweeper.start()
        if self.webhooks is not None:
            self.webhooks.start()
        if self._listener is not None:
            self._listener.start()

    async def stop(self) -> None:
        """End the feed (subscriptions get 1001), then everything else."""
        await self.housekeeping.stop()
        if self.sweeper is not None:
            await self.sweeper.stop()
        if self.webhooks is not None:
            await self.webhooks.stop()
        if self._card_links is not None:
            await self._card_links.stop()
        await self.sync.stop()
        self.close()

    def close(self) -> None:
        """For programs that never started the feed: writer, threads, engine and lock."""
        if self._listener is not None:
            self._listener.stop()
        self.writer.close()
        self.reader.close()
        self._hashing.shutdown(wait=True)
        self.engine.dispose()
        if self._lock is not None:
            self._lock.release()


def build(config: BackendConfig) -> Services:
    """Wire everything over a migrated database.

    Raises DatabaseInUseError where another process has it, SchemaError where it is not migrated,
    SimulatedProviderError in production without real money.
    """
    refuse_simulated(config.card_provider, production=config.production)
    path = sqlite_file(config.database_url)
    lock = DatabaseLock(path) if path is not None else None
    if lock is not None:
        lock.acquire()
    try:
        return _wire(config, lock)
    except BaseException:
        if lock is not None:
            lock.release()
        raise


def _wire(config: BackendConfig, lock: DatabaseLock | None) -> Services:
    engine = open_engine(config.database_url)
    try:
        require_current(engine)
    except BaseException:
        engine.dispose()
        raise
    vault = Vault(
        keys=config.vault_keys,
        current=config.vault_current,
        index_key=config.email_index_key,
        random_bytes=config.random_bytes,
    )
    rows = Rows(vault)
    reader = Reader(engine)
    writer = Writer(engine, decide=decide, now=config.clock, new_id=config.new_id)
    signer = CheckpointSigner(
        reader=reader,
        writer=writer,
        key=SigningKey(config.checkpoint_seed),
        name=config.checkpoint_name,
        state_file=config.state_dir / "last-checkpoint.json",
    )
    sync = RealTimePaymentSync(
        reader=reader, rows=rows, signer=signer, clock=config.clock, limits=config.sync_limits
    )
    writer.on_commit = sync.wake
    hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
    passwords = Passwords(config.argon2, hashing)
    guesses = GuessLimiter(clock=config.clock)
    people = AccountsConfig(
        clock=config.clock, new_id=config.new_id, random_bytes=config.random_bytes,
        embedded_token=config.embedded_token,
    )  # fmt: skip
    accounts = Accounts(
        reader=reader, writer=writer, vault=vault, passwords=passwords, guesses=guesses,
        config=people,
    )  # fmt: skip
    confirmations = Confirmations(
        reader=reader, writer=writer, provider=config.card_provider, clock=config.clock
    )
    cards = _wire_cards(config, reader, writer, confirmations)
    handler = _wire_webhooks(config, reader, writer, vault, confirmations)
    return Services(
        config=config,
        engine=engine,
        reader=reader,
        writer=writer,
        vault=vault,
        accounts=accounts,
        own_account=OwnAccount(
            reader=reader, writer=writer, passwords=passwords, guesses=guesses, config=people
        ),
        users=UserAdmin(reader=reader, writer=writer, passwords=passwords, config=people),
        devices=Devices(
            reader=reader, writer=writer, clock=config.clock,
            new_id=config.new_id, random_bytes=config.random_bytes,
        ),
        workspace=WorkspaceAdmin(
            reader=reader, writer=writer, new_id=config.new_id, random_bytes=config.random_bytes,
            checkpoint_name=config.checkpoint_name, checkpoint_public=signer.public,
        ),
        orchestrator=ProductionPaymentOrchestrator(
            reader=reader, writer=writer,
            router=PaymentMethodRouter(offered=cards.offered),
            confirmations=confirmations, links=cards.links, production=config.production,
            clock=config.clock, new_id=config.new_id, random_bytes=config.random_bytes,
        ),
        confirmations=confirmations,
        payments=PaymentDesk(
            reader=reader, writer=writer, vault=vault, rows=rows, confirmations=confirmations,
            new_id=config.new_id, random_bytes=config.random_bytes,
        ),
        sweeper=cards.sweeper,
        webhooks=handler,
        webhook_desk=WebhookDesk(
            reader=reader, writer=writer, vault=vault, rows=rows, handler=handler,
            clock=config.clock, new_id=config.new_id,
        ),
        approval=AdminApprovalWorkflow(reader=reader, writer=writer, vault=vault, rows=rows),
        access=CourseAccessController(reader=reader),
        audit=AuditTrail(reader=reader, rows=rows),
        signer=signer,
        sync=sync,
        housekeeping=Housekeeping(writer=writer, clock=config.clock),
        _card_links=cards.links,
        _lock=lock,
        # SQLite is for one process: there is nobody else to hear of.
        _listener=LedgerListener(engine, sync.wake) if lock is None else None,
        _hashing=hashing,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cards:
    """What there is only where a card provider is set up."""

    links: CardLinks | None
    sweeper: CardSweeper | None

    @property
    def offered(self) -> frozenset[PaymentMethod]:
        card = {PaymentMethod.CARD} if self.links is not None else set()
        return frozenset({PaymentMethod.EFT, *card})


def _wire_cards(
    config: BackendConfig, reader: Reader, writer: Writer, confirmations: Confirmations
) -> _Cards:
    provider = config.card_provider
    if provider is None:
        return _Cards(None, None)
    links = CardLinks(
        reader=reader, writer=writer, provider=provider, confirmations=confirmations,
        addresses=CardAddresses(config.public_url.rstrip("/")),
    )  # fmt: skip
    sweeper = CardSweeper(
        reader=reader, writer=writer, provider=provider, confirmations=confirmations,
        clock=config.clock, new_id=config.new_id,
    )  # fmt: skip
    return _Cards(links, sweeper)


def _wire_webhooks(
    config: BackendConfig,
    reader: Reader,
    writer: Writer,
    vault: Vault,
    confirmations: Confirmations,
) -> WebhookHandler | None:
    provider, keys = config.card_provider, config.callback_keys
    if provider is None or keys is None:
        return None
    addresses = CardAddresses(config.public_url.rstrip("/"))
    return WebhookHandler(
        writer=writer, vault=vault, keys=keys, provider=provider.name,
        worker=DeliveryWorker(
            reader=reader, writer=writer, confirmations=confirmations,
            clock=config.clock, chance=config.chance,
        ),
        alerts=SecurityAlerts(writer=writer, clock=config.clock, new_id=config.new_id),
        path=urlsplit(addresses.callback).path, clock=config.clock, new_id=config.new_id,
    )  # fmt: skip
