"""Settings from `BURSAR_*` variables or an environment file, checked before anything starts.

Nothing secret has a default: without its keys the backend refuses to start, a line for each cause.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from core.backend.embedded import load_or_create_secrets
from core.backend.services.container import BackendConfig

PREFIX = "BURSAR_"
KEY_BYTES = 32
DATABASE_FILE = "bursar.sqlite3"


class SettingsError(Exception):
    """The settings cannot be used. `causes`: one line each, with the remedy."""

    def __init__(self, causes: list[str]) -> None:
        super().__init__("\n".join(causes))
        self.causes = causes


class Settings(BaseSettings):
    """What may be set. Keys are 32 random bytes in base64; vault keys are `{"<id>": "<key>"}`.

    `public_url` is what people type; `nodes` is how many backends share the database.
    `trusted_proxies` may tell us a client's address.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = "development"
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


def _lines(error: ValidationError) -> list[str]:
    return [f"{_name(str(e['loc'][0]))} is not valid: {e['msg']}." for e in error.errors()]


def _name(field: str) -> str:
    return PREFIX + field.upper()


def backend_config(settings: Settings) -> BackendConfig:
    """The configuration of a backend that is run by people. Raises SettingsError."""
    causes = _missing(settings) or [*_bad_values(settings), *_not_for_production(settings)]
    if causes or settings.database_url is None or settings.state_dir is None:
        raise SettingsError(causes)
    return BackendConfig(
        database_url=settings.database_url,
        state_dir=settings.state_dir,
        vault_current=settings.vault_current or next(iter(settings.vault_keys)),
        vault_keys={name: _key(text) for name, text in settings.vault_keys.items()},
        email_index_key=_key(settings.email_index_key),
        checkpoint_seed=_key(settings.checkpoint_key),
        checkpoint_name=settings.checkpoint_name,
        public_url=settings.own_url,
        allowed_origins=frozenset({settings.own_url}),
    )


def folder_config(
    folder: Path, *, public_url: str = "http://127.0.0.1", embedded_token: str | None = None
) -> BackendConfig:
    """The configuration of a data folder with its own database and its own keys.

    Raises EmbeddedError where the folder's keys cannot be read, SettingsError in production.
    """
    if os.environ.get(f"{PREFIX}ENVIRONMENT") == "production":
        raise SettingsError(["A data folder with keys of its own is not for production."])
    secrets = load_or_create_secrets(folder)
    return BackendConfig(
        database_url=f"sqlite:///{folder / DATABASE_FILE}",
        state_dir=folder,
        vault_current="folder",
        vault_keys={"folder": base64.b64decode(secrets.vault_key)},
        email_index_key=base64.b64decode(secrets.email_index_key),
        checkpoint_seed=base64.b64decode(secrets.checkpoint_key),
        embedded_token=embedded_token,
        public_url=public_url,
        allowed_origins=frozenset({public_url, public_url.replace("127.0.0.1", "localhost")}),
    )


def _missing(settings: Settings) -> list[str]:
    needed = {
        "database_url": "the database, such as postgresql+psycopg://...",
        "state_dir": "a folder outside of the database, for the last checkpoint",
        "vault_keys": 'the keys of personal data, as {"<id>": "<32 bytes in base64>"}',
        "email_index_key": "32 random bytes in base64",
        "checkpoint_key": "32 random bytes in base64",
    }
    return [
        f"{_name(field)} is not set: {what}."
        for field, what in needed.items()
        if not getattr(settings, field)
    ]


def _bad_values(settings: Settings) -> list[str]:
    causes = []
    current = settings.vault_current
    if current is None and len(settings.vault_keys) > 1:
        causes.append("BURSAR_VAULT_CURRENT is not set: which of the vault keys seals.")
    elif current is not None and current not in settings.vault_keys:
        causes.append("BURSAR_VAULT_CURRENT names none of the vault keys.")
    keys = {
        **{f"{_name('vault_keys')} {name}": key for name, key in settings.vault_keys.items()},
        _name("email_index_key"): settings.email_index_key,
        _name("checkpoint_key"): settings.checkpoint_key,
    }
    causes += [
        f"{name} is not {KEY_BYTES} random bytes in base64: make it anew."
        for name, key in keys.items()
        if not _is_random(_key(key))
    ]
    if len({_key(key) for key in keys.values()}) < len(keys):
        causes.append("Two keys are the same: each must be its own.")
    if _engine(settings) is None:
        causes.append("BURSAR_DATABASE_URL is not a database address.")
    if not settings.own_url.startswith(("http://", "https://")):
        causes.append("BURSAR_PUBLIC_URL must begin with https:// (or http:// on this machine).")
    return causes


def _not_for_production(settings: Settings) -> list[str]:
    causes = []
    if _engine(settings) == "sqlite" and settings.nodes > 1:
        causes.append("SQLite is for one node: set BURSAR_DATABASE_URL to PostgreSQL.")
    if not settings.production:
        return causes
    if not settings.own_url.startswith("https://"):
        causes.append("BURSAR_PUBLIC_URL must begin with https:// in production.")
    if settings.debug:
        causes.append("BURSAR_DEBUG must be off in production.")
    return causes


def _engine(settings: Settings) -> str | None:
    try:
        return make_url(settings.database_url or "").get_backend_name()
    except ArgumentError:
        return None


def _key(secret: SecretStr | None) -> bytes:
    """The bytes of a key; empty where it is none."""
    try:
        return base64.b64decode(secret.get_secret_value() if secret else "", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_random(key: bytes) -> bool:
    """Long enough, and not one of the keys that people type: zeros, a repeated letter, a word."""
    return len(key) == KEY_BYTES and len(set(key)) > KEY_BYTES // 2
