"""A private PostgreSQL for one test session: the system's own server programs, a folder of ours.

One per worker under xdist. It listens on a unix socket only, so there is no port to choose; it ends
with the session, and with us if we are killed.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.waiting import wait_until

MISSING = "PostgreSQL's server programs are not here (Debian: postgresql): SQLite only"
_ACCOUNT = "postgres"
_STOP_SECONDS = 20.0


def find_programs() -> Path | None:
    """The folder of `initdb` and `postgres`, the newest version first."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("postgres")
    folders = ([Path(on_path).resolve().parent] if on_path else []) + versions
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


class PostgresServer:
    """`url(name)` is a database's address; `clone` makes one that `drop_clones` removes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._clones: list[str] = []

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{_ACCOUNT}@/{name}?host={self._folder}"

    def connect(self, name: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the test's own, in autocommit."""
        return psycopg.connect(
            host=str(self._folder), user=_ACCOUNT, dbname=name, autocommit=True, connect_timeout=10
        )

    def create(self, name: str, template: str = "template0") -> str:
        """A new database as a copy of another that nobody uses now; its address."""
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with self.connect() as connection:
            connection.execute(words.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def clone(self, template: str) -> str:
        """A copy for one test; its address."""
        name = f"test_{next(self._numbers)}"
        self._clones.append(name)
        return self.create(name, template)

    def drop_clones(self) -> None:
        with self.connect() as connection:
            while self._clones:
                words = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(words.format(sql.Identifier(self._clones.pop())))


@contextmanager
def private_server(programs: Path, *, fsync: bool = False) -> Iterator[PostgresServer]:
    """Start it in a new folder, stop it at the end. `fsync=True` for measuring durable writes."""
    # Not pytest's folder: the server's own account must be able to reach it.
    folder = Path(tempfile.mkdtemp(prefix="bursar-postgres-"))
    try:
        if os.geteuid() == 0:
            import pwd  # noqa: PLC0415 - not on Windows, where this file is imported as well

            account = pwd.getpwnam(_ACCOUNT)
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = folder / "data"
        initdb: list[str | Path] = [programs / "initdb", "-D", data, "-U", _ACCOUNT, "-A", "trust"]
        _run([*initdb, "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"], folder)
        with _running(programs, folder, data, fsync=fsync) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, user=_user()
    )
    assert done.returncode == 0, done.stderr


def _user() -> str | None:
    """PostgreSQL refuses to run as root."""
    return _ACCOUNT if os.geteuid() == 0 else None


@contextmanager
def _running(programs: Path, folder: Path, data: Path, *, fsync: bool) -> Iterator[PostgresServer]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "on" if fsync else "off",  # the data is thrown away at the end
        "synchronous_commit": "on",
        "max_connections": "200",
        "autovacuum": "off",
        "timezone": "Africa/Johannesburg",  # not UTC: what depends on it shows itself
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    # Killed with us, however we die: no server is left behind.
    tied = ["setpriv", "--pdeathsig", "INT", "--"] if shutil.which("setpriv") else []
    command = [*tied, str(programs / "postgres"), "-D", str(data), *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=_user(),
            start_new_session=True,
        )  # fmt: skip
    server = PostgresServer(folder)
    try:
        wait_until(lambda: _answers(server, process), timeout=30, what="PostgreSQL to answer")
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # cut everybody off, then stop in order
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(_STOP_SECONDS)


def _answers(server: PostgresServer, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "PostgreSQL ended at once"
    try:
        server.connect().close()
    except psycopg.OperationalError:
        return False
    return True
