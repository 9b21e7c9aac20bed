"""Seed the demo tenant into an empty database, and remember its tokens and ids in `demo.json`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from gateway.access import PARTNER_SCOPES, Caller, Scope
from gateway.demo.campaign import create_demo_campaign
from gateway.demo.catalog import create_catalog
from gateway.demo.connections import create_connections
from gateway.demo.history import write_history
from gateway.demo.holds import place_holds
from gateway.demo.season import give_season_points
from gateway.ids import IdKind, encode_id, new_id
from gateway.ledger.assets import AssetKind
from gateway.members.identifiers import IdentifierKind, normalize
from gateway.members.model import Identifier
from gateway.members.upserting import UpsertMember, upsert_member
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset
from gateway.tenants.credentials import create_member_token, create_partner_token
from gateway.tenants.founding import FoundedTenant, create_tenant
from gateway.tenants.listing import fetch_tenant_names

DEMO_FILE_NAME = "demo.json"
DEMO_TENANT_NAME = "Demo"
# The currency and the first recipient of the distribution that the On3 documentation shows, so that it runs as it stands.
# Its second recipient stays unknown on purpose.
CURRENCY_ID = UUID("0681afdf-97bf-47f3-8569-731aeb6b2dd9")
WALLET_ADDRESS = "0xd03ea8624C8C5987235048901fB614fDcA89b117"
# All that the examples need, named one by one as for any token.
DEMO_SCOPES = frozenset(
    {
        Scope.READ,
        Scope.GRANT,
        Scope.ISSUE,
        Scope.DISTRIBUTE,
        Scope.CLAIM,
        Scope.REVERSE,
        Scope.HOLD,
        Scope.CATALOG,
        Scope.MEMBERS,
        Scope.CODES,
        Scope.SKIP_VALIDATION,
        Scope.SIGN_IN,
    }
)
MEMBER_IDENTIFIERS = {
    IdentifierKind.EMAIL: "ada@example.com",
    IdentifierKind.MOBILE: "+4790123456",
    IdentifierKind.EXTERNAL_ID: "ext_id98543198",
    IdentifierKind.WALLET_ADDRESS: WALLET_ADDRESS,
}

Demo = Mapping[str, Any]


async def ensure_demo(database: Database, data_dir: Path) -> Demo | None:
    """Return what `demo.json` holds, seeding first if the database holds nothing but demo tenants.

    A seed that was interrupted left no `demo.json`, so the next start seeds another demo tenant. Returns None for a database
    with tenants of its own.
    """
    path = data_dir / DEMO_FILE_NAME
    async with database.connection() as connection:
        names = await fetch_tenant_names(connection)
    if names and path.exists():
        demo: Demo = orjson.loads(path.read_bytes())
        return demo
    if set(names) - {DEMO_TENANT_NAME}:
        return None
    demo = await _seed(database)
    _write_private(path, demo)
    return demo


async def _seed(database: Database) -> Demo:
    founded = await create_tenant(database, DEMO_TENANT_NAME, "Demo Rewards", is_test=True)
    caller = Caller(
        tenant_id=founded.tenant.id,
        organization_id=founded.organization.id,
        partner_id=new_id(),
        scopes=PARTNER_SCOPES,
        standard_assets=founded.tenant.standard_assets,
    )
    await create_asset(
        database,
        caller,
        CreateAsset("demo-currency", "GEM", "Gems", AssetKind.CURRENCY, 0, CURRENCY_ID),
    )
    member_id = await _create_members(database, caller)
    catalog = await create_catalog(database, caller)
    grants = await write_history(database, caller, member_id, CURRENCY_ID, catalog.rewards)
    connections = await create_connections(
        database, caller, member_id, catalog.product_id, catalog.rewards
    )
    campaign_id = await create_demo_campaign(database, caller, catalog.rewards)
    holds = await place_holds(database, caller, member_id)
    season_id = await give_season_points(database, caller, member_id)
    tokens = await _create_tokens(
        database, founded, caller, member_id, [connections.child_id, connections.counter_id]
    )
    return {
        **tokens,
        "tenantId": str(founded.tenant.id),
        "organizationId": encode_id(IdKind.ORGANIZATION, founded.organization.id),
        "campaignId": encode_id(IdKind.CAMPAIGN, campaign_id),
        "memberId": encode_id(IdKind.MEMBER, member_id),
        "currencyId": str(CURRENCY_ID),
        "pointsId": str(founded.tenant.standard_assets.points_id),
        **catalog.to_json(),
        **connections.to_json(),
        **{name: encode_id(IdKind.GRANT, grant_id) for name, grant_id in grants.items()},
        **holds,
        "seasonPointsId": str(season_id),
    }


async def _create_members(database: Database, caller: Caller) -> UUID:
    """Make the demo member, and one more who is known by an e-mail address only."""
    identifiers = tuple(
        Identifier(kind, normalize(kind, value)) for kind, value in MEMBER_IDENTIFIERS.items()
    )
    ada = await upsert_member(database, caller, UpsertMember("demo-ada", identifiers, "Ada"))
    grace = (Identifier(IdentifierKind.EMAIL, "grace@example.com"),)
    await upsert_member(database, caller, UpsertMember("demo-grace", grace, "Grace"))
    return ada.member_id


async def _create_tokens(
    database: Database, founded: FoundedTenant, caller: Caller, member_id: UUID, reach: list[UUID]
) -> dict[str, str]:
    tenant_id, organization_id = founded.tenant.id, founded.organization.id
    partner = await create_partner_token(
        database,
        tenant_id,
        organization_id,
        "demo partner",
        DEMO_SCOPES,
        partner_id=caller.partner_id,
        reach=reach,
    )
    member = await create_member_token(
        database, tenant_id, organization_id, member_id, label="demo member"
    )
    return {"partnerToken": partner.text, "memberToken": member.text}


def _write_private(path: Path, demo: Demo) -> None:
    """Write the file readable by its owner only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(demo, option=orjson.OPT_INDENT_2))
    unfinished.replace(path)
