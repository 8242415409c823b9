"""What a use case refuses. Each has a stable `code` and a `message` in plain words for a person.

ServiceError
├── SignInNeededError      nobody is signed in, or the session is over
├── SignInRefusedError     email or password is wrong
├── TooManyGuessesError    wait `retry_after` seconds
├── NotAllowedError        signed in, but not permitted
│   └── AccountDisabledError   signing in again does not help
├── NotFoundError          no such thing, or none that this person may see
├── ConflictError          it does not fit with what is there now
├── InvalidError           the request makes no sense
└── BusyError              try again later with the same key
"""

from __future__ import annotations


class ServiceError(Exception):
    """Base of every refusal."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SignInNeededError(ServiceError):
    def __init__(self) -> None:
        super().__init__("sign_in_needed", "Please sign in.")


class SignInRefusedError(ServiceError):
    """Says the same for an unknown email and for a wrong password."""

    def __init__(self) -> None:
        super().__init__("sign_in_refused", "Email or password is wrong.")


class TooManyGuessesError(ServiceError):
    """`retry_after` is whole seconds, at least one."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "too_many_guesses", f"Too many wrong tries. Please wait {retry_after} seconds."
        )
        self.retry_after = retry_after


class NotAllowedError(ServiceError):
    pass


class AccountDisabledError(NotAllowedError):
    """Only whoever knows the password or holds a token of the account gets to read this."""

    def __init__(self) -> None:
        super().__init__("account_disabled", "Your account was disabled. Ask an administrator.")


class NotFoundError(ServiceError):
    pass


class ConflictError(ServiceError):
    pass


class InvalidError(ServiceError):
    pass


class BusyError(ServiceError):
    """Nothing is known to be lost: asking again with the same key is safe."""
