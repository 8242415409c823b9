"""What may not start in production, each cause in one line with its remedy."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.backend.services.production_validator import ProductionValidator
from core.backend.settings import Settings

CARD_SECRET = "kJ8sd0Qm2VzXr71TnYbW5cLpA3uHgE9f"


def _key(seed: int) -> SecretStr:
    return SecretStr(base64.b64encode(bytes((seed + 7 * i) % 256 for i in range(32))).decode())


def _settings(**changes: Any) -> Settings:
    good: dict[str, Any] = {
        "environment": "production",
        "public_url": "https://pay.college.co.za",
        "database_url": "postgresql+psycopg://bursar@/bursar",
        "nodes": 2,
        "state_dir": Path("state"),
        "vault_keys": {"first": _key(1)},
        "vault_current": "first",
        "email_index_key": _key(2),
        "checkpoint_key": _key(3),
        "card_provider": "ikhokha",
        "card_app_id": "IK7QX2M9",
        "card_secret": SecretStr(CARD_SECRET),
    }
    # Built without the surroundings: nothing of this machine's own environment comes in.
    return Settings.model_construct(**good | changes)


def _lines(**changes: Any) -> list[str]:
    return [finding.line for finding in ProductionValidator(_settings(**changes)).findings()]


def test_good_settings_are_good() -> None:
    assert _lines() == []
    assert _lines(card_previous_secret=SecretStr("mP4xQ9rT2wZ7yB5nK8vL3cF6")) == []
    assert _lines(database_url="postgresql+psycopg://bursar:q7Lm20xPz@db/bursar") == []
    assert _lines(database_url="sqlite:////var/bursar.sqlite3", nodes=1) == []


@pytest.mark.req("5.1", "5.2", "5.3")
@pytest.mark.parametrize(
    ("changes", "cause", "remedy"),
    [
        ({"card_mode": "test"}, "Test mode is not for production", "BURSAR_CARD_MODE to live"),
        (
            {"card_sandbox_url": "http://127.0.0.1:8410"},
            "sandbox card provider is not for production",
            "remove BURSAR_CARD_SANDBOX_URL",
        ),
        (
            {"card_provider": "sandbox", "card_sandbox_url": "http://127.0.0.1:8410"},
            "sandbox card provider is not for production",
            "BURSAR_CARD_PROVIDER to ikhokha",
        ),
        ({"card_provider": "none"}, "No card provider", "BURSAR_CARD_PROVIDER to ikhokha"),
        ({"card_app_id": None}, "BURSAR_CARD_APP_ID is not set", "as the card provider shows it"),
        ({"card_secret": None}, "BURSAR_CARD_SECRET is not set", "as the card provider shows it"),
        ({"card_secret": SecretStr(" ")}, "BURSAR_CARD_SECRET is not set", "Give it"),
        ({"card_secret": SecretStr("k8Zq2")}, "BURSAR_CARD_SECRET is short", "iKhokha issued"),
        ({"card_secret": SecretStr("change-me-to-your-secret")}, "a placeholder", "iKhokha issued"),
        ({"card_secret": SecretStr("ab" * 16)}, "a placeholder", "iKhokha issued"),
        (
            {"card_previous_secret": SecretStr("test-secret-0123456789abcdef")},
            "BURSAR_CARD_PREVIOUS_SECRET is short or a placeholder",
            "iKhokha issued",
        ),
        (
            {"card_previous_secret": SecretStr(f" {CARD_SECRET}\n")},
            "is the current secret",
            "Remove it",
        ),
        ({"public_url": "http://pay.college.co.za"}, "begin with https:// in production", "plain"),
        ({"public_url": "ws://pay.college.co.za"}, "begin with https:// in production", "plain"),
        ({"public_url": None}, "begin with https:// in production", "Give the address"),
        ({"public_url": "https://localhost"}, "not a public address", "the outside reaches"),
        ({"public_url": "https://10.1.2.3"}, "not a public address", "the outside reaches"),
        ({"public_url": "https://pay.college.co.za/pay"}, "more than a scheme", "Leave out"),
        ({"public_url": "https://me@pay.college.co.za"}, "more than a scheme", "Leave out"),
        ({"debug": True}, "BURSAR_DEBUG must be off", "false"),
        ({"database_url": "sqlite:///bursar.sqlite3"}, "SQLite is for one node", "PostgreSQL"),
        (
            {"database_url": "postgresql+psycopg://bursar:postgres@db/bursar"},
            "password in BURSAR_DATABASE_URL is a common one",
            "new one",
        ),
        (
            {"database_url": "postgresql+psycopg://money:money@db/bursar"},
            "password in BURSAR_DATABASE_URL is a common one",
            "new one",
        ),
        ({"trusted_proxies": ("*",)}, "everybody claim any address", "Name the addresses"),
        (
            {"checkpoint_key": SecretStr(base64.b64encode(b"x" * 32).decode())},
            "BURSAR_CHECKPOINT_KEY is not 32 random bytes",
            "Make it anew",
        ),
    ],
    ids=str,
)
def test_each_cause_is_one_line_with_its_remedy(
    changes: dict[str, Any], cause: str, remedy: str
) -> None:
    lines = _lines(**changes)
    wanted = [line for line in lines if cause in line]
    assert len(wanted) == 1, lines
    assert remedy in wanted[0]
    assert "\n" not in wanted[0]
    assert len(lines) == 1


@pytest.mark.req("5.3")
def test_all_causes_are_told_at_once_and_no_secret_with_them() -> None:
    weak = "change-me-please-now"
    lines = _lines(
        card_mode="test", card_sandbox_url="http://127.0.0.1:1", card_secret=SecretStr(weak),
        public_url="http://pay.college.co.za", debug=True, database_url="sqlite:///b.sqlite3",
    )  # fmt: skip
    assert len(lines) == 6
    assert weak not in "".join(lines)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"debug": True, "public_url": "http://127.0.0.1:8400", "nodes": 1}, None),
        ({"card_provider": "none"}, None),
        ({"card_mode": "test"}, None),
        ({"card_provider": "sandbox", "card_sandbox_url": "http://127.0.0.1:8410"}, None),
        ({"card_provider": "sandbox"}, "BURSAR_CARD_SANDBOX_URL is not the address"),
        (
            {"card_provider": "sandbox", "card_sandbox_url": "https://api.ikhokha.com"},
            "BURSAR_CARD_SANDBOX_URL is not the address",
        ),
        ({"card_secret": None}, "BURSAR_CARD_SECRET is not set"),
        ({"environment": "demo"}, "The demo would take real money"),
        ({"environment": "demo", "card_provider": "none"}, None),
        ({"database_url": "sqlite:///b.sqlite3"}, "SQLite is for one node"),
    ],
    ids=str,
)
def test_developers_may_do_more(changes: dict[str, Any], said: str | None) -> None:
    lines = _lines(**{"environment": "development"} | changes)
    assert len(lines) == (said is not None)
    assert said is None or said in lines[0]
