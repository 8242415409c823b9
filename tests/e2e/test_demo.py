"""`make demo` as a test: the real programs, started as a newcomer starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.req("2.3", "2.4", "3.1", "3.4", "4.1", "4.3", "4.4")
def test_the_main_job_without_a_person(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.demo"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    last = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert last["demo"] == "ok"
    assert last["ledger_verified"] is True
    assert last["ledger_size"] > 20
    shots = {path.name for path in (tmp_path / "build" / "demo").glob("*.png")}
    assert {"pending-light.png", "pending-dark.png"} <= shots
