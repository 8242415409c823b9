"""What can go wrong with the ledger.

LedgerError
├── ProofError          a Merkle proof does not hold, or cannot be made
├── LeafError           bytes or values that are no valid leaf
├── CheckpointError     a checkpoint that is malformed or not rightly signed
└── VerificationError   a whole log that does not hold; names the entry
"""


class LedgerError(Exception):
    """Base of every error of this package."""


class ProofError(LedgerError):
    """A Merkle proof does not hold, or the one asked for cannot be made."""


class LeafError(LedgerError):
    """Bytes or values that are no valid leaf (or no valid part of one)."""


class CheckpointError(LedgerError):
    """A checkpoint that is malformed, or not signed by the key it must be signed by."""


class VerificationError(LedgerError):
    """A log that does not hold. `index` is the entry at fault, None for the log as a whole."""

    def __init__(self, reason: str, index: int | None = None) -> None:
        super().__init__(reason if index is None else f"entry {index}: {reason}")
        self.reason = reason
        self.index = index
