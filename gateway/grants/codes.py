"""The codes that grants gave: sealed, each for its own grant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from gateway.grants.record import GrantKind, GrantRecord
from gateway.keys.model import Keys, Label, place
from gateway.rewards.sealing import RewardSeal

WITH_CODE = frozenset({GrantKind.UNIQUE_COUPON, GrantKind.NON_UNIQUE_COUPON})


def seal_benefits(keys: Keys, tenant_id: UUID, grants: Iterable[GrantRecord]) -> None:
    """Replace the code in each new grant's benefits by what the database may keep of it: the grant's own, sealed.

    A pool's code is in plain there, a reward's as the reward keeps it.
    """
    for grant in grants:
        if grant.kind not in WITH_CODE:
            continue
        if grant.kind is GrantKind.NON_UNIQUE_COUPON:
            assert grant.reward_id is not None  # noqa: S101 - coupons stand in the catalog
            sealing = RewardSeal(keys, tenant_id, grant.reward_id)
            opened = [
                {**benefit, "code": sealing.open(benefit["sealed_code"])}
                for benefit in grant.benefits
            ]
        else:
            opened = [dict(benefit) for benefit in grant.benefits]
        grant.benefits = [seal_benefit(keys, tenant_id, grant.id, benefit) for benefit in opened]


def seal_benefit(
    keys: Keys, tenant_id: UUID, grant_id: UUID, benefit: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the benefit with its `code` sealed for this grant, as `sealed_code`."""
    kept = {name: value for name, value in benefit.items() if name != "code"}
    context = place(tenant_id, grant_id)
    return {**kept, "sealed_code": keys.seal_text(Label.COUPON_CODES, benefit["code"], context)}


def open_benefit(keys: Keys, tenant_id: UUID, grant_id: UUID, benefit: Mapping[str, Any]) -> str:
    """Return the code of a benefit of this grant.

    Raises:
        CannotOpen: another key is needed, or the value was altered, or is of another grant.
    """
    context = place(tenant_id, grant_id)
    return keys.open_text(Label.COUPON_CODES, benefit["sealed_code"], context)
