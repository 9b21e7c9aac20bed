"""The peers' data: as many members, the same names, rewards, balances and wallets as the gateway's world has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from benchmarks.databases import OwnerConnection, SideDatabase
from benchmarks.plan import Plan
from benchmarks.world import POINTS_AT_FIRST, PRICE

PEERS_DIR = Path(__file__).parent

SEED_MEMBERS = """
WITH made AS MATERIALIZED (SELECT n, uuidv7() AS id FROM generate_series(0, $2::int - 1) AS n),
new_members AS (
    INSERT INTO members (tenant_id, id, display_name, created_at)
    SELECT $1, id, 'Member ' || n, now() FROM made ORDER BY n
    RETURNING 1
)
INSERT INTO member_identifiers (tenant_id, kind, value, member_id)
SELECT $1, identifier.kind, identifier.value, id FROM made CROSS JOIN LATERAL (VALUES
    ('EXTERNAL_ID', 'member-' || n), ('WALLET_ADDRESS', '0x' || lpad(to_hex(n), 40, '0'))
) AS identifier (kind, value)
ORDER BY n
"""

SEED_POINTS = """
INSERT INTO accounts (tenant_id, owner_id, asset_id, owner_kind, posted_minor, entry_count, updated_at)
SELECT $1, id, $2, 'MEMBER', $3, 1, now() FROM members WHERE tenant_id = $1 ORDER BY id
"""

SEED_BALANCES = """
INSERT INTO accounts (tenant_id, owner_id, asset_id, owner_kind, posted_minor, entry_count, updated_at)
SELECT $1, wallet.id, assets.id, 'MEMBER', 50, 5, now()
FROM (SELECT id FROM members WHERE tenant_id = $1 ORDER BY id LIMIT $2) AS wallet, assets
WHERE assets.tenant_id = $1 AND assets.code IN ('XP', 'DRAW:1', 'DRAW:2')
"""

# Newest first a wallet shows five grants of cash, five of a currency, ten of the catalog, and there is one more.
SEED_GRANTS = """
INSERT INTO grants (tenant_id, id, member_id, kind, status, source, reward_id, reward_name, asset_id, amount_minor,
    coupon_code, price_minor, action_code, client_reference, metadata, transaction_id, rewarded_at, claimed_at)
SELECT $1, uuidv7(), wallet.id,
    CASE WHEN n > 16 THEN 'CUSTOM' WHEN n > 11 OR n = 1 THEN 'CURRENCY' ELSE reward.kind END,
    CASE WHEN n > 16 THEN 'CONFIRMED' ELSE 'CLAIMED' END,
    CASE WHEN n > 16 THEN 'PARTNER_ACTION' WHEN n > 11 OR n = 1 THEN 'DISTRIBUTION' ELSE 'ISSUANCE' END,
    reward.id, reward.name, CASE WHEN n > 16 THEN $4::uuid WHEN n > 11 OR n = 1 THEN $3::uuid ELSE reward.asset_id END,
    CASE WHEN n > 16 THEN 500 WHEN n > 11 OR n = 1 THEN 5 ELSE reward.amount_minor END, reward.coupon_code, reward.price_minor,
    CASE WHEN n > 16 THEN 'daily.check-in' END, CASE WHEN n > 16 THEN uuidv7()::text END, '{}', uuidv7(), now(),
    CASE WHEN n > 16 THEN NULL ELSE now() END
FROM generate_series(1, 21) AS n
CROSS JOIN (SELECT id FROM members WHERE tenant_id = $1 ORDER BY id LIMIT $2) AS wallet
LEFT JOIN (SELECT *, row_number() OVER (ORDER BY id) AS number FROM rewards) AS reward
    ON n BETWEEN 2 AND 11 AND reward.number = n % 5 + 1
ORDER BY n
"""

SEED_ASSETS = """
INSERT INTO assets (tenant_id, id, code, scale)
SELECT $1, * FROM unnest($2::uuid[], ARRAY['PTS', 'XP', 'USD', 'DRAW:1', 'DRAW:2'], ARRAY[0, 0, 2, 0, 0])
"""

SEED_REWARDS = """
INSERT INTO rewards (tenant_id, id, kind, name, status, asset_id, amount_minor, coupon_code, price_asset_id, price_minor)
SELECT $1, id, kind, name, 'ACTIVE', asset_id, amount_minor, coupon_code, $7, $8
FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::text[]) WITH ORDINALITY
    AS given (id, kind, asset_id, amount_minor, coupon_code, number)
CROSS JOIN LATERAL (SELECT (ARRAY['Autumn draw', 'Winter draw', 'Welcome discount', 'Holiday discount',
    'Experience boost'])[number] AS name) AS named
"""


@dataclass(frozen=True, slots=True)
class PeerWorld:
    """Ids of the one tenant. `asset_ids` are points, experience points, cash, and the entries of two competitions."""

    tenant_id: UUID = field(default_factory=uuid4)
    partner_id: UUID = field(default_factory=uuid4)
    organization_id: UUID = field(default_factory=uuid4)
    asset_ids: Sequence[UUID] = field(default_factory=lambda: [uuid4() for _ in range(5)])
    reward_ids: Sequence[UUID] = field(default_factory=lambda: [uuid4() for _ in range(5)])
    token: str = field(default_factory=lambda: f"token-{uuid4()}")

    @property
    def cash_id(self) -> UUID:
        """Return the asset of custom rewards."""
        return self.asset_ids[2]


def seed_peer(database: SideDatabase, plan: Plan, *files: str) -> tuple[PeerWorld, list[UUID]]:
    """Create the tables and functions in the files and fill them; return the ids of the members with wallets too."""
    for name in ("schema.sql", *files):
        database.execute((PEERS_DIR / name).read_text())
    world = PeerWorld()
    wallet_ids = database.run(lambda connection: _fill(connection, world, plan))
    # As autovacuum would soon do; a plan made before it knows the tables would stay with its connection.
    database.execute("ANALYZE")
    return world, wallet_ids


async def _fill(connection: OwnerConnection, world: PeerWorld, plan: Plan) -> list[UUID]:
    points_id, experience_id, cash_id, *draw_ids = world.asset_ids
    tenant_id = world.tenant_id
    await connection.execute(SEED_ASSETS, tenant_id, world.asset_ids)
    await connection.execute(SEED_MEMBERS, tenant_id, plan.members)
    await connection.execute(SEED_POINTS, tenant_id, points_id, POINTS_AT_FIRST)
    await connection.execute(
        SEED_REWARDS,
        tenant_id,
        world.reward_ids,
        ["COMPETITION_ENTRY", "COMPETITION_ENTRY", "COUPON", "COUPON", "POINTS"],
        [*draw_ids, None, None, experience_id],
        [1, 2, None, None, 100],
        [None, None, "WELCOME20", "HOLIDAY5", None],
        points_id,
        PRICE,
    )
    await connection.execute(SEED_BALANCES, tenant_id, plan.wallets)
    await connection.execute(SEED_GRANTS, tenant_id, plan.wallets, points_id, cash_id)
    rows = await connection.fetch("SELECT id FROM members ORDER BY id LIMIT $1", plan.wallets)
    return [row["id"] for row in rows]
