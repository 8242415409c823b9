"""Every error as an RFC 9457 problem document, in plain words and without echoing what was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from core.backend.services.errors import (
    BusyError,
    ConflictError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
    ServiceError,
    SignInNeededError,
    SignInRefusedError,
    TooManyGuessesError,
)
from core.backend.storage.errors import (
    DatabaseAwayError,
    StorageError,
    UnknownOutcomeError,
    WriterBusyError,
    WriterStoppedError,
)
from core.protocol.messages import Problem

MEDIA_TYPE = "application/problem+json"
_MAX_DETAIL = 1000
_MAX_ERRORS = 10

_DETAILS = {
    400: "The request could not be read.",
    404: "There is nothing here.",
    405: "This cannot be done here.",
    413: "The request is too large.",
}

_STATUS: Mapping[type[ServiceError], int] = {
    SignInNeededError: 401,
    SignInRefusedError: 401,
    TooManyGuessesError: 429,
    NotAllowedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    InvalidError: 422,
    BusyError: 503,
}
_TRY_AGAIN = (DatabaseAwayError, WriterBusyError, WriterStoppedError, UnknownOutcomeError)

# What a field's error says to a person; anything else is told as "is not valid".
_FIELD_ERRORS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field we know",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "has a wrong form",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "uuid_parsing": "must be an id",
    "uuid_type": "must be an id",
    "too_long": "has too many items",
    "too_short": "has too few items",
}


class ProblemError(Exception):
    """An expected error of a request. `code` is stable, `detail` is for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers


def problem_response(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The response that carries one problem."""
    return Response(problem_body(status, code, detail), status, dict(headers or {}), MEDIA_TYPE)


def problem_body(status: int, code: str, detail: str) -> bytes:
    """One problem as it travels; `code` becomes `urn:bursar:<code>`."""
    problem = Problem(
        type=f"urn:bursar:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail[:_MAX_DETAIL],
    )
    return problem.model_dump_json().encode()


def install(app: FastAPI) -> None:
    """Answer expected errors, bad input and unknown routes with problems."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(ServiceError, _on_service)
    app.add_exception_handler(StorageError, _on_storage)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_problem(_: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise TypeError("registered for ProblemError only")
    return problem_response(error.status, error.code, error.detail, error.headers)


async def _on_service(_: Request, error: Exception) -> Response:
    if not isinstance(error, ServiceError):
        raise TypeError("registered for ServiceError only")
    headers = {}
    if isinstance(error, SignInNeededError):
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, TooManyGuessesError):
        headers["retry-after"] = str(error.retry_after)
    status = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    return problem_response(status, error.code.replace("_", "-"), error.message, headers)


async def _on_storage(_: Request, error: Exception) -> Response:
    if not isinstance(error, _TRY_AGAIN):
        raise error  # a bug or a broken database: logged, and answered with 500
    detail = "The backend is busy. Please try again; nothing is done twice."
    return problem_response(503, "busy", detail, {"retry-after": "1"})


async def _on_invalid(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise TypeError("registered for RequestValidationError only")
    return problem_response(422, "invalid", describe(error.errors()))


async def _on_http(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError("registered for HTTPException only")
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "-")
    detail = _DETAILS.get(error.status_code, f"{phrase}.")
    return problem_response(error.status_code, code, detail, error.headers)


def describe(errors: Sequence[Mapping[str, Any]]) -> str:
    """The fields at fault and what is wrong with each; never the values that were sent."""
    parts = [_describe_one(error) for error in errors[:_MAX_ERRORS]]
    return " ".join(parts) or "The request is not valid."


def _describe_one(error: Mapping[str, Any]) -> str:
    kind = str(error.get("type", ""))
    if kind == "json_invalid":
        return "The body is not valid JSON."
    where = [str(part)[:40] for part in error.get("loc", ())]
    if where[:1] in (["body"], ["query"], ["path"], ["header"]):
        where = where[1:]
    if kind == "extra_forbidden":
        where = [*where[:-1], "one field"]  # its name is not ours: it is not repeated
    name = ".".join(where[:6]) or "The body"
    return f"{name} {_FIELD_ERRORS.get(kind, 'is not valid')}."
