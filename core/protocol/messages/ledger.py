"""The ledger's head and its proofs of consistency."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from core.protocol.messages.fields import Base64, Index, Message


class LedgerHead(Message):
    """`note` is the signed checkpoint; `peaks` (base64) rebuild the tree at its size."""

    epoch: UUID
    size: Index
    note: Annotated[str, StringConstraints(max_length=4096)]
    peaks: tuple[Base64, ...]


class ConsistencyProof(Message):
    size1: Index
    size2: Index
    hashes: tuple[Base64, ...]
