"""`bursar-backend`: serve, migrate, and what an administrator does at the machine itself.

Every command works on the backend that the settings (`BURSAR_*`) describe, or with `--data` on a
data folder such as the console's own backend uses.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from core.backend import serving
from core.backend.embedded import EmbeddedError
from core.backend.ledger_check import CannotReadError, CheckpointKey, Verified, verify_ledger
from core.backend.services.container import BackendConfig, Services, build
from core.backend.services.demo import seed_demo
from core.backend.services.errors import ServiceError
from core.backend.settings import SettingsError, backend_config, folder_config, read_settings
from core.backend.storage.errors import StorageError
from core.domain.roles import STAFF_ROLES, SYSTEM, Role
from core.ledger.errors import VerificationError
from core.ledger.keys import PUBLIC_BYTES, SigningKey
from core.protocol.messages import SignIn

_T = TypeVar("_T")

EXPECTED = (
    SettingsError, EmbeddedError, CannotReadError, ServiceError, StorageError,
    serving.StartError,
)  # fmt: skip
_MAX_LINE = 1000

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
user_app = typer.Typer(no_args_is_help=True, help="The staff.")
devices_app = typer.Typer(no_args_is_help=True, help="The devices that sign decisions.")
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger.")
demo_app = typer.Typer(no_args_is_help=True, help="Demo data.")
for name, part in (
    ("user", user_app), ("devices", devices_app), ("ledger", ledger_app), ("demo", demo_app),
):  # fmt: skip
    app.add_typer(part, name=name)

Data = Annotated[
    Path | None, typer.Option("--data", help="A data folder, instead of the settings.")
]
EnvFile = Annotated[Path | None, typer.Option("--env-file", help="A file of BURSAR_ variables.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. What may be expected to fail is told in plain lines."""
    try:
        app(args=arguments, prog_name="bursar-backend")
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else 0
    except EXPECTED as error:
        typer.echo(str(error), err=True)
    except OSError as error:
        typer.echo(f"This did not work: {error.strerror or error}.", err=True)
    except SQLAlchemyError as error:
        typer.echo(f"The database cannot be used ({type(error).__name__}).", err=True)
    return 1


@app.command()
def serve(
    *,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="As the child of a console; needs --data.")
    ] = False,
    data: Data = None,
    env_file: EnvFile = None,
) -> None:
    """Run the backend until it is stopped."""
    if not embedded:
        if data is not None:
            raise typer.BadParameter("--data goes with --embedded")
        serving.serve(read_settings(env_file))
        return
    if data is None:
        raise typer.BadParameter("--embedded needs --data")
    serving.serve_embedded(data)


@app.command()
def migrate(*, data: Data = None, env_file: EnvFile = None) -> None:
    """Bring the database to this program's revision."""
    serving.migrate_alone(_config(data, env_file).database_url)
    typer.echo("The database is up to date.")


@user_app.command("add")
def user_add(
    *,
    email: Annotated[str, typer.Option(help="What the person signs in with.")],
    name: Annotated[str, typer.Option(help="The person's name, as others read it.")],
    role: Annotated[list[Role], typer.Option(help="officer, supervisor or administrator.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: Data = None,
    env_file: EnvFile = None,
) -> None:
    """Add somebody to the staff. The password is asked for, never given on the command line."""
    if not STAFF_ROLES.issuperset(role):
        raise typer.BadParameter("a member of the staff is officer, supervisor or administrator")
    config = _config(data, env_file)
    password = _read_password(from_stdin=password_stdin)
    try:
        # The limits of what the person will type when signing in.
        SignIn(email=email, password=password)
    except ValidationError as error:
        wrong = str(error.errors()[0]["loc"][0])
        raise typer.BadParameter(
            f"the {wrong} is too short, too long or has a wrong form"
        ) from None
    user = _with_services(
        config,
        lambda services: services.accounts.add_user(
            email=email, name=name, password=password, roles=frozenset(role), actor=SYSTEM
        ),
    )
    typer.echo(f"Added {user}.")


@devices_app.command("code")
def devices_code(*, data: Data = None, env_file: EnvFile = None) -> None:
    """Print a one-time code with which the first administrator enrolls the first device."""
    code = _with_services(_config(data, env_file), lambda services: services.devices.new_code())
    typer.echo(code)


@ledger_app.command("verify")
def ledger_verify(
    *,
    database: Annotated[
        str | None, typer.Option(help="Another database: its address, or a SQLite file.")
    ] = None,
    checkpoint_key: Annotated[
        str | None, typer.Option(help="The public key of checkpoints, in base64.")
    ] = None,
    checkpoint_name: Annotated[str, typer.Option()] = "bursar/ledger",
    trusted_root: Annotated[
        list[str] | None, typer.Option(help="Fingerprint of a first device; any other fails.")
    ] = None,
    data: Data = None,
    env_file: EnvFile = None,
) -> None:
    """Verify every entry, signature, version and the tree; writes nothing, exits 1 if not whole."""
    key = _public_key(checkpoint_name, checkpoint_key)
    if database is None:
        config = _config(data, env_file)
        database = config.database_url
        if key is None:
            signer = SigningKey(config.checkpoint_seed)
            key = CheckpointKey(config.checkpoint_name, signer.public)
    try:
        verified = verify_ledger(
            database, key=key, trusted_roots=frozenset(trusted_root) if trusted_root else None
        )
    except VerificationError as error:
        typer.echo(f"NOT VERIFIED: {error}.")
        raise typer.Exit(1) from None
    typer.echo(_worded(verified))


@demo_app.command("seed")
def demo_seed(*, data: Data = None, env_file: EnvFile = None) -> None:
    """Fill an empty workspace with clearly marked demo data."""
    if read_settings(env_file).production:
        raise SettingsError(["Demo data is not for production."])
    seeded = _with_services(_config(data, env_file), seed_demo)
    typer.echo("Demo data added." if seeded else "There is data already; nothing was added.")


def _config(data: Path | None, env_file: Path | None) -> BackendConfig:
    return folder_config(data.resolve()) if data else backend_config(read_settings(env_file))


def _with_services(
    config: BackendConfig, work: Callable[[Services], Coroutine[Any, Any, _T]]
) -> _T:
    services = build(config)
    try:
        return asyncio.run(work(services))
    finally:
        services.close()


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline(_MAX_LINE).rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _public_key(name: str, text: str | None) -> CheckpointKey | None:
    if text is None:
        return None
    try:
        public = base64.b64decode(text, validate=True)
    except ValueError:
        public = b""
    if len(public) != PUBLIC_BYTES:
        raise typer.BadParameter("the checkpoint key must be 32 bytes in base64")
    return CheckpointKey(name, public)


def _worded(verified: Verified) -> str:
    report = verified.report
    lines = [
        f"Verified: {report.size} entries, {report.decisions_verified} signed decisions.",
        f"Devices ever enrolled: {report.devices}",
        f"Root: {report.root.hex()}",
        *(f"First device: {root}" for root in report.root_fingerprints),
    ]
    if verified.checkpoint_size is None:
        lines.append("Checkpoint: not checked; there is none, or its public key was not given.")
    else:
        lines.append(f"Checkpoint: of {verified.checkpoint_size} entries, rightly signed.")
    return "\n".join(lines)
