"""The statements of the hand-written endpoint."""

from __future__ import annotations

GRANT_REWARD = """
SELECT id, status, rewarded_at, transaction_id, amount_minor, action_code FROM grant_reward($1, $2, $3, $4, $5, $6, $7, $8)
"""

ISSUE_REWARDS = "SELECT issue_rewards($1, $2, $3, $4, $5, $6)"

FETCH_BALANCES = """
SELECT display_name, code, scale, posted_minor, held_minor
FROM members
LEFT JOIN accounts ON accounts.tenant_id = members.tenant_id AND accounts.owner_id = members.id
    AND accounts.owner_kind = 'MEMBER'
LEFT JOIN assets ON assets.tenant_id = accounts.tenant_id AND assets.id = accounts.asset_id
WHERE members.tenant_id = $1 AND members.id = $2
ORDER BY asset_id
"""

FETCH_GRANTS = """
SELECT id, status, source, kind, rewarded_at, reward_name, asset_id, amount_minor, coupon_code
FROM grants WHERE tenant_id = $1 AND member_id = $2 AND ($3::uuid IS NULL OR id < $3)
ORDER BY id DESC LIMIT $4
"""
