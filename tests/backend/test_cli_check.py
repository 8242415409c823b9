"""`bursar-backend check` and `serve`: what is wrong is told, and nothing starts."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from core.backend.cli import main
from core.backend.serving import migrate_alone


def _key(seed: int) -> str:
    return base64.b64encode(bytes((seed + 7 * i) % 256 for i in range(32))).decode()


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The environment of a good production backend; the file of its database, not made yet."""
    for name in list(os.environ):
        if name.startswith("BURSAR_"):
            monkeypatch.delenv(name)
    database = tmp_path / "bursar.sqlite3"
    values = {
        "ENVIRONMENT": "production",
        "PUBLIC_URL": "https://pay.college.co.za",
        "DATABASE_URL": f"sqlite:///{database}",
        "STATE_DIR": str(tmp_path / "state"),
        "VAULT_KEYS": json.dumps({"first": _key(1)}),
        "EMAIL_INDEX_KEY": _key(2),
        "CHECKPOINT_KEY": _key(3),
        "CARD_PROVIDER": "ikhokha",
        "CARD_APP_ID": "IK7QX2M9",
        "CARD_SECRET": "kJ8sd0Qm2VzXr71TnYbW5cLpA3uHgE9f",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"BURSAR_{name}", value)
    return database


def test_what_is_in_order_is_said_so(production: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 1
    assert "no database yet" in capsys.readouterr().err
    assert not production.exists()
    migrate_alone(f"sqlite:///{production}")
    assert main(["check"]) == 0
    said = capsys.readouterr().out
    assert said == "In order: production, https://pay.college.co.za, cards by ikhokha.\n"


@pytest.mark.req("5.2", "5.3")
@pytest.mark.parametrize("command", ["check", "serve"])
def test_all_that_is_wrong_is_told_and_nothing_starts(
    production: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    bad = {
        "CARD_PROVIDER": "sandbox",
        "CARD_SANDBOX_URL": "http://127.0.0.1:8410",
        "CARD_MODE": "test",
        "PUBLIC_URL": "http://pay.college.co.za",
        "DEBUG": "true",
        "NODES": "2",
        "CHECKPOINT_KEY": base64.b64encode(bytes(32)).decode(),
    }
    for name, value in bad.items():
        monkeypatch.setenv(f"BURSAR_{name}", value)
    assert main([command]) == 1
    said = capsys.readouterr()
    lines = (said.out or said.err).splitlines()
    for part in (
        "sandbox", "BURSAR_CARD_MODE", "https://", "BURSAR_DEBUG", "PostgreSQL", "32 random bytes",
    ):  # fmt: skip
        assert sum(part in line for line in lines) == 1, (part, lines)
    assert len(lines) == 6
    assert not production.exists()


def test_a_value_that_cannot_be_read(
    production: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BURSAR_NODES", "many")
    assert main(["check"]) == 1
    assert capsys.readouterr().err.startswith("BURSAR_NODES is not valid")
    assert not production.exists()
