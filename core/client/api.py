"""`Api`: the backend's staff routes, one typed method each.

Every method may raise UnreachableError, ProblemError and ProtocolError; those behind a sign-in also
SignInNeededError, after one try to renew the session, and its AccountDisabledError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from core.client.errors import (
    AccountDisabledError,
    NotSentError,
    ProblemError,
    ProtocolError,
    SignInNeededError,
    UnreachableError,
)
from core.client.exchange import Exchanges
from core.client.http import live_url
from core.client.session import SessionKeeper
from core.protocol import messages
from core.protocol.messages import AUDIT_PAGE_ROWS, Problem, Session

_UNAUTHORIZED = 401
# These two mean the same whoever says them: a newer token, or less at a time, may help.
_ANYBODYS = frozenset({_UNAUTHORIZED, 413})
_OURS = "urn:bursar:"
_ACCOUNT_DISABLED = "urn:bursar:account-disabled"
# A refresh token that is wrong, used or revoked; anything else is not about the token.
_REFRESH_REFUSED = frozenset({400, 401, 403})

_M = TypeVar("_M", bound=BaseModel)


class Api:
    """The backend behind one `http` client, with the session in `keeper`."""

    def __init__(self, http: httpx.AsyncClient, keeper: SessionKeeper) -> None:
        self._exchanges = Exchanges(http)
        self.live_url = live_url(http.base_url)
        self.keeper = keeper

    async def aclose(self) -> None:
        """Close the client, once what is on its way has come to its end."""
        await self._exchanges.aclose()

    # --- sign-in ---

    async def sign_in(self, email: str, password: str) -> Session:
        """Sign in and keep the session. A wrong password is a ProblemError."""
        body = checked(messages.SignIn, email=email, password=password)
        session = await self._open("POST", "/api/staff/sign-in", Session, body)
        await self.keeper.keep(session)
        return session

    async def resume(self) -> Session:
        """Open a session from the refresh token of an earlier start. SignInNeededError if none."""
        return await self.renew(None)

    async def renew(self, used_access_token: str | None) -> Session:
        """A session that is newer than `used_access_token`; asks the backend at most once for all.

        SignInNeededError when the session has ended for good; the token stays where the account
        was disabled, for `decide`.
        """
        async with self.keeper.renewing:
            current = self.keeper.session
            if current is not None and current.access_token != used_access_token:
                return current
            token = await self.keeper.refresh_token()
            if token is None:
                raise SignInNeededError(_SIGN_IN)
            session = await self._refresh(token)
            await self.keeper.keep(session)
            return session

    async def _refresh(self, token: str) -> Session:
        body = checked(messages.Refresh, refresh_token=token)
        return await self._with_refresh("/api/staff/refresh", Session, body)

    async def _with_refresh(self, path: str, answer: type[_M], body: BaseModel) -> _M:
        """What the refresh token in `body` is for; one that is refused is forgotten."""
        try:
            return await self._open("POST", path, answer, body)
        except ProblemError as error:
            if not error.problem.type.startswith(_OURS):
                raise UnreachableError(str(error)) from error
            if error.problem.status not in _REFRESH_REFUSED:
                raise
            await self.keeper.forget()
            raise SignInNeededError(_SIGN_IN) from error

    async def sign_out(self) -> None:
        """End the session here in any case, and at the backend if it can be reached."""
        session = self.keeper.session
        try:
            if session is not None:
                await self._exchange("POST", "/api/staff/sign-out", None, session.access_token)
        except ProblemError:
            pass  # the session had ended already
        finally:
            await self.keeper.forget()

    async def claim_embedded(self, token: str) -> messages.EmbeddedSessions:
        """Both sessions of the embedded demo, once; the caller keeps each in its own keeper."""
        body = checked(messages.EmbeddedClaim, token=token)
        return await self._open("POST", "/api/staff/embedded", messages.EmbeddedSessions, body)

    async def me(self) -> messages.User:
        return await self._get("/api/staff/me", messages.User)

    async def workspace(self) -> messages.Workspace:
        return await self._get("/api/workspace", messages.Workspace)

    # --- devices ---

    async def enroll_device(self, enrollment: messages.EnrollDevice) -> messages.Device:
        return await self._call("POST", "/api/devices", messages.Device, enrollment)

    async def device(self, device: UUID) -> messages.Device:
        """State `unknown` when the backend has never heard of it."""
        return await self._get(f"/api/devices/{device}", messages.Device)

    async def request_device(self, request: messages.DeviceRequest) -> messages.Device:
        """Ask an administrator to enroll this console."""
        return await self._call("POST", "/api/devices/requests", messages.Device, request)

    async def revoke_device(
        self, device: UUID, revocation: messages.RevokeDevice
    ) -> messages.Device:
        """An administrator's signature takes a device out."""
        path = f"/api/devices/{device}/revoke"
        return await self._call("POST", path, messages.Device, revocation)

    # --- enrollments ---

    async def pending(self, *, after: str | None = None, limit: int = 100) -> messages.RowPage:
        """One page of the pending list; the next one begins at the answer's `next_after`."""
        query = {"limit": str(limit)} | ({"after": after} if after is not None else {})
        path = f"/api/enrollments/pending?{httpx.QueryParams(query)}"
        return await self._get(path, messages.RowPage)

    async def enrollment(self, enrollment: UUID) -> messages.EnrollmentDetail:
        return await self._get(f"/api/enrollments/{enrollment}", messages.EnrollmentDetail)

    async def decide(self, batch: messages.DecisionBatch) -> messages.DecisionAnswers:
        """One answer per item, also for somebody whose account was disabled: refused, but known."""
        try:
            return await self._call("POST", "/api/decisions", messages.DecisionAnswers, batch)
        except AccountDisabledError:
            token = await self.keeper.refresh_token()
            if token is None:
                raise
        held = messages.HeldDecisions(items=batch.items, refresh_token=token)
        return await self._with_refresh("/api/decisions/held", messages.DecisionAnswers, held)

    # --- ledger ---

    async def ledger_head(self) -> messages.LedgerHead:
        return await self._get("/api/ledger/head", messages.LedgerHead)

    async def consistency(self, size1: int, size2: int) -> messages.ConsistencyProof:
        path = f"/api/ledger/consistency?size1={size1}&size2={size2}"
        return await self._get(path, messages.ConsistencyProof)

    # --- audit ---

    async def audit_page(
        self, wanted: Mapping[str, str], *, before: int | None = None, limit: int = AUDIT_PAGE_ROWS
    ) -> messages.AuditPage:
        """Entries that match the filter, newest first, with an index below `before`."""
        query = _before({**wanted, "limit": str(limit)}, before)
        return await self._get(f"/api/ledger/entries?{query}", messages.AuditPage)

    async def audit_outline(
        self, wanted: Mapping[str, str], *, before: int | None = None
    ) -> messages.AuditOutline:
        """Where the pages of such a list begin."""
        query = _before(wanted, before)
        return await self._get(f"/api/ledger/outline?{query}", messages.AuditOutline)

    async def audit_actors(self) -> messages.AuditActors:
        return await self._get("/api/ledger/actors", messages.AuditActors)

    async def inclusion(self, index: int, size: int) -> messages.InclusionProof:
        path = f"/api/ledger/inclusion?index={index}&size={size}"
        return await self._get(path, messages.InclusionProof)

    # --- how ---

    async def _get(self, path: str, answer: type[_M]) -> _M:
        return await self._call("GET", path, answer, None)

    async def _call(self, method: str, path: str, answer: type[_M], body: BaseModel | None) -> _M:
        return understood(await self.ask(method, path, body), answer)

    async def ask(
        self, method: str, path: str, body: BaseModel | None = None, *, key: str | None = None
    ) -> bytes:
        """The answer's content. With the session, renewed once when the backend does not know it
        any more; `key` makes asking again safe."""
        session = self.keeper.session or await self.renew(None)
        try:
            return await self._exchange(method, path, body, session.access_token, key)
        except ProblemError as error:
            if error.problem.status != _UNAUTHORIZED:
                raise
        session = await self.renew(session.access_token)
        try:
            return await self._exchange(method, path, body, session.access_token, key)
        except ProblemError as error:
            if error.problem.status == _UNAUTHORIZED:
                raise SignInNeededError(_SIGN_IN) from error
            raise

    async def _open(
        self,
        method: str,
        path: str,
        answer: type[_M],
        body: BaseModel | None,
        token: str | None = None,
    ) -> _M:
        return understood(await self._exchange(method, path, body, token), answer)

    async def _exchange(
        self,
        method: str,
        path: str,
        body: BaseModel | None,
        token: str | None,
        key: str | None = None,
    ) -> bytes:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        content = None
        if body is not None:
            content = body.model_dump_json().encode()
            headers["Content-Type"] = "application/json"
        try:
            answer = await self._exchanges.ask(method, path, content, headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotSentError(_UNREACHABLE) from error
        except httpx.HTTPError as error:
            raise UnreachableError(_UNREACHABLE) from error
        if answer.succeeded:
            return answer.content
        problem = _problem(answer.content, answer.status)
        if problem.type == _ACCOUNT_DISABLED:
            raise AccountDisabledError(problem.detail)
        raise ProblemError(problem)


def understood(content: bytes, answer: type[_M]) -> _M:
    """The message in an answer. Raises ProtocolError, UnreachableError for what is no JSON."""
    try:
        return answer.model_validate_json(content)
    except ValidationError as error:
        if not _is_json(content):
            raise UnreachableError(_NOT_THE_BACKEND) from error
        raise ProtocolError(_STRANGE) from error


def _is_json(content: bytes) -> bool:
    try:
        from_json(content)
    except ValueError:
        return False
    return True


def _before(wanted: Mapping[str, str], before: int | None) -> httpx.QueryParams:
    return httpx.QueryParams({**wanted} if before is None else {**wanted, "before": str(before)})


def _problem(content: bytes, status: int) -> Problem:
    """The problem in an answer. Raises UnreachableError where something between us and the backend
    answered instead of it: a hotel's sign-in page says nothing about a decision."""
    try:
        problem = Problem.model_validate_json(content)
    except ValidationError:
        problem = None
    if problem is not None and problem.status == status and problem.type.startswith(_OURS):
        return problem
    if status not in _ANYBODYS:
        raise UnreachableError(f"{_NOT_THE_BACKEND.removesuffix('.')} (status {status}).")
    return Problem(
        type="about:blank",
        title="Unexpected answer",
        status=status,
        detail=f"The backend answered with status {status} and no explanation.",
    )


def checked(model: type[_M], **fields: object) -> _M:
    """A body made of what a person typed. Raises ProblemError as the backend would."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        names = ", ".join(sorted({str(part["loc"][0]) for part in error.errors()}))
        problem = Problem(
            type="urn:bursar:invalid",
            title="Please check what you typed",
            status=422,
            detail=f"Please check: {names.replace('_', ' ')}.",
        )
        raise ProblemError(problem) from None  # the cause would quote a password


_SIGN_IN = "Please sign in."
_UNREACHABLE = "The backend cannot be reached."
_NOT_THE_BACKEND = "Something else answered in the backend's place."
_STRANGE = "The backend gave an answer that this console does not understand."
