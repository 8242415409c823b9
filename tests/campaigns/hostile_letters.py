"""Callbacks for a campaign: the provider's own, repeated and rewritten, and those of an attacker.

Each says how it may be answered, and none but the provider's own may have any effect.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from core.backend.gateway.signature import sign
from core.protocol.messages import MAX_INBOUND_BYTES
from tests.backend.webhooks.letters import PATH, compact, fields

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
_HEX = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Letter:
    """One request as it travels, and the only status it may be answered with."""

    kind: str
    request: bytes
    status: int


@dataclass(frozen=True, slots=True)
class Story:
    """What truly happened to one link: paid, declined (with this code), or nothing."""

    link: str
    attempt: str
    paid: bool = False
    declined: str | None = None

    @property
    def told(self) -> dict[str, Any] | None:
        """What the provider says in its callback; None where it says nothing."""
        if self.paid:
            return fields(self.link, self.attempt)
        if self.declined is not None:
            return fields(self.link, self.attempt, success=False, code=self.declined)
        return None


class Post:
    """Makes letters from a seed. `secrets` are those that count: the current one and the last."""

    def __init__(
        self, chance: random.Random, *, stories: Sequence[Story], app_id: str,
        secrets: tuple[str, str], port: int,
    ) -> None:  # fmt: skip
        self._chance = chance
        self._stories = stories
        self._true = [story for story in stories if story.told is not None]
        self._quiet = [story for story in stories if story.told is None]
        self._app_id = app_id
        self._secrets = secrets
        self._port = port
        self._kinds: Mapping[str, Callable[[], Letter]] = {
            "genuine": self._genuine,
            "rewritten": self._rewritten,
            "previous secret": self._previous,
            "claims what is not so": self._untrue,
            "another enrollment's link": self._mixed,
            "signed rubbish": self._rubbish,
            "forged": self._forged,
            "changed body": self._changed,
            "exchanged signature": self._exchanged,
            "spoiled signature": self._spoiled,
            "signed for another path": self._other_path,
            "for another application": self._other_app,
            "too large": self._large,
            "sent elsewhere": self._elsewhere,
        }

    def letters(self, count: int) -> Iterator[Letter]:
        """So many in any order, made as they are taken; each true story is told at least once."""
        plan = [partial(self._tell, story) for story in self._true]
        kinds = list(self._kinds.values())
        plan += [partial(self._chance.choice(kinds)) for _ in range(count - len(plan))]
        self._chance.shuffle(plan)
        return (make() for make in plan)

    # --- what counts ---------------------------------------------------------------------------

    def _tell(self, story: Story) -> Letter:
        assert story.told is not None
        body = compact(story.told)
        return self._letter("genuine", body, 200, signature=self._sign(body))

    def _genuine(self) -> Letter:
        return self._tell(self._chance.choice(self._true))

    def _rewritten(self) -> Letter:
        """The same callback in another dress: a copy of it, whatever it looks like."""
        told = self._chance.choice(self._true).told or {}
        signature = self._sign(compact(told))
        texted = {**told, "text": f"try {self._chance.randrange(1000)}"}
        body = urlencode(texted).encode() if self._chance.random() < 0.5 else compact(texted)
        kind = FORM_TYPE if body.startswith(b"paylinkID") else JSON_TYPE
        shown = self._chance.choice([signature, signature.upper(), f" {signature} "])
        return self._letter("rewritten", body, 200, signature=shown, content_type=kind)

    def _previous(self) -> Letter:
        body = compact(self._chance.choice(self._true).told or {})
        signature = sign(PATH, body, self._secrets[1])
        return self._letter("previous secret", body, 200, signature=signature)

    # --- rightly signed, and not so ------------------------------------------------------------

    def _untrue(self) -> Letter:
        """A success of a link that nobody paid: the provider's status is the fact."""
        story = self._chance.choice(self._quiet)
        body = compact(fields(story.link, story.attempt, code=self._code()))
        return self._letter("claims what is not so", body, 200, signature=self._sign(body))

    def _mixed(self) -> Letter:
        """The link of one and the payment of another."""
        mine, other = self._chance.sample(self._stories, 2)
        success = self._chance.random() < 0.5
        body = compact(fields(mine.link, other.attempt, success=success, code=self._code()))
        return self._letter("another enrollment's link", body, 200, signature=self._sign(body))

    def _rubbish(self) -> Letter:
        body = self._chance.randbytes(self._chance.randrange(40))
        return self._letter("signed rubbish", body, 200, signature=self._sign(body))

    # --- not signed ----------------------------------------------------------------------------

    def _forged(self) -> Letter:
        """Whatever somebody would like to be so, signed with what they guess."""
        body = self._wish()
        signature = sign(PATH, body, self._chance.choice(["", " ", "guess"]).strip() or "secret")
        return self._letter("forged", body, 401, signature=signature)

    def _changed(self) -> Letter:
        """One character of a rightly signed callback."""
        body = bytearray(compact(self._chance.choice(self._true).told or {}))
        places = [n for n, byte in enumerate(body) if chr(byte).isalnum()]
        place = self._chance.choice(places)
        signature = self._sign(bytes(body))
        body[place] = ord(self._chance.choice(_HEX.replace(chr(body[place]), "")))
        return self._letter("changed body", bytes(body), 401, signature=signature)

    def _exchanged(self) -> Letter:
        signed = compact(self._chance.choice(self._true).told or {})
        return self._letter("exchanged signature", self._wish(), 401, signature=self._sign(signed))

    def _spoiled(self) -> Letter:
        body = self._wish()
        good = self._sign(body)
        place = self._chance.randrange(len(good))
        other = self._chance.choice(_HEX.replace(good[place], ""))
        shown = self._chance.choice(
            [None, "", good[:-1], good + "0", good[:place] + other + good[place + 1 :], "é" * 64]
        )
        return self._letter("spoiled signature", body, 401, signature=shown)

    def _other_path(self) -> Letter:
        body = self._wish()
        path = self._chance.choice(["", "/", f"{PATH}/", f"{PATH}?a=1", PATH.upper(), "/callback"])
        signature = sign(path, body, self._secrets[0])
        return self._letter("signed for another path", body, 401, signature=signature)

    def _other_app(self) -> Letter:
        body = self._wish()
        app_id = self._chance.choice([None, "", "IKOTHER", f"{self._app_id}0", "é"])
        return self._letter(
            "for another application", body, 401, signature=self._sign(body), app_id=app_id
        )

    def _large(self) -> Letter:
        body = self._wish().ljust(MAX_INBOUND_BYTES + 1)
        return self._letter("too large", body, 413, signature=self._sign(body))

    def _elsewhere(self) -> Letter:
        body = self._wish()
        path, status = self._chance.choice(
            [(f"{PATH}/", 404), (f"/{PATH}", 404), ("/webhooks/other", 404), ("/webhooks", 404)]
        )
        return self._letter(
            "sent elsewhere", body, status, signature=self._sign(body), path=path
        )  # fmt: skip

    # --- pieces --------------------------------------------------------------------------------

    def _wish(self) -> bytes:
        """A body that would change something if anybody believed it."""
        story = self._chance.choice(self._quiet)
        success = self._chance.random() < 0.5
        return compact(fields(story.link, story.attempt, success=success, code=self._code()))

    def _code(self) -> str:
        return self._chance.choice(["00", "05", "51", "54", "91"])

    def _sign(self, body: bytes) -> str:
        return sign(PATH, body, self._secrets[0])

    def _letter(
        self, kind: str, body: bytes, status: int, *, signature: str | None,
        content_type: str = JSON_TYPE, path: str = PATH, app_id: str | None = "ours",
    ) -> Letter:  # fmt: skip
        head = {
            "Host": f"127.0.0.1:{self._port}",
            "Content-Length": str(len(body)),
            "Content-Type": content_type,
        }
        if signature is not None:
            head[self._chance.choice(["ik-sign", "IK-SIGN", "Ik-Sign"])] = signature
        if app_id is not None:
            head["IK-APPID"] = self._app_id if app_id == "ours" else app_id
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        return Letter(kind, f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body, status)
