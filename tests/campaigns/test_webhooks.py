"""A small campaign of hostile callbacks, and that a broken backend would be found by it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.backend.gateway.provider import LinkStatus
from tests.backend.webhooks.till import Till
from tests.campaigns.webhooks import Report, Sabotage, run
from tests.support.live_template import Template
from tests.support.watch import ExpectedLogs

ANY = "."  # floods are logged, and bugs of the sabotaged ones


@pytest.mark.req("5.4", "8.1", "8.2", "8.4")
def test_hostile_callbacks_have_no_effect(
    sqlite_template: Template, tmp_path: Path, expected_logs: ExpectedLogs
) -> None:
    with expected_logs(ANY):
        report = run(sqlite_template, tmp_path / "till", callbacks=2_000)
    assert report.fine, "\n".join([*report.wrong, *report.effects])
    assert sum(report.answers.values()) == 2_000
    assert set(report.answers) == {"200", "401", "404", "413"}
    assert len(report.kinds) == 14
    assert json.loads(report.json())["wrong_effects"] == 0


def _believes_everybody(till: Till) -> None:
    handler = till.backend.services.webhooks
    assert handler is not None
    handler._problem = _none  # type: ignore[method-assign]  # the sabotage


def _none(raw: bytes, signature: str | None, app_id: str | None) -> None:
    """No problem at all."""


def _believes_the_callback(till: Till) -> None:
    """As if what it claims were the fact."""
    provider = till.cards.provider
    status = provider.link_status

    async def always_paid(link_id: str) -> LinkStatus:
        return replace(await status(link_id), paid=True)

    provider.link_status = always_paid  # type: ignore[method-assign]  # the sabotage


@pytest.mark.parametrize("sabotage", [_believes_everybody, _believes_the_callback])
def test_a_broken_backend_is_found(
    sqlite_template: Template, tmp_path: Path, expected_logs: ExpectedLogs, sabotage: Sabotage
) -> None:
    with expected_logs(ANY):
        report: Report = run(
            sqlite_template, tmp_path / "till", callbacks=300, pupils=6, sabotage=sabotage
        )
    assert not report.fine
    assert any(why.startswith("nothing") for why in report.effects), report.effects
