"""The kinds of fields that messages are made of, each with its limit."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Cents = Annotated[int, Field(ge=0, le=10_000_000_000, strict=True)]
Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# One line without control characters: PostgreSQL takes no NUL, and no name hides part of itself.
ShortText = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
# The same, where nothing need be said.
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
# Some lines of text, kept as they came.
Summary = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
LessonText = Annotated[str, StringConstraints(max_length=65536, pattern=r"^[^\x00]*$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
Email = Annotated[
    str,
    StringConstraints(
        min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$"
    ),
]
Password = Annotated[str, StringConstraints(min_length=8, max_length=200, pattern=r"^[^\x00]+$")]
Secret = Annotated[str, StringConstraints(min_length=16, max_length=200, pattern=r"^[\x20-\x7e]+$")]
Base64 = Annotated[str, StringConstraints(max_length=8192, pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
Index = Annotated[int, Field(ge=0, le=2**53 - 1, strict=True)]

MAX_INBOUND_BYTES = 64 * 1024
MAX_DECISIONS = 100
PAGE_ROWS = 500
AUDIT_PAGE_ROWS = 100
PAYMENT_PAGE_ROWS = 100


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
