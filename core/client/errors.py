"""What can go wrong on the officer's side.

ClientError                 `str(error)` is in plain words, for people
├── UnreachableError        no answer: network, time limit, or the backend is down; try again later
│   └── NotSentError            not even a connection
├── SignInNeededError       no session, or it has ended
│   └── AccountDisabledError    and signing in does not help
├── ProblemError            the backend said no; `.problem` says why
├── ProtocolError           the other side does not speak as a Bursar backend does
├── SecretStoreError        the keyring of the operating system refused
│   └── WrongPassphraseError    the seal of the secrets' file does not open
├── OutboxError             the queue on this computer cannot be read or written
├── OfflineCopyError        the copy of the pending list cannot be read or written
├── DecisionError           a decision that lacks something, found before it was signed
└── EmbeddedError           the backend that the console starts itself did not come up
"""

from __future__ import annotations

from core.protocol.messages import Problem

_TRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


class ClientError(Exception):
    """Base of every expected error of this package."""


class UnreachableError(ClientError):
    """No answer came; nobody knows whether the request arrived."""


class NotSentError(UnreachableError):
    """The request never left this computer: what it carried has nothing to do with it."""


class SignInNeededError(ClientError):
    """Somebody has to sign in (again)."""


class AccountDisabledError(SignInNeededError):
    """An administrator has shut this person out; what they signed before can be handed in."""


class ProblemError(ClientError):
    """The backend refused, and said why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        return self.problem.status in _TRY_LATER


class ProtocolError(ClientError):
    """An answer that no Bursar backend gives."""


class SecretStoreError(ClientError):
    """The keyring is locked, gone or broken."""


class WrongPassphraseError(SecretStoreError):
    """Another passphrase, or a file that somebody changed: the seal does not open."""


class OutboxError(ClientError):
    """The queue file cannot be used."""


class OfflineCopyError(ClientError):
    """The file of the copy cannot be used; the console works on without it."""


class DecisionError(ClientError):
    """A decision that cannot be made like this; the message says what is missing."""


class EmbeddedError(ClientError):
    """The embedded backend did not start; `details` are its last lines, for the log view."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details
