"""Which grants a list has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from gateway.errors import Forbidden, InvalidInput
from gateway.grants.filter import ALL_GRANTS, GrantFilter
from gateway.grants.record import GrantKind, GrantSource, GrantStatus
from gateway.ids import IdKind, decode_id
from gateway.storage.pages import ID_LOWEST
from gateway.text import check_text, normalize_name
from gateway.visibility import is_partner
from resolvers.context import Info
from resolvers.enums import expose_enum

GrantType: TypeAlias = GrantKind

expose_enum(
    GrantKind,
    "Which kind of reward was granted.",
    {
        "POINTS": "`PointsReward`.",
        "PRODUCT": "`ProductReward`.",
        "COMPETITION_ENTRY": "`CompetitionEntryReward`.",
        "UNIQUE_COUPON": "`UniqueCouponReward`.",
        "NON_UNIQUE_COUPON": "`NonUniqueCouponReward`.",
        "VENDOR_VOUCHER": "`VendorVoucherReward`.",
        "CUSTOM": "`CustomReward`.",
        "CURRENCY": "`CurrencyReward`.",
    },
    name="GrantType",
)


@strawberry.input(
    name="GrantFilter",
    description="Which grants are wanted: all of the conditions given must hold. An empty list matches nothing.",
)
class GrantFilterInput:
    """Conditions on grants; each is optional."""

    status: list[GrantStatus] | None = strawberry.field(
        default=None, description="In any of these states."
    )
    source: list[GrantSource] | None = strawberry.field(
        default=None, description="Made by any of these operations."
    )
    type: list[GrantType] | None = strawberry.field(
        default=None, description="Of rewards of any of these kinds."
    )
    action_code: str | None = strawberry.field(default=None, description="With this action code.")
    member_id: strawberry.ID | None = strawberry.field(
        default=None, description="Received by this member."
    )
    reward_id: strawberry.ID | None = strawberry.field(
        default=None, description="Of this reward of the catalog."
    )
    client_reference: str | None = strawberry.field(
        default=None, description="With this client reference."
    )
    rewarded_after: datetime | None = strawberry.field(
        default=None, description="Granted at this time or later."
    )
    rewarded_before: datetime | None = strawberry.field(
        default=None, description="Granted before this time."
    )
    fulfillment_stage: list[str] | None = strawberry.field(
        default=None, description="At any of these stages of fulfillment."
    )


GrantFilterArgument: TypeAlias = Annotated[
    GrantFilterInput | None, strawberry.argument(description="Which grants; all if left out.")
]


def to_grant_filter(info: Info, given: GrantFilterInput | None) -> GrantFilter:
    """Return the filter; an id that is not one matches nothing, like that of something that does not exist.

    Raises:
        Forbidden: a member filters by what is the partner's own, and would find out what it is by guessing.
        InvalidInput: a text holds what no text of ours can.
    """
    if given is None:
        return ALL_GRANTS
    if given.client_reference is not None and not is_partner(info.context.caller):
        raise Forbidden("clientReference is for partners.", ("filter", "clientReference"))
    errors = check_text(given.action_code, ("filter", "actionCode"))
    errors += check_text(given.client_reference, ("filter", "clientReference"))
    for index, stage in enumerate(given.fulfillment_stage or ()):
        errors += check_text(stage, ("filter", "fulfillmentStage", str(index)))
    if errors:
        raise InvalidInput(errors)
    return GrantFilter(
        statuses=None if given.status is None else tuple(given.status),
        sources=None if given.source is None else tuple(given.source),
        kinds=None if given.type is None else tuple(given.type),
        action_code=given.action_code,
        member_id=_to_id(IdKind.MEMBER, given.member_id),
        reward_id=_to_id(IdKind.REWARD, given.reward_id),
        client_reference=given.client_reference,
        rewarded_from=given.rewarded_after,
        rewarded_until=given.rewarded_before,
        stages=None
        if given.fulfillment_stage is None
        else tuple(map(normalize_name, given.fulfillment_stage)),
    )


def _to_id(kind: IdKind, public_id: strawberry.ID | None) -> UUID | None:
    return None if public_id is None else decode_id(kind, public_id) or ID_LOWEST
