"""Column types that read and write alike on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import DateTime, Dialect, LargeBinary, String, Text, TypeDecorator

from core.backend.storage.records import LessonText
from core.domain.roles import Role

HASH_BYTES = 32
_E = TypeVar("_E", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, always UTC. SQLite keeps it as text without zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class RoleSet(TypeDecorator[frozenset[Role]]):
    """Roles as their names, sorted, with commas between."""

    impl = String(100)
    cache_ok = True

    def process_bind_param(self, value: frozenset[Role] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - given by SQLAlchemy
        return None if value is None else ",".join(sorted(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[Role] | None:  # noqa: ARG002 - given by SQLAlchemy
        return None if value is None else frozenset(Role(name) for name in value.split(",") if name)


class Lessons(TypeDecorator[tuple[LessonText, ...]]):
    """The lessons of a course as a JSON list of [title, body]."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self,
        value: tuple[LessonText, ...] | None,
        dialect: Dialect,  # noqa: ARG002 - given by SQLAlchemy
    ) -> str | None:
        if value is None:
            return None
        return json.dumps([[lesson.title, lesson.body] for lesson in value])

    def process_result_value(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - given by SQLAlchemy
    ) -> tuple[LessonText, ...] | None:
        if value is None:
            return None
        return tuple(LessonText(title, body) for title, body in json.loads(value))


class Hashes(TypeDecorator[tuple[bytes, ...]]):
    """A row of 32-byte hashes, one after another."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: tuple[bytes, ...] | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - given by SQLAlchemy
        return None if value is None else b"".join(value)

    def process_result_value(
        self,
        value: bytes | None,
        dialect: Dialect,  # noqa: ARG002 - given by SQLAlchemy
    ) -> tuple[bytes, ...] | None:
        if value is None:
            return None
        return tuple(value[i : i + HASH_BYTES] for i in range(0, len(value), HASH_BYTES))


class EnumText(TypeDecorator[StrEnum]):
    """One word of an enumeration, kept as text. Use `enum_of`."""

    impl = String(20)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - given by SQLAlchemy
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002 - given by SQLAlchemy
        return None if value is None else self.kind(value)


def enum_of(kind: type[_E]) -> TypeDecorator[_E]:
    """A column of the words of `kind`, each at most 20 characters."""
    return EnumText(kind)  # type: ignore[return-value]  # a decorator of this very kind
