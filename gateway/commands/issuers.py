"""`gateway issuer`: whose tokens of members are trusted."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from gateway.commands.shared import OrganizationOption, TenantOption, read_id, say, with_database
from gateway.ids import IdKind, encode_id
from gateway.settings import Settings
from gateway.signing_in.issuer import KEYS_PATH, SUBJECT_CLAIM
from gateway.signing_in.issuers import add_issuer, list_issuers, remove_issuer
from gateway.signing_in.opening import issuer_addresses
from gateway.storage.database import Database

issuer_application = typer.Typer(help="Issuers of members' tokens (JWT).", no_args_is_help=True)


@issuer_application.command("add")
def issuer_add(
    tenant: TenantOption,
    organization: OrganizationOption,
    issuer: Annotated[str, typer.Option(help="Its address, exactly as tokens have it in `iss`.")],
    audience: Annotated[str, typer.Option(help="What tokens for this gateway have in `aud`.")],
    jwks: Annotated[
        str | None, typer.Option(help=f"Where its keys are; {KEYS_PATH} below it if left out.")
    ] = None,
    member_claim: Annotated[
        str, typer.Option(help="The claim that holds the member's external id.")
    ] = SUBJECT_CLAIM,
) -> None:
    """Trust the tokens that an issuer signs to say which member calls."""

    async def work(database: Database) -> None:
        added = await add_issuer(
            database,
            issuer_addresses(Settings.from_environment()),
            tenant,
            read_id(IdKind.ORGANIZATION, organization, "--organization"),
            issuer,
            audience,
            jwks_url=jwks,
            member_claim=member_claim,
        )
        say(f"issuer: {added.id}")
        say(f"keys:   {added.jwks_url}")

    with_database(work)


@issuer_application.command("list")
def issuer_list(tenant: TenantOption) -> None:
    """Show a tenant's issuers."""

    async def work(database: Database) -> None:
        for issuer in await list_issuers(database, tenant):
            state = "removed" if issuer.removed_at else "trusted"
            organization = encode_id(IdKind.ORGANIZATION, issuer.organization_id)
            facts = f"audience {issuer.audience}  keys {issuer.jwks_url}  {issuer.member_claim}"
            say(f"{issuer.id}  {state}  {organization}  {issuer.url}  {facts}")

    with_database(work)


@issuer_application.command("remove")
def issuer_remove(
    tenant: TenantOption,
    issuer: Annotated[UUID, typer.Argument(metavar="ISSUER", help="Its id, as `add` showed it.")],
) -> None:
    """Trust an issuer no more; running gateways refuse its tokens within about a second."""

    async def work(database: Database) -> None:
        await remove_issuer(database, tenant, issuer)
        say("The issuer is removed.")

    with_database(work)
