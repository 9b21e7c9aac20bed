"""`gateway token`: make, show, rotate and end the tokens of partners and members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from gateway.access import PARTNER_SCOPES, Scope
from gateway.commands.daily_maxima import read_daily_maxima
from gateway.commands.shared import OrganizationOption, TenantOption, read_id, say, with_database
from gateway.commands.times import read_duration, read_end, show
from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import from_minor
from gateway.ledger.limits import DailyLimit
from gateway.storage.database import Database
from gateway.tenants.credentials import create_member_token, create_partner_token, revoke_token
from gateway.tenants.credentials_store import Credential, fetch_credentials
from gateway.tenants.daily_limits import (
    check_daily_limits,
    fetch_daily_limits,
    set_daily_limits,
)
from gateway.tenants.rotation import rotate_token

# Whoever has one of them can create value.
ISSUING_SCOPES = frozenset({Scope.GRANT, Scope.ISSUE, Scope.DISTRIBUTE, Scope.CATALOG})

token_application = typer.Typer(help="Tokens of partners and members.", no_args_is_help=True)

CredentialArgument = Annotated[
    UUID, typer.Argument(metavar="CREDENTIAL", help="The credential's id, as `create` showed it.")
]
DailyMaxOption = Annotated[
    list[str] | None,
    typer.Option(
        "--daily-max",
        metavar="ASSET=AMOUNT",
        help="How much of an asset, by its code, it may issue in a day (UTC), such as USD=500; USD=none "
        "for any amount; repeat it for each.",
    ),
]
ExpiresOption = Annotated[
    str | None,
    typer.Option(
        "--expires", help="When it ends: a duration such as 90d, or a date. Never if left out."
    ),
]


@token_application.command("create")
def token_create(
    tenant: TenantOption,
    organization: OrganizationOption,
    label: Annotated[str, typer.Option(help="What the token is for.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do; repeat it for each.")
    ] = None,
    all_scopes: Annotated[
        bool, typer.Option("--all-scopes", help="It may do everything that a partner can.")
    ] = False,
    daily_max: DailyMaxOption = None,
    no_daily_max: Annotated[
        bool,
        typer.Option("--no-daily-max", help="It may issue any amount of every asset in a day."),
    ] = False,
    expires: ExpiresOption = None,
    member: Annotated[
        str | None, typer.Option(help="Make a member's own token instead: mem_….")
    ] = None,
    partner: Annotated[
        UUID | None,
        typer.Option(
            help="Idempotency keys are counted per partner: name one to keep its keys apart from "
            "those of the organization's other tokens."
        ),
    ] = None,
    reach: Annotated[
        list[str] | None,
        typer.Option(help="Another organization for which it may act: org_…; repeat it."),
    ] = None,
    till: Annotated[
        str | None,
        typer.Option(
            help="Bind it to this till of the organization: all that it issues is issued there."
        ),
    ] = None,
) -> None:
    """Make a token and show it, this once: only a hash of it is kept."""
    expires_at = read_end(expires, "--expires") if expires else None
    scopes = frozenset() if member else _read_scopes(scope, is_all=all_scopes)
    _refuse_for_member(
        member,
        scope=scope or all_scopes,
        daily_max=daily_max,
        partner=partner,
        reach=reach,
        till=till,
    )
    maxima = read_daily_maxima(daily_max or ())
    if scopes & ISSUING_SCOPES and bool(maxima) == no_daily_max:
        message = (
            "say how much of each asset the token may issue in a day, such as USD=500, or --no-daily-max "
            "for any amount"
        )
        raise typer.BadParameter(message, param_hint="--daily-max")

    async def work(database: Database) -> None:
        organization_id = read_id(IdKind.ORGANIZATION, organization, "--organization")
        limits = await check_daily_limits(database, tenant, maxima)
        if member is not None:
            member_id = read_id(IdKind.MEMBER, member, "--member")
            created = await create_member_token(
                database, tenant, organization_id, member_id, label=label, expires_at=expires_at
            )
        else:
            created = await create_partner_token(
                database,
                tenant,
                organization_id,
                label,
                scopes,
                partner_id=partner,
                expires_at=expires_at,
                reach=[read_id(IdKind.ORGANIZATION, one, "--reach") for one in reach or ()],
                till=till,
            )
        # Before anybody has the token, so that it never issues more.
        if limits:
            await set_daily_limits(database, tenant, created.credential.id, limits)
        say(f"credential: {created.credential.id}")
        say(f"scopes:     {', '.join(sorted(created.credential.scopes))}")
        say(f"expires:    {show(expires_at)}")
        say(f"token:      {created.text}")

    with_database(work)


def _read_scopes(named: Sequence[Scope] | None, *, is_all: bool) -> frozenset[Scope]:
    """Return the scopes of a partner's token: those that are named, or all where `--all-scopes` says so."""
    if bool(named) == is_all:
        names = ", ".join(sorted(PARTNER_SCOPES))
        message = f"name what the token may do, each of: {names}; or --all-scopes for all of them"
        raise typer.BadParameter(message, param_hint="--scope")
    if is_all:
        typer.echo(
            "gateway: this token may do everything a partner can, for every member of the tenant: "
            f"{', '.join(sorted(PARTNER_SCOPES))}.",
            err=True,
        )
    return PARTNER_SCOPES if is_all else frozenset(named or ())


def _refuse_for_member(member: str | None, **options: object) -> None:
    """Refuse options that a member's own token does not have, rather than pass over them."""
    given = [f"--{name}" for name, value in options.items() if value]
    if member is not None and given:
        message = "a member's own token has the scope member and nothing else"
        raise typer.BadParameter(message, param_hint=", ".join(given))


@token_application.command("list")
def token_list(tenant: TenantOption) -> None:
    """Show a tenant's credentials, without their secrets."""

    async def work(database: Database) -> None:
        async with database.connection() as connection:
            credentials = await fetch_credentials(connection, tenant)
        limits = await fetch_daily_limits(database, tenant)
        for credential in credentials:
            say(_describe(credential, limits.get(credential.id, ()), datetime.now(UTC)))

    with_database(work)


def _describe(credential: Credential, limits: Sequence[DailyLimit], now: datetime) -> str:
    state = "active"
    if credential.expires_at is not None and credential.expires_at <= now:
        state = "expired"
    if credential.revoked_at is not None:
        state = "revoked"
    parts = [
        f"{credential.id}  {state:8}",
        credential.label,
        ",".join(sorted(credential.scopes)),
        f"expires {show(credential.expires_at)}",
        f"used {show(credential.last_used_at)}",
    ]
    parts += [
        f"{limit.asset_code} at most {from_minor(limit.maximum_minor, limit.scale):f} a day"
        for limit in limits
    ]
    if credential.till_id is not None:
        parts.append(f"till {encode_id(IdKind.TILL, credential.till_id)}")
    if credential.previous_until is not None and credential.previous_until > now:
        parts.append(f"two tokens until {show(credential.previous_until)}")
    return "  ".join(parts)


@token_application.command("rotate")
def token_rotate(
    tenant: TenantOption,
    credential: CredentialArgument,
    overlap: Annotated[
        str,
        typer.Option(help="How long the old token stays good, such as 24h; 0s ends it at once."),
    ] = "24h",
    expires: Annotated[
        str | None,
        typer.Option(help="When the credential ends: a duration or a date. As before if left out."),
    ] = None,
) -> None:
    """Make a new token of the same credential and show it; the old one stays good for a while."""
    overlap_time = read_duration(overlap, "--overlap")
    expires_at = read_end(expires, "--expires") if expires else None

    async def work(database: Database) -> None:
        rotated = await rotate_token(
            database, tenant, credential, overlap=overlap_time, expires_at=expires_at
        )
        ends = show(rotated.previous_until) if rotated.previous_until else "now"
        say(f"old token:  ends {ends}")
        say(f"expires:    {show(rotated.expires_at)}")
        say(f"token:      {rotated.text}")

    with_database(work)


@token_application.command("limit")
def token_limit(
    tenant: TenantOption, credential: CredentialArgument, daily_max: DailyMaxOption = None
) -> None:
    """Change how much of an asset a credential may issue in a day; running gateways know within a second."""
    maxima = read_daily_maxima(daily_max or ())
    if not maxima:
        raise typer.BadParameter("name at least one, such as USD=500", param_hint="--daily-max")

    async def work(database: Database) -> None:
        limits = await check_daily_limits(database, tenant, maxima)
        await set_daily_limits(database, tenant, credential, limits)
        say("The limits are set.")

    with_database(work)


@token_application.command("revoke")
def token_revoke(tenant: TenantOption, credential: CredentialArgument) -> None:
    """End a credential and its tokens for ever; running gateways refuse them within a second."""

    async def work(database: Database) -> None:
        await revoke_token(database, tenant, credential)
        say("The token is revoked.")

    with_database(work)
