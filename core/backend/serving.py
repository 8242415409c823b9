"""Running the backend as a process of its own: for people, or as the child of a console."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import structlog
import typer

from core.backend import logging as logs
from core.backend.configuring import backend_config, card_config, folder_config
from core.backend.demo_cards import DemoCards
from core.backend.embedded import read_token, when_parent_is_gone
from core.backend.gateway.choice import open_card_provider
from core.backend.services.container import Services, build
from core.backend.services.demo import seed_demo
from core.backend.settings import Settings
from core.backend.storage.engine import DatabaseLock, open_engine, sqlite_file
from core.backend.storage.errors import SchemaError
from core.backend.storage.revision import HEAD, current_revision, require_current
from core.backend.web.app import create_app
from core.backend.web.server import Server, bind, make_config, raise_descriptor_limit

log = structlog.get_logger(__name__)

_LOOPBACK = "127.0.0.1"


class StartError(Exception):
    """The backend could not start; the message is one line for a person."""


def serve(settings: Settings) -> None:
    """Serve until a signal comes. Raises SettingsError, StorageError, StartError, OSError."""
    config = backend_config(settings)
    # Its connections end with the process; what it was asked has ended with the services.
    provider = open_card_provider(card_config(settings))
    config = replace(config, card_provider=provider)
    level = logging.DEBUG if settings.debug else logging.INFO
    logs.configure(file=settings.log_file, level=level)
    bound = bind(settings.host, settings.port)
    server = _server(
        build(config),
        on_ready=lambda: typer.echo(f"Bursar backend: {settings.own_url}", err=True),
        trusted_proxies=settings.trusted_proxies,
    )
    _run(server, bound)


def serve_embedded(folder: Path) -> None:
    """Serve the console that started this process, on loopback, until its pipe closes.

    Cards are paid at a sandbox in this process: it moves no money.
    Raises EmbeddedError, SettingsError, StorageError, StartError, OSError.
    """
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs.configure(file=folder / "logs" / "backend.log")
    token = read_token()
    bound = bind(_LOOPBACK, 0)
    port = bound.getsockname()[1]
    config = folder_config(folder, public_url=f"http://{_LOOPBACK}:{port}", embedded_token=token)
    migrate_alone(config.database_url)
    cards = DemoCards()
    config = replace(config, card_provider=cards.provider, callback_keys=cards.callback_keys)
    services = build(config)
    server = _server(services, on_ready=lambda: typer.echo(json.dumps({"port": port})))
    when_parent_is_gone(server.leave)
    _run(server, bound, first=lambda: _seed(services), beside=cards.open())


def migrate_alone(url: str) -> None:
    """Migrate while no backend uses the database. Raises DatabaseInUseError on SQLite."""
    file = sqlite_file(url)
    if file is None:
        _migrate(url)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = DatabaseLock(file)
    lock.acquire()
    try:
        _migrate(url)
    finally:
        lock.release()


def _migrate(url: str) -> None:
    if current_revision(url) == HEAD:
        return
    from core.backend.storage.migrate import migrate  # noqa: PLC0415 - not at each start

    migrate(url)


def check_database(url: str) -> None:
    """Whether the database is there and at this program's revision; it is not changed.

    Raises SchemaError, SQLAlchemyError.
    """
    file = sqlite_file(url)
    if file is not None and not file.exists():
        raise SchemaError("There is no database yet. Run `bursar-backend migrate` first.")
    engine = open_engine(url)
    try:
        require_current(engine)
    finally:
        engine.dispose()


async def _seed(services: Services) -> None:
    try:
        await seed_demo(services)
    except BaseException:
        services.close()
        raise


async def _nothing() -> None:
    pass


def _server(
    services: Services, *, on_ready: Callable[[], None], trusted_proxies: tuple[str, ...] = ()
) -> Server:
    config = make_config(create_app(services), trusted_proxies=trusted_proxies)
    return Server(config, on_ready)


def _run(
    server: Server,
    bound: socket.socket,
    first: Callable[[], Awaitable[None]] = _nothing,
    beside: AbstractAsyncContextManager[None] | None = None,
) -> None:
    async def work() -> None:
        async with beside or nullcontext():
            await first()
            log.info("backend starts")
            await server.serve([bound])
            log.info("backend ended")

    raise_descriptor_limit()
    try:
        asyncio.run(work())
    except SystemExit as error:
        raise StartError("The backend could not start; its log says why.") from error
