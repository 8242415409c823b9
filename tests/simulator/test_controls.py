"""Broken builds are caught, each by the invariant that is about its mistake."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.simulator import invariants, sabotage
from tests.simulator.play import Stage
from tests.simulator.run import simulate
from tests.simulator.sabotage import CONTROLS, Control

SEEDS = range(3, 63)  # some mistakes need bad luck to show


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
    for seed in SEEDS:
        broken = stage.play(seed, control.build()).broken
        if broken is not None:
            assert broken.invariant == control.invariant, broken.message
            return
    pytest.fail(f"nothing was noticed in {len(SEEDS)} worlds")


def test_every_invariant_has_its_broken_build() -> None:
    aimed = {control.invariant for control in CONTROLS}
    assert aimed == {*invariants.ALWAYS, *invariants.AT_THE_END}


def test_a_failure_tells_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.simulator.play.Build", sabotage.GrantWithoutApproval)
    assert simulate(seeds=1, first=3, jobs=1) == 1
    told = capsys.readouterr().out
    assert f"seed 3 broke: {invariants.ACCESS}" in told
    assert "see it again: make simulate SEEDS=1 FIRST=3" in told
    assert told.splitlines()[-1].startswith('{"simulate": "failed", "seeds": 1, "first": 3')
