"""The student's side: sign-up, course cards, paying, lessons."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from core.backend.services.identities import StudentSession
from core.backend.web.auth import (
    Backend,
    IdempotencyKey,
    Public,
    SameOrigin,
    SignedInStudent,
    Visitor,
    address_of,
    cookie_name,
    label_of,
)
from core.protocol.messages import (
    CardView,
    CourseRequest,
    EnrollRequest,
    LessonPage,
    PasswordChange,
    Payment,
    SessionList,
    SignIn,
    SignUp,
    StudentCards,
    StudentHouse,
    StudentSelf,
)

router = APIRouter(prefix="/api/student")


@router.post("/sign-up", dependencies=[Public, SameOrigin])
async def sign_up(
    body: SignUp, request: Request, response: Response, services: Backend
) -> StudentSelf:
    session = await services.accounts.student_sign_up(
        body, address=address_of(request), label=label_of(request)
    )
    return _signed_in(session, request, response, services)


@router.post("/sign-in", dependencies=[Public, SameOrigin])
async def sign_in(
    body: SignIn, request: Request, response: Response, services: Backend
) -> StudentSelf:
    session = await services.accounts.student_sign_in(
        body, address=address_of(request), label=label_of(request)
    )
    return _signed_in(session, request, response, services)


@router.post("/sign-out", status_code=204, dependencies=[SameOrigin])
async def sign_out(
    _: SignedInStudent, request: Request, response: Response, services: Backend
) -> None:
    name = cookie_name(request)
    await services.accounts.student_sign_out(request.cookies[name])
    # A cookie with the __Host- prefix is deleted only by one that is Secure, too.
    response.delete_cookie(
        name, path="/", httponly=True, samesite="lax", secure=request.app.state.https
    )


@router.post("/password", status_code=204, dependencies=[SameOrigin])
async def change_password(
    body: PasswordChange, student: SignedInStudent, services: Backend
) -> None:
    """Every other browser of the student is signed out."""
    await services.own_account.change_student_password(student, body)


@router.get("/sessions")
async def sessions(student: SignedInStudent, services: Backend) -> SessionList:
    return await services.own_account.student_sessions(student)


@router.delete("/sessions", status_code=204, dependencies=[SameOrigin])
async def end_other_sessions(student: SignedInStudent, services: Backend) -> None:
    await services.own_account.end_other_student_sessions(student)


@router.delete("/sessions/{session}", status_code=204, dependencies=[SameOrigin])
async def end_session(session: UUID, student: SignedInStudent, services: Backend) -> None:
    await services.own_account.end_student_session(student, session)


@router.get("/cards")
async def cards(student: Visitor, services: Backend) -> StudentCards:
    return await services.orchestrator.cards(student)


@router.get("/house", dependencies=[Public])
async def house(services: Backend) -> StudentHouse:
    return await services.orchestrator.house()


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


@router.post("/card", dependencies=[SameOrigin])
async def start_card(
    body: CourseRequest, student: SignedInStudent, key: IdempotencyKey, services: Backend
) -> Payment:
    """A page of the provider to pay on: the one that is open, or a new one after a failure."""
    return await services.orchestrator.start_card(student, body.course, key=key)


@router.post("/card/check", dependencies=[SameOrigin])
async def check_card(body: CourseRequest, student: SignedInStudent, services: Backend) -> CardView:
    """The student is back from the pay page: the provider is asked what became of it."""
    return await services.orchestrator.check_card(student, body.course)


@router.post("/manual", dependencies=[SameOrigin])
async def ask_manual(
    body: CourseRequest, student: SignedInStudent, key: IdempotencyKey, services: Backend
) -> CardView:
    """After several failed cards: a person is to look."""
    return await services.orchestrator.ask_manual(student, body.course, key=key)


@router.get("/lessons/{course}")
async def lessons(course: UUID, student: SignedInStudent, services: Backend) -> LessonPage:
    return await services.access.lessons(student, course)


def _signed_in(
    session: StudentSession, request: Request, response: Response, services: Backend
) -> StudentSelf:
    identity = session.identity
    left = identity.expires_at - services.config.clock()
    response.set_cookie(
        cookie_name(request),
        session.token,
        max_age=max(0, int(left.total_seconds())),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.app.state.https,
    )
    return StudentSelf(id=identity.student, name=identity.name)
