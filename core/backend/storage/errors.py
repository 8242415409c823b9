"""What can go wrong with storage.

StorageError
├── DatabaseAwayError      no connection to the database: nothing was done, ask again later
├── DatabaseInUseError     another process holds this SQLite database
├── SchemaError            the database is not at this program's revision
├── VaultError             sealed data that cannot be opened
├── WriterBusyError        too many commands wait; ask again later
├── WriterStoppedError     the writer does not take commands (any more)
└── UnknownOutcomeError    the answer of a commit was lost: ask again with the same key
"""

from __future__ import annotations


class StorageError(Exception):
    """Base of every error of this package; the message is for people."""


class DatabaseAwayError(StorageError):
    pass


class DatabaseInUseError(StorageError):
    pass


class SchemaError(StorageError):
    pass


class VaultError(StorageError):
    pass


class WriterBusyError(StorageError):
    pass


class WriterStoppedError(StorageError):
    pass


class UnknownOutcomeError(StorageError):
    pass
