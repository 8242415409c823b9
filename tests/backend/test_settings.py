"""Settings: what is refused, a line for each cause, and what comes out."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from core.backend.configuring import backend_config, card_config, folder_config
from core.backend.gateway.choice import CardConfig
from core.backend.settings import Settings, SettingsError, read_settings


def _key(seed: int) -> str:
    return base64.b64encode(bytes((seed + 7 * i) % 256 for i in range(32))).decode()


CARD_SECRET = "kJ8sd0Qm2VzXr71TnYbW5cLpA3uHgE9f"
GOOD = {
    "BURSAR_DATABASE_URL": "sqlite:////var/lib/bursar/bursar.sqlite3",
    "BURSAR_STATE_DIR": "/var/lib/bursar",
    "BURSAR_VAULT_KEYS": json.dumps({"first": _key(1)}),
    "BURSAR_EMAIL_INDEX_KEY": _key(2),
    "BURSAR_CHECKPOINT_KEY": _key(3),
}
PRODUCTION = GOOD | {
    "BURSAR_ENVIRONMENT": "production",
    "BURSAR_PUBLIC_URL": "https://pay.example.co.za",
    "BURSAR_CARD_PROVIDER": "ikhokha",
    "BURSAR_CARD_APP_ID": "IK7QX2M9",
    "BURSAR_CARD_SECRET": CARD_SECRET,
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("BURSAR_"):
            monkeypatch.delenv(name)


def _read(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return read_settings()


def _causes(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        backend_config(_read(monkeypatch, values))
    assert str(refused.value) == "\n".join(refused.value.causes)
    assert all("\n" not in cause for cause in refused.value.causes)
    return refused.value.causes


def test_nothing_set_is_refused_with_a_line_for_each_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    causes = _causes(monkeypatch, {})
    for name in GOOD:
        assert any(cause.startswith(f"{name} is not set") for cause in causes)
    assert len(causes) == len(GOOD)


def test_good_settings_make_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    config = backend_config(_read(monkeypatch, PRODUCTION))
    assert config.vault_current == "first"
    assert config.vault_keys["first"] == base64.b64decode(_key(1))
    assert config.public_url == "https://pay.example.co.za"
    assert config.allowed_origins == {"https://pay.example.co.za"}
    assert config.embedded_token is None


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _read(monkeypatch, PRODUCTION)
    shown = repr(settings) + repr(backend_config(settings)) + repr(card_config(settings))
    assert CARD_SECRET not in shown
    for seed in (1, 2, 3):
        assert _key(seed) not in shown
        assert repr(base64.b64decode(_key(seed))) not in shown


def test_the_card_provider_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert card_config(_read(monkeypatch, GOOD)) == CardConfig()
    previous = {"BURSAR_CARD_PREVIOUS_SECRET": "the-secret-before"}
    config = card_config(_read(monkeypatch, PRODUCTION | previous))
    assert (config.provider, config.mode) == ("ikhokha", "live")
    assert config.callback_secrets == (CARD_SECRET, "the-secret-before")
    assert config.credentials is not None
    assert (config.credentials.app_id, config.credentials.entity_id) == ("IK7QX2M9", "IK7QX2M9")
    other = card_config(_read(monkeypatch, {"BURSAR_CARD_ENTITY_ID": "College 7"}))
    assert other.credentials is not None
    assert other.credentials.entity_id == "College 7"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"BURSAR_CHECKPOINT_KEY": "short"}, "BURSAR_CHECKPOINT_KEY is not 32 random bytes"),
        (
            {"BURSAR_CHECKPOINT_KEY": base64.b64encode(bytes(32)).decode()},
            "BURSAR_CHECKPOINT_KEY is not 32 random bytes",
        ),
        (
            {"BURSAR_EMAIL_INDEX_KEY": base64.b64encode(b"change-me" * 3 + b"-----").decode()},
            "BURSAR_EMAIL_INDEX_KEY is not 32 random bytes",
        ),
        ({"BURSAR_VAULT_KEYS": '{"first": "AAAA"}'}, "BURSAR_VAULT_KEYS first is not 32"),
        ({"BURSAR_CHECKPOINT_KEY": _key(2)}, "Two keys are the same"),
        ({"BURSAR_VAULT_CURRENT": "second"}, "names none of the vault keys"),
        (
            {"BURSAR_VAULT_KEYS": json.dumps({"a": _key(4), "b": _key(5)})},
            "BURSAR_VAULT_CURRENT is not set",
        ),
        ({"BURSAR_DATABASE_URL": "nonsense"}, "BURSAR_DATABASE_URL is not a database"),
        ({"BURSAR_PUBLIC_URL": "ftp://pay"}, "BURSAR_PUBLIC_URL must begin with https://"),
        ({"BURSAR_NODES": "2"}, "SQLite is for one node"),
    ],
)
def test_a_bad_value_is_named(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], said: str
) -> None:
    causes = _causes(monkeypatch, GOOD | changes)
    assert len(causes) == 1
    assert said in causes[0]


@pytest.mark.req("5.3")
def test_production_refuses_all_that_it_must_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {
        "BURSAR_PUBLIC_URL": "http://pay.example.co.za",
        "BURSAR_DEBUG": "true",
        "BURSAR_NODES": "3",
        "BURSAR_CHECKPOINT_KEY": base64.b64encode(b"x" * 32).decode(),
    }
    causes = _causes(monkeypatch, PRODUCTION | bad)
    for said in ("https://", "BURSAR_DEBUG", "SQLite", "BURSAR_CHECKPOINT_KEY"):
        assert any(said in cause for cause in causes), said
    assert len(causes) == len(bad)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BURSAR_PORT", "70000"),
        ("BURSAR_ENVIRONMENT", "prod"),
        ("BURSAR_DEBUG", "perhaps"),
        ("BURSAR_CHECKPOINT_NAME", "with space"),
        ("BURSAR_VAULT_KEYS", "not json"),
        ("BURSAR_CARD_PROVIDER", "other"),
        ("BURSAR_CARD_MODE", "LIVE"),
        ("BURSAR_CARD_APP_ID", "with space"),
        ("BURSAR_CARD_ENTITY_ID", "line\nbreak"),
    ],
)
def test_a_value_of_a_wrong_kind_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        _read(monkeypatch, GOOD | {name: value})
    assert len(refused.value.causes) == 1
    assert name.removeprefix("BURSAR_").lower() in refused.value.causes[0].lower()


def test_an_environment_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "bursar.env"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in GOOD.items()))
    monkeypatch.setenv("BURSAR_STATE_DIR", "/elsewhere")
    config = backend_config(read_settings(file))
    assert config.state_dir == Path("/elsewhere")  # what is set in the environment wins
    assert config.vault_current == "first"
    with pytest.raises(SettingsError, match="no environment file"):
        read_settings(tmp_path / "nowhere.env")


def test_a_folder_with_keys_of_its_own_is_not_for_production(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, again = folder_config(tmp_path), folder_config(tmp_path)
    assert first.vault_keys == again.vault_keys
    assert first.checkpoint_seed == again.checkpoint_seed
    monkeypatch.setenv("BURSAR_ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match="not for production"):
        folder_config(tmp_path)
