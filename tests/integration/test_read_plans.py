"""Pages are found by index: no plan reads a whole table, or sorts more than a page for each account."""

from __future__ import annotations

import pytest

from gateway.campaigns import store as campaign_store
from gateway.expiring import store as expiring_store
from gateway.grants import list_store, notification_store
from gateway.grants.row import GrantColumns
from gateway.holding import store as holding_store
from gateway.ledger import balance_store, lot_store, statement_store
from gateway.members import list_store as member_store
from gateway.members import wallet_store
from gateway.members.groups import store as group_store
from gateway.members.segments import store as segment_store
from gateway.rewards import store as reward_store
from gateway.rewards import version_store
from gateway.storage.database import Database
from gateway.storage.union_store import ask, write_union
from gateway.tenants import asset_list_store, credentials_store
from gateway.vendors import store as vendor_store
from tests.wallets import explain, open_wallets

PLANS = {
    "balances": (balance_store.BALANCES.text, "accounts_by_owner"),
    "statement": (statement_store.ALL_ASSETS[False], "ledger_entries_by_account"),
    "statement backwards": (statement_store.ALL_ASSETS[True], "ledger_entries_by_account"),
    "statement of one asset": (statement_store.ONE_ASSET[False], "ledger_entries_by_account"),
    "statement of one asset backwards": (
        statement_store.ONE_ASSET[True],
        "ledger_entries_by_account",
    ),
    "balances as of a time": (balance_store.BALANCES_AS_OF.text, "ledger_entries_by_account"),
    "holds as of a time": (balance_store.BALANCES_AS_OF.text, "holds_by_account"),
    "entries counted by time": (statement_store.COUNT_BY_TIME, "ledger_entries_by_account"),
    "statement of one asset in a period": (
        statement_store.ONE_ASSET_BY_TIME[False],
        "ledger_entries_by_account",
    ),
    "statement of one asset in a period backwards": (
        statement_store.ONE_ASSET_BY_TIME[True],
        "ledger_entries_by_account",
    ),
    "notifications": (notification_store.PAGES[False], "notifications_by_member"),
    "notifications backwards": (notification_store.PAGES[True], "notifications_by_member"),
    "holds": (holding_store.PAGES[False], "reservations_by_member"),
    "due lots": (lot_store.FIND_DUE, "lots_due"),
    "lots that are consumed": (lot_store.KEEP, "lots_open"),
    "next expirations": (lot_store.NEXT, "lots_open"),
    "due grants": (expiring_store.LOCK_DUE, "grants_due"),
    "due codes": (expiring_store.VOID_CODES, "codes_due"),
    "due holds": (holding_store.LOCK_DUE, "holds_due"),
    "unread notifications": (notification_store.UNREAD_PAGES[False], "notifications_unread"),
    "members": (member_store.PAGE, "members_pkey"),
    "members backwards": (member_store.PAGE_BACKWARDS, "members_pkey"),
}
PLANS |= {
    "credential": (credentials_store.FETCH_ACTIVE, "credentials_pkey"),
    "reward versions": (version_store.FETCH_VERSIONS, "reward_versions_pkey"),
    "reward terms": (version_store.FETCH_TERMS, "rewards_pkey"),
    "catalog": (reward_store.PAGE_FORWARDS, "rewards_by_organization"),
    "catalog backwards": (reward_store.PAGE_BACKWARDS, "rewards_by_organization"),
    "assets": (asset_list_store.PAGE, "assets_pkey"),
    "assets backwards": (asset_list_store.PAGE_BACKWARDS, "assets_pkey"),
    "campaigns": (campaign_store.PAGES[False], "campaigns_by_organization"),
    "campaigns backwards": (campaign_store.PAGES[True], "campaigns_by_organization"),
    "segments": (segment_store.PAGE, "segments_by_organization"),
    "segments backwards": (segment_store.PAGE_BACKWARDS, "segments_by_organization"),
    "vendors": (vendor_store.PAGE_FORWARDS, "vendors_by_organization"),
    "vendors backwards": (vendor_store.PAGE_BACKWARDS, "vendors_by_organization"),
}
PLANS |= {
    f"groups by name: {index}": (group_store.FIND_WITH_MEMBER, index)
    for index in (
        "groups_pkey",
        "groups_external_id_taken",
        "groups_primary_member_taken",
        "group_members_",
    )
}
PLANS |= {
    f"wallets {form}": (select.text, "accounts_by_owner")
    for form, select in wallet_store.FETCH.items()
}
INDEXES = {
    "organization": "grants_by_organization",
    "member": "grants_by_member",
    "action code": "grants_by_action_code",
    "reward": "grants_by_reward",
}
PLANS |= {
    f"grants by {' '.join(map(str, form))}": (select.text, INDEXES[form.anchor])
    for form, select in list_store.PAGES.items()
}
PLANS |= {
    f"members' grants {form}": (select.text, "grants_by_member")
    for form, select in list_store.MEMBER_PAGES.items()
}
# What a wallet's page asks at one moment, in one statement.
WALLET_PAGE = write_union(
    (
        wallet_store.FETCH[wallet_store.WalletForm(is_one=True, has_times=True, is_scoped=False)],
        list_store.PAGES[list_store.PageForm("member", False, False, GrantColumns.LEAN)],
    )
)
PLANS |= {
    f"wallet page: {index}": (WALLET_PAGE, index)
    for index in ("members_pkey", "accounts_by_owner", "grants_by_member")
}
SIMPLE = [
    name
    for name in PLANS
    if name.startswith(("members b", "grants by", "assets", "campaigns", "segments", "vendors"))
]


@pytest.mark.requirement("ALL-3")
@pytest.mark.parametrize("name", PLANS)
async def test_page_is_read_by_index(database: Database, name: str) -> None:
    statement, index = PLANS[name]
    plan = await explain(database, statement)
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.requirement("ALL-3")
@pytest.mark.parametrize("name", SIMPLE)
async def test_simple_page_needs_no_sort(database: Database, name: str) -> None:
    statement, _ = PLANS[name]
    assert "Sort" not in await explain(database, statement)


async def test_statement_is_planned_once_for_a_connection(database: Database) -> None:
    wallets = await open_wallets(database)
    members = await wallets.add_members(2)
    async with database.connection() as connection:
        for member_id in members * 5:
            tenant_id = wallets.caller.tenant_id
            await ask(connection, wallet_store.ask_wallets(tenant_id, [member_id], has_times=True))
        plans = await connection.fetchrow(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1",
            wallet_store.FETCH[
                wallet_store.WalletForm(is_one=True, has_times=True, is_scoped=False)
            ].text,
        )
    assert plans is not None
    assert plans["generic_plans"] >= 10
    assert plans["custom_plans"] == 0
