"""`bursar-backend sandbox` as a program of its own, used as the settings that it prints say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from core.backend.cli import main
from core.backend.gateway.ikpay import Credentials
from core.backend.gateway.sandbox.provider import SandboxProvider
from tests.backend.gateway.build import link_request


@pytest.fixture
def printed() -> Iterator[dict[str, str]]:
    """The settings that the program printed, while it runs."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    with subprocess.Popen(
        [sys.executable, "-m", "core.backend", "sandbox", "--port", "0"],
        env=clean, stdout=subprocess.PIPE, text=True,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        lines = [program.stdout.readline().strip() for _ in range(4)]
        try:
            yield dict(line.split("=", 1) for line in lines)
        finally:
            program.terminate()
            program.stdout.close()


async def test_a_payment_can_be_made_there(printed: dict[str, str]) -> None:
    assert printed["BURSAR_CARD_PROVIDER"] == "sandbox"
    app_id = printed["BURSAR_CARD_APP_ID"]
    keys = Credentials(
        app_id=app_id, secret=SecretStr(printed["BURSAR_CARD_SECRET"]), entity_id=app_id
    )
    provider = SandboxProvider(printed["BURSAR_CARD_SANDBOX_URL"], keys)
    try:
        link = await provider.create_link(link_request("http://127.0.0.1:9"))
        assert link.url == f"{printed['BURSAR_CARD_SANDBOX_URL']}/pay/{link.id}"
        assert (await provider.link_status(link.id)).word == "UNPAID"
    finally:
        await provider.aclose()


@pytest.mark.req("5.2")
def test_it_is_not_for_production(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BURSAR_ENVIRONMENT", "production")
    assert main(["sandbox", "--port", "0"]) == 1
    assert "not for production" in capsys.readouterr().err
