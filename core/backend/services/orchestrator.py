"""`ProductionPaymentOrchestrator`: a student's way: enroll, be routed, pay, be let in.

Every change goes through the writer and the state manager; here nothing is decided. A card goes to
the provider in steps (attempt, link, confirmation), each kept before the next begins.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from core.backend.gateway.provider import CardProvider
from core.backend.services.card_deciders import ALREADY_STARTED
from core.backend.services.card_links import CardLinks
from core.backend.services.commands import EnrollCommand, SubmitEftCommand
from core.backend.services.confirmations import Confirmations
from core.backend.services.errors import ConflictError, InvalidError, NotFoundError, ServiceError
from core.backend.services.identities import StudentIdentity
from core.backend.services.payment_commands import AskManualCommand, StartCardCommand
from core.backend.services.rows import card_view
from core.backend.services.student_cards import (
    Owed,
    bank_details,
    card_payment,
    read_cards,
    read_owed,
)
from core.backend.services.submitting import submit
from core.backend.storage import lookups
from core.backend.storage.command import Answer
from core.backend.storage.reader import Reader
from core.backend.storage.writer import Writer
from core.domain.enrollment import AttemptStatus, EnrollmentStatus, PaymentMethod
from core.domain.references import make_reference
from core.domain.routing import MethodUnavailableError, PaymentMethodRouter
from core.protocol.messages import (
    CardView,
    Payment,
    StudentCards,
    StudentHouse,
    StudentSelf,
)

SPARE_REFERENCES = 4  # should one be taken
# A student who comes back from the pay page has the provider asked at most this often.
ASK_AGAIN_AFTER = timedelta(seconds=10)


class SimulatedProviderError(Exception):
    """In production no card payment may go to a provider that moves no real money."""


def refuse_simulated(provider: CardProvider | None, *, production: bool) -> None:
    """Raises SimulatedProviderError."""
    if production and provider is not None and not provider.live:
        raise SimulatedProviderError(
            f"The card provider {provider.name!r} moves no real money: not in production."
        )


class ProductionPaymentOrchestrator:
    """`links` None: no card payments here. `production`: only a provider of real money is let in.

    Raises SimulatedProviderError.
    """

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        router: PaymentMethodRouter,
        confirmations: Confirmations,
        links: CardLinks | None,
        production: bool,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        refuse_simulated(links.provider if links else None, production=production)
        self._reader = reader
        self._writer = writer
        self._router = router
        self._confirmations = confirmations
        self._links = links
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes

    async def cards(self, student: StudentIdentity | None) -> StudentCards:
        """Every course's card as this visitor sees it; None is somebody not signed in."""
        cards = await self._reader.run(
            lambda c: read_cards(c, student.student if student else None)
        )
        person = StudentSelf(id=student.student, name=student.name) if student else None
        return StudentCards(student=person, cards=cards)

    async def house(self) -> StudentHouse:
        """What anybody may know of the house before paying."""
        settings = await self._reader.run(lookups.read_settings)
        return StudentHouse(
            demo=settings.demo,
            methods=self._methods(has_bank=settings.has_bank),
            simulated=self._links is not None and not self._links.provider.live,
        )

    async def enroll(
        self, student: StudentIdentity, course: UUID, method: PaymentMethod, *, key: str
    ) -> Payment:
        """One pending enrollment, and how to pay for it: for a card, the provider's page.

        Raises InvalidError (method not offered), NotFoundError, ConflictError, BusyError.
        """
        self._route(method)
        command = EnrollCommand(
            student=student.student,
            course=course,
            method=method,
            enrollment=self._new_id(),
            references=tuple(make_reference(self._pick) for _ in range(SPARE_REFERENCES)),
            key=key,
        )
        answer = (await submit(self._writer, command)).answer
        if answer.index is None and answer.code != "wrong_state":
            raise _error(answer)
        # Enrolled before, in another tab perhaps: there is one record, and this is how to pay it.
        if method is PaymentMethod.CARD:
            return await self.start_card(student, course, key=_second_key(key))
        return await self.payment(student, course)

    async def payment(self, student: StudentIdentity, course: UUID) -> Payment:
        """How to pay for a pending enrollment, and how far a card payment is.

        Raises NotFoundError, ConflictError.
        """
        owed = await self._owed(student, course)
        if owed.enrollment.status is not EnrollmentStatus.PENDING:
            message = f"There is nothing to pay: this enrollment is {owed.enrollment.status.value}."
            raise ConflictError("wrong_state", message)
        return self._view(owed)

    # --- card ----------------------------------------------------------------------------------

    async def start_card(self, student: StudentIdentity, course: UUID, *, key: str) -> Payment:
        """A link to pay on, for the same enrollment; one that is open already is given again.

        What the provider did not do is told in the `card_payment` of the answer, not raised.
        Raises InvalidError (cards not offered), NotFoundError, ConflictError, BusyError.
        """
        self._route(PaymentMethod.CARD)
        links = self._links
        if links is None:
            raise InvalidError("method_unavailable", "Paying by card is not offered here.")
        attempt = self._new_id()
        command = StartCardCommand(
            student=student.student, course=course, attempt=attempt,
            provider=links.provider.name, key=key,
        )  # fmt: skip
        answer = (await submit(self._writer, command)).answer
        if answer.subject is None or (answer.index is None and answer.code != ALREADY_STARTED):
            raise _error(answer)
        owed = await self._owed(student, course)
        # Asked before: what was begun then is brought to its end.
        is_new = answer.subject == attempt
        await links.ready(answer.subject, owed.enrollment.reference, is_new=is_new)
        return self._view(await self._owed(student, course))

    async def check_card(self, student: StudentIdentity, course: UUID) -> CardView:
        """Back from the pay page, which proves nothing: the provider is asked, now and then only.

        Raises NotFoundError, BusyError.
        """
        owed = await self._owed(student, course)
        attempt = owed.newest
        link = owed.links.get(attempt.id) if attempt else None
        if attempt is not None and link is not None and attempt.status is not AttemptStatus.PAID:
            asked = link.asked_at
            if asked is None or self._clock() - asked >= ASK_AGAIN_AFTER:
                await self._confirmations.confirm(attempt=attempt.id)
        return await self._card(student, course)

    async def ask_manual(self, student: StudentIdentity, course: UUID, *, key: str) -> CardView:
        """After several failed cards: a person is to look, and approves or not.

        Raises NotFoundError, ConflictError (too few failures), BusyError.
        """
        command = AskManualCommand(
            student=student.student, course=course, claim=self._new_id(), key=key
        )
        return await self._claimed(student, course, (await submit(self._writer, command)).answer)

    # --- EFT -----------------------------------------------------------------------------------

    async def submit_eft(self, student: StudentIdentity, course: UUID, *, key: str) -> CardView:
        """ "I have paid": the claim waits for an officer from now on.

        Raises NotFoundError, ConflictError, BusyError.
        """
        command = SubmitEftCommand(
            student=student.student, course=course, claim=self._new_id(), key=key
        )
        return await self._claimed(student, course, (await submit(self._writer, command)).answer)

    async def _claimed(self, student: StudentIdentity, course: UUID, answer: Answer) -> CardView:
        # Said before, in another tab perhaps: it waits already, and that is what was wanted.
        if answer.index is None and answer.code != "claim_waiting":
            raise _error(answer)
        return await self._card(student, course)

    # --- reading -------------------------------------------------------------------------------

    def _route(self, method: PaymentMethod) -> None:
        """Raises InvalidError where the method is not offered."""
        try:
            self._router.route_for_student(method)
        except MethodUnavailableError as error:
            raise InvalidError("method_unavailable", str(error)) from error

    async def _owed(self, student: StudentIdentity, course: UUID) -> Owed:
        owed = await self._reader.run(lambda c: read_owed(c, student.student, course))
        if owed is None:
            raise NotFoundError("not_enrolled", "Please enroll first.")
        return owed

    async def _card(self, student: StudentIdentity, course: UUID) -> CardView:
        cards = await self._reader.run(lambda c: read_cards(c, student.student))
        return next(card for card in cards if card.course == course)

    def _view(self, owed: Owed) -> Payment:
        """Raises ConflictError where there is no way to pay at all."""
        enrollment, settings = owed.enrollment, owed.settings
        methods = self._methods(has_bank=settings.has_bank)
        if not methods:
            raise ConflictError("no_bank_details", "The bank details are not set up here yet.")
        pays = enrollment.status is EnrollmentStatus.PENDING
        return Payment(
            card=card_view(owed.course, enrollment),
            methods=methods if pays else (),
            bank=bank_details(settings, enrollment) if pays and settings.has_bank else None,
            card_payment=card_payment(owed) if pays else None,
        )

    def _methods(self, *, has_bank: bool) -> tuple[PaymentMethod, ...]:
        """What this student can really use here and now, cards first."""
        offered = (PaymentMethod.CARD, PaymentMethod.EFT)
        return tuple(
            method
            for method in offered
            if method in self._router.offered and (has_bank or method is not PaymentMethod.EFT)
        )

    def _pick(self, below: int) -> int:
        """A fair random number below `below` (at most 256): odd ends are thrown away."""
        fair = 256 - 256 % below
        while (byte := self._random_bytes(1)[0]) >= fair:
            pass
        return byte % below


def _second_key(key: str) -> str:
    """The key of the payment that begins with an enrollment: one request is two commands."""
    return f"card-{sha256(key.encode()).hexdigest()}"


def _error(answer: Answer) -> ServiceError:
    if answer.code in {"unknown_course", "not_enrolled"}:
        return NotFoundError(answer.code, answer.message)
    return ConflictError(answer.code, answer.message)
