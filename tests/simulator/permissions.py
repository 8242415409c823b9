"""What an administrator takes from the staff, as commands to whichever node runs."""

from __future__ import annotations

from core.backend.services.administration_commands import (
    EndSessionsCommand,
    SetDisabledCommand,
    SetRolesCommand,
)
from core.backend.services.commands import RevokeDeviceCommand
from core.domain.roles import SYSTEM, Role
from tests.simulator.chance import Chance
from tests.simulator.world import World


def device_is_revoked(world: World, chance: Chance) -> str | None:
    return revoke(world, chance.randrange(len(world.staff)))


def revoke(world: World, number: int) -> str:
    """Not undone: the officer would need a new key."""
    person = world.staff[number]
    world.command(RevokeDeviceCommand(device=person.key.id, actor=SYSTEM, key=world.new_key()))
    return f"the device of {person.name} is revoked"


def officer_is_disabled(world: World, chance: Chance) -> str | None:
    return disable(world, chance.randrange(len(world.staff)), disabled=chance.happens(0.6))


def disable(world: World, number: int, *, disabled: bool) -> str:
    """Or enable again."""
    person = world.staff[number]
    change = world.book.disabled.add if disabled else world.book.disabled.discard
    change(number)
    world.command(
        SetDisabledCommand(
            user=person.id, disabled=disabled, actor=SYSTEM, session=None, key=world.new_key()
        )
    )
    return f"{person.name} is {'disabled' if disabled else 'enabled'}"


def role_is_changed(world: World, chance: Chance) -> str | None:
    person = chance.choice(world.staff)
    role = chance.choice([person.role, person.role, Role.ADMINISTRATOR])
    world.command(
        SetRolesCommand(
            user=person.id, roles=frozenset({role}), actor=SYSTEM, session=None,
            key=world.new_key(),
        )
    )  # fmt: skip
    return f"{person.name} is {role} now"


def sessions_are_ended(world: World, chance: Chance) -> str | None:
    person = chance.choice(world.staff)
    world.command(
        EndSessionsCommand(
            user=person.id, family=None, keep=None, actor=SYSTEM, session=None,
            key=world.new_key(),
        )
    )  # fmt: skip
    return f"the sessions of {person.name} are ended"
