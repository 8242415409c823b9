"""`bursar-backend`: serve, migrate, and what an administrator does at the machine itself.

Every command works on the backend that the settings (`BURSAR_*`) describe, or with `--data` on a
data folder such as the console's own backend uses.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from core.backend import serving
from core.backend.cli_house import devices_app, user_app, workspace_app
from core.backend.cli_sandbox import sandbox
from core.backend.cli_shared import Data, EnvFile, config_of, with_services
from core.backend.cli_webhooks import webhooks_app
from core.backend.embedded import EmbeddedError
from core.backend.ledger_check import CannotReadError, CheckpointKey, Verified, verify_ledger
from core.backend.services.demo import seed_demo
from core.backend.services.errors import ServiceError
from core.backend.services.production_validator import ProductionValidator
from core.backend.settings import SettingsError, read_settings
from core.backend.storage.errors import StorageError
from core.ledger.errors import VerificationError
from core.ledger.keys import PUBLIC_BYTES, SigningKey

EXPECTED = (
    SettingsError, EmbeddedError, CannotReadError, ServiceError, StorageError,
    serving.StartError,
)  # fmt: skip

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger.")
demo_app = typer.Typer(no_args_is_help=True, help="Demo data.")
for name, part in (
    ("user", user_app), ("devices", devices_app), ("workspace", workspace_app),
    ("ledger", ledger_app), ("webhooks", webhooks_app), ("demo", demo_app),
):  # fmt: skip
    app.add_typer(part, name=name)
app.command()(sandbox)


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
    serving.migrate_alone(config_of(data, env_file).database_url)
    typer.echo("The database is up to date.")


@app.command()
def check(*, env_file: EnvFile = None) -> None:
    """Name all that would stop or endanger this backend, with what to do; changes nothing."""
    settings = read_settings(env_file)
    findings = ProductionValidator(settings).findings()
    for finding in findings:
        typer.echo(finding.line)
    if findings:
        raise typer.Exit(1)
    serving.check_database(settings.database_url or "")
    cards = "no cards" if settings.card_provider == "none" else f"cards by {settings.card_provider}"
    typer.echo(f"In order: {settings.environment}, {settings.own_url}, {cards}.")


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
        config = config_of(data, env_file)
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
    seeded = with_services(config_of(data, env_file), seed_demo)
    typer.echo("Demo data added." if seeded else "There is data already; nothing was added.")


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
