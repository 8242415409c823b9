"""The student's side: sign-up, course cards, paying, lessons."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from core.backend.services.identities import StudentSession
from core.backend.web.auth import (
    COOKIE,
    Backend,
    IdempotencyKey,
    SameOrigin,
    SignedInStudent,
    Visitor,
    address_of,
)
from core.protocol.messages import (
    CardView,
    CourseRequest,
    EnrollRequest,
    LessonPage,
    Payment,
    SignIn,
    SignUp,
    StudentCards,
    StudentSelf,
)

router = APIRouter(prefix="/api/student")


@router.post("/sign-up", dependencies=[SameOrigin])
async def sign_up(
    body: SignUp, request: Request, response: Response, services: Backend
) -> StudentSelf:
    session = await services.accounts.student_sign_up(body, address=address_of(request))
    return _signed_in(session, request, response, services)


@router.post("/sign-in", dependencies=[SameOrigin])
async def sign_in(
    body: SignIn, request: Request, response: Response, services: Backend
) -> StudentSelf:
    session = await services.accounts.student_sign_in(body, address=address_of(request))
    return _signed_in(session, request, response, services)


@router.post("/sign-out", status_code=204, dependencies=[SameOrigin])
async def sign_out(
    _: SignedInStudent, request: Request, response: Response, services: Backend
) -> None:
    await services.accounts.student_sign_out(request.cookies[COOKIE])
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")


@router.get("/cards")
async def cards(student: Visitor, services: Backend) -> StudentCards:
    return await services.orchestrator.cards(student)


@router.post("/enroll", dependencies=[SameOrigin])
async def enroll(
    body: EnrollRequest, student: SignedInStudent, key: IdempotencyKey, services: Backend
) -> Payment:
    return await services.orchestrator.enroll(student, body.course, body.method, key=key)


@router.get("/payment/{course}")
async def payment(course: UUID, student: SignedInStudent, services: Backend) -> Payment:
    return await services.orchestrator.payment(student, course)


@router.post("/eft", dependencies=[SameOrigin])
async def eft(
    body: CourseRequest, student: SignedInStudent, key: IdempotencyKey, services: Backend
) -> CardView:
    """The student says: I have paid."""
    return await services.orchestrator.submit_eft(student, body.course, key=key)


@router.get("/lessons/{course}")
async def lessons(course: UUID, student: SignedInStudent, services: Backend) -> LessonPage:
    return await services.access.lessons(student, course)


def _signed_in(
    session: StudentSession, request: Request, response: Response, services: Backend
) -> StudentSelf:
    identity = session.identity
    left = identity.expires_at - services.config.clock()
    response.set_cookie(
        COOKIE,
        session.token,
        max_age=max(0, int(left.total_seconds())),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.app.state.https,
    )
    return StudentSelf(id=identity.student, name=identity.name)
