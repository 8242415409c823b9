"""Refusals (RFC 9457)."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from core.protocol.messages.fields import Message, ShortText


class Problem(Message):
    """`type` is a stable code such as `urn:bursar:wrong-role`; `detail` is for people."""

    type: ShortText
    title: ShortText
    status: int
    detail: Annotated[str, StringConstraints(max_length=1000)]
