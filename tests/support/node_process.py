"""A backend node as people run it: `bursar-backend serve` in a process of its own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from core.backend.web.server import bind
from tests.support.live_template import live_config
from tests.support.waiting import wait_until

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class NodeProcess:
    """`kill` is for the test that wants it dead at once; it is ended anyhow. `errors`: a file of
    what it says on standard error.
    """

    url: str
    process: subprocess.Popen[bytes]
    errors: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)


def node_environment(folder: Path, port: int) -> dict[str, str]:
    """The settings of a node whose keys and database are those of the data folder."""
    config = live_config(folder)

    def text(key: bytes) -> str:
        return base64.b64encode(key).decode()

    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BURSAR_")}
    return inherited | {
        "BURSAR_PORT": str(port),
        "BURSAR_DATABASE_URL": config.database_url,
        "BURSAR_STATE_DIR": str(config.state_dir),
        "BURSAR_VAULT_KEYS": json.dumps({k: text(v) for k, v in config.vault_keys.items()}),
        "BURSAR_EMAIL_INDEX_KEY": text(config.email_index_key),
        "BURSAR_CHECKPOINT_KEY": text(config.checkpoint_seed),
    }


@contextmanager
def node_process(folder: Path) -> Iterator[NodeProcess]:
    """Started on a free port; not awaited: see `wait_until_ready`."""
    # Never listens: nobody else gets the port meanwhile.
    with bind("127.0.0.1", 0) as reserve:
        port: int = reserve.getsockname()[1]
        errors = folder / f"errors-{port}.txt"
        with errors.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "core.backend", "serve"],
                cwd=_ROOT, env=node_environment(folder, port),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stream,
            )  # fmt: skip
        try:
            yield NodeProcess(f"http://127.0.0.1:{port}", process, errors)
        finally:
            process.kill()
            process.wait(20)


def wait_until_ready(node: NodeProcess, client: httpx.Client) -> None:
    def ready() -> bool:
        assert node.process.poll() is None, "the node ended at once"
        try:
            return client.get(f"{node.url}/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    wait_until(ready, timeout=60, what="a node that is ready")
