"""Bodies made from the OpenAPI document: a good one, and each way to spoil one part of it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

Schema = Mapping[str, Any]

# One of them fits every text that the product takes; a new kind of text needs a new one here.
_TEXTS = (
    "Some words of a person",
    "someone@mail.example",
    "0" * 64,
    "0" * 32,
    "AAAA",
    "a long enough text",
)
NUL = "a\x00b@mail.example and some more"
UNKNOWN = "<b>admin</b>\x00"
HALF = "half a character \ud800"
_NESTED = 200


class Samples:
    """`known`: ids that exist, by the name of the field that holds one."""

    def __init__(self, document: Schema, known: Mapping[str, object]) -> None:
        self._schemas = document["components"]["schemas"]
        self._known = known

    def resolved(self, schema: Schema) -> Schema:
        """Without references, and without the other choice of what may be null."""
        if "$ref" in schema:
            return self.resolved(self._schemas[schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            choices = [self.resolved(choice) for choice in schema["anyOf"]]
            return next(choice for choice in choices if choice.get("type") != "null")
        return schema

    def good(self, schema: Schema, name: str = "") -> Any:
        """A value that the document allows."""
        schema = self.resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._known.get(name, schema["enum"][0])
        match schema.get("type"):
            case "object":
                parts = schema.get("properties", {})
                return {key: self.good(part, key) for key, part in parts.items()}
            case "array":
                return [self.good(schema["items"], name)]
            case "integer":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
            case "string":
                return self._text(schema, name)
        raise AssertionError(f"no sample for {name}: {schema}")

    def _text(self, schema: Schema, name: str) -> str:
        if schema.get("format") == "uuid":
            return str(self._known.get(name) or uuid4())
        for text in (str(self._known.get(name, "")), *_TEXTS):
            long_enough = schema.get("minLength", 0) <= len(text)
            if not long_enough or len(text) > schema.get("maxLength", len(text)):
                continue
            if re.search(schema.get("pattern", ""), text):
                return text
        raise AssertionError(f"no sample text for {name}: {schema}")

    def spoiled(self, schema: Schema) -> Iterator[Spoiled]:
        """The good value with one thing wrong, at every depth."""
        good = self.good(schema)
        yield from self._wrong(schema, good, ())

    def _wrong(self, schema: Schema, good: Any, place: tuple[str | int, ...]) -> Iterator[Spoiled]:
        nullable = any(part.get("type") == "null" for part in schema.get("anyOf", ()))
        resolved = self.resolved(schema)
        for kind, value in _bad_values(resolved, good):
            if not (value is None and nullable):
                yield Spoiled(kind, place, value)
        for name, part in resolved.get("properties", {}).items():
            if name in resolved.get("required", ()):
                yield Spoiled("missing", (*place, name), _MISSING)
            yield from self._wrong(part, good[name], (*place, name))
        if resolved.get("type") == "array":
            yield from self._wrong(resolved["items"], good[0], (*place, 0))

    def foreign(self, value: Any, schema: Schema) -> Any:
        """The value with every id in it exchanged for one that nobody has."""
        resolved = self.resolved(schema)
        if resolved.get("type") == "object":
            parts = resolved.get("properties", {})
            return {key: self.foreign(part, parts[key]) for key, part in value.items()}
        if resolved.get("type") == "array":
            return [self.foreign(item, resolved["items"]) for item in value]
        return str(uuid4()) if resolved.get("format") == "uuid" else value


_MISSING = object()


@dataclass(frozen=True)
class Spoiled:
    """`place` is where in the body `value` stands instead of what should."""

    kind: str
    place: tuple[str | int, ...]
    value: Any

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.place)) or 'body'}: {self.kind}"

    def applied_to(self, good: Any) -> Any:
        if not self.place:
            return self.value
        body = copy.deepcopy(good)
        inside = body
        for step in self.place[:-1]:
            inside = inside[step]
        if self.value is _MISSING:
            del inside[self.place[-1]]
        else:
            inside[self.place[-1]] = self.value
        return body


def _bad_values(schema: Schema, good: Any) -> Iterator[tuple[str, Any]]:
    """What the document forbids in this place."""
    kind = schema.get("type")
    yield "null", None
    yield "nested", _nested()
    others: dict[str, Any] = {
        "string": "text",
        "integer": 7,
        "boolean": True,
        "array": [[]],
        "object": {"a": 1},
    }
    for other, value in others.items():
        if other != kind:
            yield other, value
    if kind == "string" and "const" not in schema:
        yield from _bad_texts(schema)
    elif kind == "integer":
        yield "fraction", 1.5
        yield "negative", -1
        yield "huge", 10**30
        yield "endless", float("inf")
    elif kind == "array":
        yield "too many", [good[0]] * (schema.get("maxItems", 10_000) + 1)
    elif kind == "object":
        yield "half a name", {**good, "\ud800": True}
        yield "unknown field", {**good, UNKNOWN: True}
        if schema.get("required"):
            yield "empty", {}


def _bad_texts(schema: Schema) -> Iterator[tuple[str, Any]]:
    yield "half a character", HALF
    yield "nul", NUL[: schema.get("maxLength", len(NUL))]
    if "maxLength" in schema:
        yield "too long", "x" * (schema["maxLength"] + 1)
    if schema.get("minLength", 0) or "format" in schema or "enum" in schema:
        yield "empty", ""
    if "format" in schema or "enum" in schema:
        yield "something else", "'; DROP TABLE enrollments; --"


def _nested() -> Any:
    value: Any = []
    for _ in range(_NESTED):
        value = [value]
    return value
