"""A browser in a few words, from a fixed vocabulary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backend.web.devicewords import device_words

_WORDS = {
    "Bursar", "console", "Edge", "Opera", "Samsung", "Internet", "Firefox", "Chrome", "Safari",
    "on", "Android", "iPhone", "iPad", "Windows", "Mac", "Linux",
}  # fmt: skip
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; rv:127.0) Firefox/127.0", "Firefox on Windows"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {_CHROME}", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_CHROME} Edg/126.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 14; SM-S911B) {_CHROME}", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1",
         "Safari on iPhone"),
        ("bursar-console/1.0 (Windows)", "Bursar console on Windows"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_known_browsers(user_agent: str, words: str) -> None:
    assert device_words(user_agent) == words


@given(st.text(max_size=500))
def test_nothing_of_what_was_sent_is_kept(user_agent: str) -> None:
    words = device_words(user_agent)
    assert len(words) <= 80
    assert _WORDS.issuperset(words.split())
