"""The part of `bursar-backend` about the house: staff, devices, and the workspace itself."""

from __future__ import annotations

import sys
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import ValidationError

from core.backend.cli_shared import Data, EnvFile, config_of, with_services
from core.backend.services.container import Services
from core.domain.money import MoneyError, format_rand, parse_rand
from core.domain.roles import STAFF_ROLES, Role
from core.protocol.messages import SignIn, StaffMember, WorkspaceSettings

_MAX_LINE = 1000

user_app = typer.Typer(no_args_is_help=True, help="The staff.")
devices_app = typer.Typer(no_args_is_help=True, help="The devices that sign decisions.")
workspace_app = typer.Typer(no_args_is_help=True, help="The house: name, bank account, threshold.")

Email = Annotated[str, typer.Argument(help="What the person signs in with.")]
Roles = Annotated[list[Role], typer.Option("--role", help="officer, supervisor, administrator.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@user_app.command("add")
def user_add(
    *,
    email: Annotated[str, typer.Option(help="What the person signs in with.")],
    name: Annotated[str, typer.Option(help="The person's name, as others read it.")],
    role: Roles,
    password_stdin: FromStdin = False,
    data: Data = None,
    env_file: EnvFile = None,
) -> None:
    """Add somebody to the staff. The password is asked for, never given on the command line."""
    _check_roles(role)
    config = config_of(data, env_file)
    password = _read_password(email, from_stdin=password_stdin)
    user = with_services(
        config,
        lambda services: services.accounts.add_user(
            email=email, name=name, password=password, roles=frozenset(role)
        ),
    )
    typer.echo(f"Added {user}.")


@user_app.command("list")
def user_list(*, data: Data = None, env_file: EnvFile = None) -> None:
    """Everybody on the staff, a line each."""
    found = with_services(config_of(data, env_file), lambda services: services.users.list())
    for user in found.users:
        typer.echo(_worded(user))


@user_app.command("disable")
def user_disable(email: Email, *, data: Data = None, env_file: EnvFile = None) -> None:
    """End somebody's sessions and let them sign in no more."""
    _set_disabled(email, data, env_file, disabled=True)


@user_app.command("enable")
def user_enable(email: Email, *, data: Data = None, env_file: EnvFile = None) -> None:
    """Let somebody sign in again."""
    _set_disabled(email, data, env_file, disabled=False)


@user_app.command("roles")
def user_roles(email: Email, *, role: Roles, data: Data = None, env_file: EnvFile = None) -> None:
    """Give somebody exactly these roles."""
    _check_roles(role)

    async def work(services: Services) -> StaffMember:
        user = await services.users.find(email)
        return await services.users.set_roles(services.users.by_system(), user, frozenset(role))

    typer.echo(_worded(with_services(config_of(data, env_file), work)))


@user_app.command("password")
def user_password(
    email: Email,
    *,
    password_stdin: FromStdin = False,
    data: Data = None,
    env_file: EnvFile = None,
) -> None:
    """Give somebody a new password, to be changed at the next sign-in; their sessions end."""
    config = config_of(data, env_file)
    password = _read_password(email, from_stdin=password_stdin)

    async def work(services: Services) -> None:
        user = await services.users.find(email)
        await services.users.reset_password(services.users.by_system(), user, password)

    with_services(config, work)
    typer.echo("The password is set; it must be changed at the next sign-in.")


@devices_app.command("code")
def devices_code(*, data: Data = None, env_file: EnvFile = None) -> None:
    """Print a one-time code with which an administrator enrolls a first device; good for a day."""
    code = with_services(config_of(data, env_file), lambda services: services.devices.new_code())
    typer.echo(code)


@devices_app.command("list")
def devices_list(*, data: Data = None, env_file: EnvFile = None) -> None:
    """Every device with its state and fingerprint, and the requests that wait."""
    book = with_services(config_of(data, env_file), lambda services: services.devices.book())
    for request in book.requests:
        typer.echo(f"{request.device}  waiting  {request.fingerprint}  {request.user_name}")
    for device in book.devices:
        root = "  first device" if device.root else ""
        line = f"{device.id}  {device.state.value}  {device.fingerprint}  {device.user_name}{root}"
        typer.echo(line)


@devices_app.command("revoke")
def devices_revoke(
    device: Annotated[UUID, typer.Argument(help="The device's id, as `devices list` prints it.")],
    *,
    data: Data = None,
    env_file: EnvFile = None,
) -> None:
    """Revoke a device from here, when no administrator's device is left to sign for it."""
    with_services(
        config_of(data, env_file), lambda services: services.devices.revoke_by_system(device)
    )
    typer.echo("Revoked.")


@workspace_app.command("show")
def workspace_show(*, data: Data = None, env_file: EnvFile = None) -> None:
    """Print the name, the bank account and the threshold."""
    settings = with_services(
        config_of(data, env_file), lambda services: services.workspace.settings()
    )
    _show(settings)


@workspace_app.command("set")
def workspace_set(
    *,
    name: Annotated[str | None, typer.Option(help="The name of the house.")] = None,
    bank: Annotated[str | None, typer.Option(help="The bank that students pay into.")] = None,
    account_name: Annotated[str | None, typer.Option()] = None,
    account_number: Annotated[str | None, typer.Option()] = None,
    branch_code: Annotated[str | None, typer.Option()] = None,
    two_signatures_from: Annotated[
        str | None, typer.Option(help="An amount in rand, such as 20000.00, or `never`.")
    ] = None,
    data: Data = None,
    env_file: EnvFile = None,
) -> None:
    """Set what is given and leave the rest as it is."""
    given: dict[str, Any] = {
        "name": name,
        "bank": bank,
        "account_name": account_name,
        "account_number": account_number,
        "branch_code": branch_code,
    }
    given = {field: value for field, value in given.items() if value is not None}
    if two_signatures_from is not None:
        given["threshold_cents"] = _threshold(two_signatures_from)

    async def work(services: Services) -> WorkspaceSettings:
        now = await services.workspace.settings()
        try:
            wanted = WorkspaceSettings.model_validate(now.model_dump() | given)
        except ValidationError as error:
            field = str(error.errors()[0]["loc"][0]).replace("_", "-")
            raise typer.BadParameter(f"--{field} is too short or too long") from None
        return await services.workspace.change_settings(services.users.by_system(), wanted)

    _show(with_services(config_of(data, env_file), work))


def _set_disabled(email: str, data: Data, env_file: EnvFile, *, disabled: bool) -> None:
    async def work(services: Services) -> StaffMember:
        user = await services.users.find(email)
        by = services.users.by_system()
        return await services.users.set_disabled(by, user, disabled=disabled)

    typer.echo(_worded(with_services(config_of(data, env_file), work)))


def _worded(user: StaffMember) -> str:
    roles = ", ".join(role.value for role in user.roles)
    state = "disabled" if user.disabled else "active"
    return f"{user.email}  {user.name}  {roles}  {state}"


def _show(settings: WorkspaceSettings) -> None:
    cents = settings.threshold_cents
    typer.echo(f"Name: {settings.name}")
    typer.echo(f"Bank: {settings.bank or '-'}")
    typer.echo(f"Account name: {settings.account_name or '-'}")
    typer.echo(f"Account number: {settings.account_number or '-'}")
    typer.echo(f"Branch code: {settings.branch_code or '-'}")
    typer.echo(f"Two signatures from: {'never' if cents is None else format_rand(cents)}")


def _threshold(text: str) -> int | None:
    if text == "never":
        return None
    try:
        return parse_rand(text)
    except MoneyError as error:
        raise typer.BadParameter(str(error)) from None


def _check_roles(roles: list[Role]) -> None:
    if not STAFF_ROLES.issuperset(roles):
        raise typer.BadParameter("a member of the staff is officer, supervisor or administrator")


def _read_password(email: str, *, from_stdin: bool) -> str:
    """A password that can be typed when signing in. Raises BadParameter."""
    if from_stdin:
        password = sys.stdin.readline(_MAX_LINE).rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        SignIn(email=email, password=password)
    except ValidationError as error:
        wrong = str(error.errors()[0]["loc"][0])
        raise typer.BadParameter(
            f"the {wrong} is too short, too long or has a wrong form"
        ) from None
    return password
