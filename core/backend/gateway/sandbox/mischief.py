"""What a sandbox does wrong on request."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Mischief(BaseModel):
    """What goes wrong from now on; as it stands, nothing.

    Callbacks: `copies` of each are sent (0 drops it), after `delay_seconds`; `hold` keeps them
    until they are released, in any order; `form` sends forms instead of JSON; `text` is added to
    the body, outside of what is signed; `sign_raw` signs the body as it travels; `forged` signs
    with another secret; `early` pays and calls back before the create call is answered.
    Answers: `amount_cents` is what status and history say of every link; `failing_creates` and
    `failing_reads` count the answers that will be 500; with `create_anyway` the link is made all
    the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    copies: int = Field(default=1, ge=0, le=10)
    delay_seconds: float = Field(default=0.0, ge=0, le=3600)
    hold: bool = False
    form: bool = False
    text: str | None = Field(default=None, max_length=200)
    sign_raw: bool = False
    forged: bool = False
    early: bool = False
    amount_cents: int | None = Field(default=None, gt=0, le=10**9)
    failing_creates: int = Field(default=0, ge=0, le=1000)
    create_anyway: bool = False
    failing_reads: int = Field(default=0, ge=0, le=1000)
