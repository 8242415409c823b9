"""The console's own backend: real processes, from the first line to the end of the pipe."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

import core
from core.backend.embedded import EmbeddedError, load_or_create_secrets
from core.protocol.messages import EmbeddedSessions, Workspace
from tests.backend.web.asking import bearer, problem
from tests.support.waiting import wait_until

ROOT = Path(core.__file__).resolve().parents[1]
TOKEN = secrets.token_urlsafe(24)


def _command(data: Path) -> list[str]:
    return [sys.executable, "-m", "core.backend", "serve", "--embedded", "--data", str(data)]


@contextmanager
def _child(
    data: Path, line: str | None = None, *, token: str = TOKEN
) -> Iterator[subprocess.Popen[str]]:
    """The child, after its parent's first line; ended at the end whatever happens."""
    child = subprocess.Popen(
        _command(data),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdin is not None
        child.stdin.write(line if line is not None else json.dumps({"token": token}) + "\n")
        child.stdin.flush()
        yield child
    finally:
        child.kill()
        child.communicate()


def _port(child: subprocess.Popen[str]) -> int:
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line, "the child ended without a port"
    port: int = json.loads(line)["port"]
    return port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_serves_its_console_and_ends_with_the_pipe(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with _child(data) as child:
        port = _port(child)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            answer = http.post("/api/staff/embedded", json={"token": TOKEN})
            sessions = EmbeddedSessions.model_validate_json(answer.content)
            assert "administrator" in sessions.administrator.user.roles
            assert "officer" in sessions.officer.user.roles
            again = http.post("/api/staff/embedded", json={"token": TOKEN})
            problem(again, again.status_code)
            assert again.status_code in (401, 403)
            workspace = Workspace.model_validate_json(
                http.get("/api/workspace", headers=bearer(sessions.officer)).content
            )
            assert workspace.demo
        with connect(f"ws://127.0.0.1:{port}/live", proxy=None) as feed:
            feed.send(json.dumps({"token": sessions.officer.access_token}))
            assert json.loads(feed.recv())["type"] == "snapshot"
            assert child.stdin is not None
            child.stdin.close()
            child.stdin = None
            # Open sockets do not hold it up.
            assert child.wait(timeout=20) == 0
        assert not _answers(port)

    log = (data / "logs" / "backend.log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["event"] for line in lines] == ["backend starts", "backend ended"]
    kept = "".join(path.read_text() for path in data.rglob("*.json")) + log
    assert TOKEN not in kept
    assert sessions.officer.access_token not in kept

    # A second start finds the same keys, the same data, and makes no demo again.
    keys = (data / "secrets.json").read_bytes()
    with _child(data, token="another one-time token") as child:
        _port(child)
        assert (data / "secrets.json").read_bytes() == keys
        # Meanwhile the folder is taken.
        with _child(data, token="a third one-time token") as second:
            out, err = second.communicate(timeout=20)
            assert second.returncode == 1
            assert not out
            assert len(err.splitlines()) == 1


def test_a_newcomer_pays_by_card_in_the_demo(tmp_path: Path) -> None:
    """At a sandbox beside the backend, whose callback comes by itself. After a new start, too:
    the link of before is gone, and there is another."""
    person = {"name": "New Comer", "email": "new@mail.example", "password": "a long password"}
    for way in ("sign-up", "sign-in"):
        with (
            _child(tmp_path, token=secrets.token_urlsafe(24)) as child,
            httpx.Client(base_url=f"http://127.0.0.1:{_port(child)}", trust_env=False) as http,
        ):
            known = person if way == "sign-up" else {k: person[k] for k in ("email", "password")}
            assert http.post(f"/api/student/{way}", json=known).status_code == 200
            course = http.get("/api/student/cards").json()["cards"][0]["course"]
            wants = {"course": course, "method": "card"}
            key = {"Idempotency-Key": secrets.token_urlsafe(12)}
            payment = http.post("/api/student/enroll", json=wants, headers=key).json()
            page = httpx.get(payment["card_payment"]["url"], trust_env=False)
            assert "no real money" in page.text
            if way == "sign-up":
                continue  # and is interrupted here
            paid = httpx.post(f"{payment['card_payment']['url']}/pay", trust_env=False)
            assert paid.headers["location"].startswith(str(http.base_url).rstrip("/"))

            def label(http: httpx.Client = http) -> str:
                text: str = http.get("/api/student/cards").json()["cards"][0]["label"]
                return text

            wait_until(lambda: label() == "Continue Course", what="the confirmed payment")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import json, subprocess, sys\n"
        "child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, text=True)\n"
        f"child.stdin.write(json.dumps({{'token': {TOKEN!r}}}) + '\\n')\n"
        "child.stdin.flush()\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, *_command(tmp_path / "data")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = _port(parent)
        assert _answers(port)
        parent.send_signal(signal.SIGKILL)
        assert parent.stdout is not None
        # The child holds the other end of this pipe: it closes when the child is gone.
        assert parent.stdout.read() == ""
        wait_until(lambda: not _answers(port), what="the child's end")
    finally:
        parent.kill()
        parent.communicate()


@pytest.mark.parametrize("line", ["", "hello\n", "{}\n", '{"token": "short"}\n', "x" * 10_000])
def test_without_a_token_it_does_not_start(tmp_path: Path, line: str) -> None:
    with _child(tmp_path, line) as child:
        out, err = child.communicate(timeout=20)
        assert child.returncode == 1
        assert not out
        assert err.splitlines() == ['Standard input must begin with one line {"token": "..."}.']


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    load_or_create_secrets(tmp_path)
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_keys_are_made_once_and_never_over_damaged_ones(tmp_path: Path) -> None:
    first = load_or_create_secrets(tmp_path)
    assert load_or_create_secrets(tmp_path) == first
    assert first.vault_key not in repr(first)
    file = tmp_path / "secrets.json"
    file.write_text(file.read_text()[:50])
    with pytest.raises(EmbeddedError, match="cannot be read"):
        load_or_create_secrets(tmp_path)
