"""Settings from `BURSAR_*` variables or an environment file.

Nothing secret has a default. `services/production_validator.py` says whether they are safe to run
with, `configuring.py` makes of them what the backend is built from.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError

from core.backend.gateway.choice import CardChoice, CardMode

PREFIX = "BURSAR_"
KEY_BYTES = 32


class SettingsError(Exception):
    """The settings cannot be used. `causes`: one line each, with the remedy."""

    def __init__(self, causes: list[str]) -> None:
        super().__init__("\n".join(causes))
        self.causes = causes


class Settings(BaseSettings):
    """What may be set. Keys are 32 random bytes in base64; vault keys are `{"<id>": "<key>"}`.

    `public_url` is what people type, and where the card provider calls back; `nodes` is how many
    backends share the database. `trusted_proxies` may tell us a client's address. The card secrets
    are as the provider gave them; `card_entity_id` is the app id unless the provider says
    otherwise.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    environment: Literal["development", "demo", "production"] = "development"
    debug: bool = False
    nodes: int = Field(default=1, ge=1, le=100)
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=0, le=65535)
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    database_url: str | None = None
    state_dir: Path | None = None
    log_file: Path | None = None
    vault_keys: dict[str, SecretStr] = Field(default_factory=dict)
    vault_current: str | None = None
    email_index_key: SecretStr | None = None
    checkpoint_key: SecretStr | None = None
    checkpoint_name: str = Field(default="bursar/ledger", pattern=r"^[^\s+]{1,200}$")
    card_provider: CardChoice = "none"
    card_mode: CardMode = "live"
    card_app_id: str | None = Field(default=None, pattern=r"^[!-~]{1,200}$")
    card_secret: SecretStr | None = None
    card_previous_secret: SecretStr | None = None
    card_entity_id: str | None = Field(default=None, pattern=r"^[ -~]{1,200}$")
    card_sandbox_url: str | None = None

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def own_url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def read_settings(env_file: Path | None = None) -> Settings:
    """The settings of this process; variables win over the file. Raises SettingsError."""
    if env_file is not None and not env_file.is_file():
        raise SettingsError([f"There is no environment file {env_file}."])
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        raise SettingsError(_lines(error)) from None
    except UnreadableError as error:
        raise SettingsError([f"A setting cannot be read: {error}."]) from None


def name_of(field: str) -> str:
    """The variable of a setting."""
    return PREFIX + field.upper()


def key_of(secret: SecretStr | None) -> bytes:
    """The bytes of a key; empty where it is none."""
    try:
        return base64.b64decode(secret.get_secret_value() if secret else "", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _lines(error: ValidationError) -> list[str]:
    return [f"{name_of(str(e['loc'][0]))} is not valid: {e['msg']}." for e in error.errors()]
