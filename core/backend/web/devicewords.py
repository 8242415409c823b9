"""A browser or console in a few words of our own: nothing of what it sent is kept."""

from __future__ import annotations

_MAX_READ = 400

# The first that fits: browsers name each other, most of them Chrome and Safari.
_PROGRAMS = (
    ("bursar-console", "Bursar console"),
    ("python-httpx", "Bursar console"),
    ("edg/", "Edge"),
    ("edga/", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser/", "Samsung Internet"),
    ("firefox/", "Firefox"),
    ("fxios/", "Firefox"),
    ("crios/", "Chrome"),
    ("chrome/", "Chrome"),
    ("safari/", "Safari"),
)
_SYSTEMS = (
    ("android", "Android"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("windows", "Windows"),
    ("mac os", "Mac"),
    ("macos", "Mac"),
    ("darwin", "Mac"),
    ("linux", "Linux"),
)


def device_words(user_agent: str) -> str:
    """`Firefox on Windows`; empty where neither program nor system is known."""
    text = user_agent[:_MAX_READ].lower()
    program = next((words for sign, words in _PROGRAMS if sign in text), "")
    system = next((words for sign, words in _SYSTEMS if sign in text), "")
    if program and system:
        return f"{program} on {system}"
    return program or system
