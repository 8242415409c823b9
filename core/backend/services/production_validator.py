"""`ProductionValidator`: what would stop a backend or endanger it, each with its remedy.

It looks at settings alone: nothing is opened, called or changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.backend.gateway.requests import is_public_https
from core.backend.gateway.sandbox.provider import is_sandbox_address
from core.backend.settings import KEY_BYTES, Settings, key_of, name_of

_MIN_SECRET = 16
_MIN_LETTERS = 8
# How placeholders begin, in samples and in files that nobody finished.
_PLACEHOLDERS = (
    "change", "default", "demo", "example", "password", "placeholder", "sandbox", "secret", "test",
    "your", "xxx",
)  # fmt: skip
_COMMON_PASSWORDS = frozenset({"admin", "bursar", "changeme", "password", "postgres", "secret"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in a sentence, and what to do about it, in another."""

    cause: str
    remedy: str

    @property
    def line(self) -> str:
        return f"{self.cause} {self.remedy}"


class ProductionValidator:
    """Judges settings; `findings` is empty where a backend may start with them.

    Some things are wrong anywhere (no keys, several nodes on SQLite); the rest only in production:
    no real money without live keys, nothing in plain text, no test mode, no sandbox, no debugging.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def findings(self) -> tuple[Finding, ...]:
        """All of them at once, in the order in which a person would mend them."""
        settings = self._settings
        found = [
            *_missing(settings), *_keys(settings), *_database(settings), *_address(settings),
            *_cards(settings),
        ]  # fmt: skip
        if settings.production:
            found += [*_no_play(settings), *_card_keys(settings), *_defaults(settings)]
        return tuple(found)


def _missing(settings: Settings) -> Iterator[Finding]:
    needed = {
        "database_url": "Give the database, such as postgresql+psycopg://...",
        "state_dir": "Give a folder outside of the database, for the last checkpoint.",
        "vault_keys": 'Give the keys of personal data, as {"<id>": "<32 bytes in base64>"}.',
        "email_index_key": "Give 32 random bytes in base64.",
        "checkpoint_key": "Give 32 random bytes in base64.",
    }
    for field, remedy in needed.items():
        if not getattr(settings, field):
            yield Finding(f"{name_of(field)} is not set.", remedy)


def _keys(settings: Settings) -> Iterator[Finding]:
    current = settings.vault_current
    if current is None and len(settings.vault_keys) > 1:
        yield Finding("BURSAR_VAULT_CURRENT is not set.", "Say which of the vault keys seals.")
    elif current is not None and settings.vault_keys and current not in settings.vault_keys:
        yield Finding("BURSAR_VAULT_CURRENT names none of the vault keys.", "Name one of them.")
    given: dict[str, SecretStr | None] = {
        **{f"{name_of('vault_keys')} {name}": key for name, key in settings.vault_keys.items()},
        name_of("email_index_key"): settings.email_index_key,
        name_of("checkpoint_key"): settings.checkpoint_key,
    }
    keys = {name: key_of(key) for name, key in given.items() if key is not None}
    for name, key in keys.items():
        if not _is_random(key):
            yield Finding(f"{name} is not {KEY_BYTES} random bytes in base64.", "Make it anew.")
    if len(set(keys.values())) < len(keys):
        yield Finding("Two keys are the same.", "Make each its own.")


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None:
        return
    url = _url(settings.database_url)
    if url is None:
        yield Finding(
            "BURSAR_DATABASE_URL is not a database address.",
            "Give one such as postgresql+psycopg://...",
        )
    elif url.get_backend_name() == "sqlite" and settings.nodes > 1:
        yield Finding("SQLite is for one node.", "Set BURSAR_DATABASE_URL to PostgreSQL.")


def _address(settings: Settings) -> Iterator[Finding]:
    url = settings.own_url
    if settings.production and not url.startswith("https://"):
        yield Finding(
            "BURSAR_PUBLIC_URL must begin with https:// in production.",
            "Give the address that people type; everything else travels in plain text.",
        )
    elif not url.startswith(("http://", "https://")):
        yield Finding(
            "BURSAR_PUBLIC_URL must begin with https:// (or http:// on this machine).",
            "Give the address that people type.",
        )
    elif not _is_origin(url):
        yield Finding(
            "BURSAR_PUBLIC_URL has more than a scheme, a host and a port.",
            "Leave out what comes after; Bursar has its host to itself.",
        )


def _cards(settings: Settings) -> Iterator[Finding]:
    if settings.card_provider == "none":
        return
    for field in ("card_app_id", "card_secret"):
        value: str | SecretStr | None = getattr(settings, field)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not (text or "").strip():
            yield Finding(f"{name_of(field)} is not set.", "Give it as the card provider shows it.")
    if settings.card_provider == "sandbox" and not is_sandbox_address(
        settings.card_sandbox_url or ""
    ):
        yield Finding(
            "BURSAR_CARD_SANDBOX_URL is not the address of a sandbox on this machine.",
            "Give it as http://127.0.0.1:<port>.",
        )
    if settings.environment == "demo" and settings.card_provider == "ikhokha":
        yield Finding(
            "The demo would take real money.", "Set BURSAR_CARD_PROVIDER to sandbox or none."
        )


def _no_play(settings: Settings) -> Iterator[Finding]:
    if settings.debug:
        yield Finding("BURSAR_DEBUG must be off in production.", "Set it to false.")
    if settings.card_provider == "none":
        yield Finding(
            "No card provider is set up.",
            "Set BURSAR_CARD_PROVIDER to ikhokha, with its app id and secret.",
        )
    if settings.card_provider == "sandbox" or settings.card_sandbox_url is not None:
        yield Finding(
            "The sandbox card provider is not for production: it approves without money.",
            "Set BURSAR_CARD_PROVIDER to ikhokha and remove BURSAR_CARD_SANDBOX_URL.",
        )
    if settings.card_mode != "live":
        yield Finding("Test mode is not for production.", "Set BURSAR_CARD_MODE to live.")
    if "*" in settings.trusted_proxies:
        yield Finding(
            "BURSAR_TRUSTED_PROXIES lets everybody claim any address.",
            "Name the addresses of your own proxies.",
        )


def _card_keys(settings: Settings) -> Iterator[Finding]:
    if settings.card_provider != "ikhokha":
        return
    for field in ("card_secret", "card_previous_secret"):
        secret: SecretStr | None = getattr(settings, field)
        if secret is not None and _is_weak(secret.get_secret_value().strip()):
            yield Finding(
                f"{name_of(field)} is short or a placeholder: anybody could sign callbacks.",
                "Give the secret that iKhokha issued.",
            )
    if _stripped(settings.card_previous_secret) == _stripped(settings.card_secret) != "":
        yield Finding(
            "BURSAR_CARD_PREVIOUS_SECRET is the current secret.",
            "Remove it, or give the one before.",
        )
    url = settings.own_url
    if url.startswith("https://") and _is_origin(url) and not is_public_https(url):
        yield Finding(
            "BURSAR_PUBLIC_URL is not a public address, so iKhokha cannot call back.",
            "Give the address by which the outside reaches this backend.",
        )


def _defaults(settings: Settings) -> Iterator[Finding]:
    url = _url(settings.database_url or "")
    password = str(url.password or "") if url is not None else ""
    if url is not None and password and password.lower() in _COMMON_PASSWORDS | {url.username}:
        yield Finding(
            "The password in BURSAR_DATABASE_URL is a common one.", "Give the database a new one."
        )


def _url(text: str) -> URL | None:
    try:
        return make_url(text)
    except ArgumentError:
        return None


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    bare = not (parts.path or parts.query or parts.fragment) and "@" not in parts.netloc
    return bare and bool(parts.hostname) and port != 0


def _stripped(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret is not None else ""


def _is_random(key: bytes) -> bool:
    """Long enough, and not one of the keys that people type: zeros, a repeated letter, a word."""
    return len(key) == KEY_BYTES and len(set(key)) > KEY_BYTES // 2


def _is_weak(secret: str) -> bool:
    """A secret that is empty is missing, which is another finding."""
    return bool(secret) and (
        len(secret) < _MIN_SECRET
        or len(set(secret)) < _MIN_LETTERS
        or secret.lower().startswith(_PLACEHOLDERS)
    )
