"""The audit trail: filtered pages of the ledger, and proofs of inclusion."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from core.protocol.messages.fields import AUDIT_PAGE_ROWS, Base64, Index, Message, ShortText


class AuditEntry(Message):
    """One ledger entry with the names that are in no leaf; `leaf` is its exact text.

    `about` is what its subject is called, empty where it has no name; `reference` (plain) is there
    where the subject is an enrollment.
    """

    index: Index
    leaf: Annotated[str, StringConstraints(max_length=65536)]
    actor_name: ShortText
    about: Annotated[str, StringConstraints(max_length=200)]
    reference: Annotated[str, StringConstraints(max_length=16)] | None


class AuditPage(Message):
    """Matching entries, newest first, of a ledger that had `size` entries then."""

    size: Index
    entries: Annotated[tuple[AuditEntry, ...], Field(max_length=AUDIT_PAGE_ROWS)]


class AuditOutline(Message):
    """Where the pages of a filtered list begin, newest first.

    `starts` are the indexes of every AUDIT_PAGE_ROWS-th of `total` matching entries; without any
    filter there are none, since every entry matches. There are more than `total` where
    `next_before` is an index: ask again with it as `before`. `subject` is what `about` stood for.
    """

    size: Index
    total: Index
    starts: tuple[Index, ...]
    next_before: Index | None
    subject: Annotated[str, StringConstraints(max_length=80)] | None


class AuditActor(Message):
    """`actor` is a code such as `user:<id>`, as leaves have it."""

    actor: ShortText
    name: ShortText


class AuditActors(Message):
    actors: tuple[AuditActor, ...]


class InclusionProof(Message):
    """Entry `index` is in the tree of the first `size` entries; `hashes` are base64."""

    index: Index
    size: Index
    hashes: Annotated[tuple[Base64, ...], Field(max_length=64)]
