"""Which scope each kind of operation needs: also of who fences or looks up a key of that kind. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.access import Caller, Requirement, Scope, any_of
from gateway.errors import Forbidden
from gateway.operations.model import OperationKind as Kind

_CATALOG = any_of([Scope.CATALOG])
_HOLD = any_of([Scope.HOLD])
_ISSUE = any_of([Scope.ISSUE])
_MEMBERS = any_of([Scope.MEMBERS])
_REVERSE = any_of([Scope.REVERSE])

# A test holds that each mutation declares what its kind needs.
REQUIREMENTS: Final[Mapping[Kind, Requirement]] = {
    Kind.GRANT_REWARD: any_of([Scope.GRANT]),
    Kind.RECORD_EVENT: any_of([Scope.GRANT]),
    Kind.ISSUE_REWARDS: _ISSUE,
    Kind.ISSUE_REWARDS_ITEM: _ISSUE,
    Kind.UPDATE_FULFILLMENT: _ISSUE,
    Kind.DISTRIBUTE_REWARDS: any_of([Scope.DISTRIBUTE]),
    Kind.CLAIM_REWARDS: any_of([Scope.MEMBER, Scope.CLAIM]),
    Kind.MARK_NOTIFICATIONS_READ: any_of([Scope.MEMBER]),
    Kind.REQUEST_VALIDATION_CODE: any_of([Scope.MEMBER, Scope.MEMBERS]),
    Kind.CREATE_MEMBER_TOKEN: any_of([Scope.SIGN_IN]),
    Kind.REVERSE_GRANT: _REVERSE,
    Kind.REVERSE_OPERATION: _REVERSE,
    Kind.RESERVE: _HOLD,
    Kind.CAPTURE: _HOLD,
    Kind.RELEASE: _HOLD,
    Kind.UPSERT_MEMBER: _MEMBERS,
    Kind.LINK_IDENTIFIER: _MEMBERS,
    Kind.CREATE_GROUP: _MEMBERS,
    Kind.SET_GROUP_MEMBERS: _MEMBERS,
    Kind.FUND_GROUP: _MEMBERS,
    Kind.CREATE_SEGMENT: _MEMBERS,
    Kind.SET_SEGMENT_MEMBERS: _MEMBERS,
    Kind.SET_MEMBER_CARDS: _MEMBERS,
    Kind.SET_MEMBER_LABELS: _MEMBERS,
    Kind.CREATE_REWARD: _CATALOG,
    Kind.UPDATE_REWARD: _CATALOG,
    Kind.DELETE_REWARD: _CATALOG,
    Kind.CREATE_ASSET: _CATALOG,
    Kind.SET_ASSET_ISSUERS: _CATALOG,
    Kind.CREATE_PRODUCT: _CATALOG,
    Kind.RESTOCK_PRODUCT: _CATALOG,
    Kind.CREATE_COMPETITION: _CATALOG,
    Kind.CREATE_CODE_POOL: _CATALOG,
    Kind.IMPORT_CODES: _CATALOG,
    Kind.DEFINE_CUSTOM_FIELD: _CATALOG,
    Kind.DEFINE_FULFILLMENT_STAGE: _CATALOG,
    Kind.CREATE_TILL: _CATALOG,
    Kind.CREATE_CAMPAIGN: _CATALOG,
    Kind.UPDATE_CAMPAIGN: _CATALOG,
    Kind.FUND_CAMPAIGN: _CATALOG,
    Kind.CREATE_VENDOR: _CATALOG,
    Kind.UPDATE_VENDOR: _CATALOG,
    # What the gateway does by itself: nobody else has such keys.
    Kind.EXPIRE: Requirement(()),
}

# Whoever may do some kind of operation may fence a key of that kind.
FENCING: Final = any_of(
    scope
    for scope in Scope
    if any(
        scope in alternative
        for needed in REQUIREMENTS.values()
        for alternative in needed.alternatives
    )
)
# So may they look one up, and whoever reads.
LOOKING_UP: Final = any_of(
    [Scope.READ, *(scope for each in FENCING.alternatives for scope in each)]
)


def authorize_fencing(caller: Caller, kind: Kind) -> None:
    """Let a caller pass who may do this kind of operation.

    Raises:
        Forbidden: the credential may not; a fence would end what it could not have begun.
    """
    _authorize(caller, kind, may_read=False)


def authorize_looking_up(caller: Caller, kind: Kind) -> None:
    """Let a caller pass who may do this kind of operation, or read.

    Raises:
        Forbidden: the credential may do neither.
    """
    _authorize(caller, kind, may_read=True)


def _authorize(caller: Caller, kind: Kind, *, may_read: bool) -> None:
    needed = REQUIREMENTS[kind]
    if needed.is_met_by(caller.scopes) or (may_read and Scope.READ in caller.scopes):
        return
    raise Forbidden(
        f"This credential lacks the scope for keys of the kind {kind.value}: {str(needed) or 'nobody has it'}.",
        ("input", "kind") if not may_read else ("kind",),
    )
