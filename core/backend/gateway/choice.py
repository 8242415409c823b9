"""Which card provider a backend uses, and opening it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from core.backend.gateway.ikhokha import IkhokhaProvider
from core.backend.gateway.ikpay import Credentials, IkPayClient
from core.backend.gateway.sandbox.provider import SandboxProvider

CardChoice = Literal["none", "ikhokha", "sandbox"]
CardMode = Literal["live", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardConfig:
    """`credentials` go with every provider but none, `sandbox_address` with the sandbox.

    `previous_secret` still verifies callbacks for as long as it is set, after a change of keys.
    """

    provider: CardChoice = "none"
    mode: CardMode = "live"
    credentials: Credentials | None = None
    previous_secret: SecretStr | None = None
    sandbox_address: str | None = None

    @property
    def callback_secrets(self) -> tuple[str, ...]:
        """What callbacks may be signed with, the current one first."""
        if self.credentials is None:
            return ()
        secrets = (self.credentials.secret, self.previous_secret)
        return tuple(secret.get_secret_value() for secret in secrets if secret is not None)


def open_card_provider(config: CardConfig) -> IkPayClient | None:
    """The provider, to be closed with `aclose`; None where cards are not offered.

    Raises ValueError for a configuration that lacks something.
    """
    if config.provider == "none":
        return None
    if config.credentials is None:
        raise ValueError("The card provider needs its keys.")
    if config.provider == "ikhokha":
        return IkhokhaProvider(config.credentials, mode=config.mode)
    return SandboxProvider(config.sandbox_address or "", config.credentials)
