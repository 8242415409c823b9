"""Broken builds are caught, each by the rule that is about its mistake: no rule without a build.

Every change of the product makes other stories of the seeds, so that `SEEDS` leaves room.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.simulator import invariants
from tests.simulator.play import Stage
from tests.simulator.run import simulate
from tests.simulator.sabotage import CONTROLS, Control
from tests.simulator.sabotage_backend import GrantWithoutApproval

SEEDS = 120


@pytest.fixture
def quiet_signer() -> Iterator[None]:
    """What the backend logs as it finds itself altered is not under test here."""
    log = logging.getLogger("core.backend.services")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


@pytest.mark.usefixtures("quiet_signer")
@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.build.__name__)
def test_a_broken_build_is_caught(stage: Stage, control: Control) -> None:
    for seed in range(control.first, control.first + SEEDS):
        broken = stage.play(seed, control.build()).broken
        if broken is not None and broken.rule == control.rule.__name__:
            return  # some mistakes break more than one rule
    pytest.fail(f"{control.rule.__name__} noticed nothing in {SEEDS} worlds")


def test_every_rule_of_every_invariant_has_its_broken_build() -> None:
    aimed = {control.rule for control in CONTROLS}
    assert aimed == {*invariants.ALWAYS, *invariants.OF_EACH, *invariants.AT_THE_END}


def test_a_failure_tells_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.simulator.play.Build", GrantWithoutApproval)
    assert simulate(seeds=1, first=3, jobs=1) == 1
    told = capsys.readouterr().out
    assert f"seed 3 broke: {invariants.ACCESS}" in told
    assert "see it again: make simulate SEEDS=1 FIRST=3" in told
    assert told.splitlines()[-1].startswith('{"simulate": "failed", "seeds": 1, "first": 3')
