"""Two hundred worlds in every run of the suite, and each seed is one story for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.simulator.play import Stage
from tests.simulator.run import digest_of, play_seeds

SEEDS = 200
PART = 10


@pytest.mark.req("4.2", "4.4")
@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_every_invariant_holds(stage: Stage, first: int) -> None:
    failures = play_seeds(stage, range(first, first + PART)).failures
    told = [f"{failure.message}: {failure.replay}" for failure in failures]
    assert told == [], "\n".join(line for failure in failures for line in failure.story)


def test_a_seed_is_the_same_story_again(stage: Stage) -> None:
    first, other, again = stage.play(7), stage.play(8), stage.play(7)
    assert first.story == again.story
    assert first.digest == again.digest != other.digest


def test_the_program_tells_the_same_story_in_another_process(stage: Stage) -> None:
    """Nothing rests on the order of hashes, on the clock or on what was played before."""
    command = [sys.executable, "-m", "tests.simulator", "--seeds", "3", "--first", "20"]
    env = os.environ | {"PYTHONHASHSEED": "4711"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    summary = json.loads(done.stdout.splitlines()[-1])
    digests = [stage.play(seed).digest for seed in range(20, 23)]
    assert (summary["simulate"], summary["seeds"], summary["failed"]) == ("ok", 3, 0)
    assert summary["digest"] == digest_of([digest_of(digests)])
