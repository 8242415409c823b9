"""One backend has one folder, however its address is written."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from console.backends import Backends, plain

HOST = "https://bursar.example.org"


@pytest.mark.parametrize(
    ("address", "one"),
    [
        (HOST, HOST),
        ("https://Bursar.Example.ORG", HOST),
        ("HTTPS://bursar.example.org/", HOST),
        ("https://bursar.example.org:443", HOST),
        ("https://bursar.example.org:8443/", f"{HOST}:8443"),
        ("https://bursar.example.org/Office//", f"{HOST}/Office"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://[::1]:9000/", "http://[::1]:9000"),
        # What is no plain address stays as it is.
        ("demo:/home/somebody", "demo:/home/somebody"),
        ("https://bursar.example.org?a=b", "https://bursar.example.org?a=b"),
        ("https://me@bursar.example.org", "https://me@bursar.example.org"),
        ("https://bursar.example.org:x", "https://bursar.example.org:x"),
        ("https://[::1", "https://[::1"),
    ],
)
def test_an_address_has_one_plain_spelling(address: str, one: str) -> None:
    assert plain(address) == one
    assert plain(one) == one


def folder_under(folder: Path, spelling: str) -> Path:
    """As consoles made it from the start."""
    return folder / hashlib.sha256(spelling.encode()).hexdigest()[:16]


def test_every_spelling_leads_to_one_folder(tmp_path: Path) -> None:
    backends = Backends(tmp_path)
    for spelling in (f"{HOST}/", "https://BURSAR.example.org", HOST, f"{HOST}:443"):
        assert backends.name_of(spelling) == HOST
    assert backends.folder_of(HOST) == folder_under(tmp_path, HOST)
    assert backends.name_of(f"{HOST}:8443") == f"{HOST}:8443"
    assert backends.others_of(HOST) == ()


def test_a_folder_that_was_made_under_another_spelling_is_found_and_kept(tmp_path: Path) -> None:
    old, backends = "https://Bursar.example.org/", Backends(tmp_path)
    folder_under(tmp_path, old).mkdir()
    assert backends.name_of(old) == old  # keys and sessions go by it
    for spelling in (HOST, f"{HOST}:443", old):
        assert backends.name_of(spelling) == old
    assert not folder_under(tmp_path, HOST).exists()


def test_two_folders_of_one_backend_know_of_each_other(tmp_path: Path) -> None:
    old, backends = "https://Bursar.example.org", Backends(tmp_path)
    for spelling in (old, HOST):
        folder_under(tmp_path, spelling).mkdir()
    assert backends.name_of(old) == old
    assert backends.name_of(HOST) == HOST
    assert backends.others_of(HOST) == (folder_under(tmp_path, old),)
    assert backends.others_of(old) == (folder_under(tmp_path, HOST),)


def test_a_folder_that_cannot_be_written_still_works(tmp_path: Path) -> None:
    backends = Backends(tmp_path)
    (folder_under(tmp_path, HOST) / "address").mkdir(parents=True)  # no file can take its place
    assert backends.name_of(HOST) == HOST
    assert backends.name_of(f"{HOST}/") == HOST
