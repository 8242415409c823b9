"""`bursar-backend sandbox`: a card provider to play with, for developers and the demo."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from core.backend.cli_shared import EnvFile
from core.backend.gateway.sandbox.sandbox import Sandbox, SandboxKeys, new_keys
from core.backend.gateway.sandbox.server import serving
from core.backend.settings import Settings, SettingsError, read_settings


def sandbox(
    *,
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8410,
    env_file: EnvFile = None,
) -> None:
    """Run a card provider that moves no money, until it is stopped; it forgets everything.

    It prints the settings of a backend that uses it. Its keys are new each time, unless the
    settings name some.
    """
    settings = read_settings(env_file)
    if settings.production:
        raise SettingsError(["The sandbox card provider is not for production."])
    try:
        asyncio.run(_serve(_keys(settings), port))
    except KeyboardInterrupt:
        typer.echo("The sandbox has ended.", err=True)


async def _serve(keys: SandboxKeys, port: int) -> None:
    async with serving(Sandbox(keys), port=port) as address:
        typer.echo(
            "BURSAR_CARD_PROVIDER=sandbox\n"
            f"BURSAR_CARD_SANDBOX_URL={address}\n"
            f"BURSAR_CARD_APP_ID={keys.app_id}\n"
            f"BURSAR_CARD_SECRET={keys.secret}\n"
            f"# Steering it: Authorization: Bearer {keys.control_token}"
        )
        await asyncio.Event().wait()


def _keys(settings: Settings) -> SandboxKeys:
    made = new_keys()
    app_id, secret = settings.card_app_id, settings.card_secret
    if settings.card_provider != "sandbox" or app_id is None or secret is None:
        return made
    return SandboxKeys(
        app_id=app_id, secret=secret.get_secret_value(), control_token=made.control_token
    )
