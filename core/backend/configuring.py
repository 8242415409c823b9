"""From settings, or from a data folder, to what the backend is built from."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from core.backend.embedded import load_or_create_secrets
from core.backend.gateway.choice import CardConfig
from core.backend.gateway.ikpay import Credentials
from core.backend.services.container import BackendConfig
from core.backend.services.production_validator import ProductionValidator
from core.backend.services.webhooks import CallbackKeys
from core.backend.settings import PREFIX, Settings, SettingsError, key_of

DATABASE_FILE = "bursar.sqlite3"


def backend_config(settings: Settings) -> BackendConfig:
    """The configuration of a backend that is run by people, without its card provider.

    Raises SettingsError.
    """
    causes = [finding.line for finding in ProductionValidator(settings).findings()]
    if causes or settings.database_url is None or settings.state_dir is None:
        raise SettingsError(causes)
    return BackendConfig(
        database_url=settings.database_url,
        state_dir=settings.state_dir,
        vault_current=settings.vault_current or next(iter(settings.vault_keys)),
        vault_keys={name: key_of(text) for name, text in settings.vault_keys.items()},
        email_index_key=key_of(settings.email_index_key),
        checkpoint_seed=key_of(settings.checkpoint_key),
        checkpoint_name=settings.checkpoint_name,
        public_url=settings.own_url,
        allowed_origins=frozenset({settings.own_url}),
        callback_keys=callback_keys(card_config(settings)),
        production=settings.production,
    )


def card_config(settings: Settings) -> CardConfig:
    """The card provider of settings in which nothing was found wrong."""
    app_id, secret = settings.card_app_id, settings.card_secret
    if settings.card_provider == "none" or app_id is None or secret is None:
        return CardConfig()
    return CardConfig(
        provider=settings.card_provider,
        mode=settings.card_mode,
        credentials=Credentials(
            app_id=app_id, secret=secret, entity_id=settings.card_entity_id or app_id
        ),
        previous_secret=settings.card_previous_secret,
        sandbox_address=settings.card_sandbox_url,
    )


def callback_keys(cards: CardConfig) -> CallbackKeys | None:
    """What callbacks are checked by; None where no provider calls back."""
    if cards.credentials is None:
        return None
    return CallbackKeys(app_id=cards.credentials.app_id, secrets=cards.callback_secrets)


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
