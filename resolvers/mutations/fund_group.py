"""fundGroup: points from a member to their group (CAP-12)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError as DomainFieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.ids import IdKind, decode_id, encode_id
from gateway.issuing import funding
from gateway.issuing.funding import FundGroup
from gateway.operations.model import check_key
from resolvers.context import Info
from resolvers.errors import (
    Forbidden,
    IdempotencyConflict,
    InsufficientBalance,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation, resolved
from resolvers.types.group import Group, GroupRef, load_group, to_group_reference
from resolvers.types.identifier import MemberRef, to_reference
from resolvers.types.member import Member, to_member


@strawberry.input(description="How much to move from whom to which group.")
class FundGroupInput:
    """The call's key, the parties and the amount."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    group: GroupRef = strawberry.field(description="The group, of which the member must be one.")
    member: MemberRef = strawberry.field(description="Who gives.")
    asset_id: strawberry.ID = strawberry.field(
        description="What to give: points or a currency, a GUID."
    )
    amount: Decimal = strawberry.field(
        description="How much: above 0 and exact in the asset's decimals."
    )


@strawberry.type(description="What was moved.")
class FundGroupPayload:
    """The parties and the transaction."""

    group_id: strawberry.Private[UUID]

    member: Member = strawberry.field(description="Who gave, with what they have now.")
    transaction_id: strawberry.ID = strawberry.field(description="The ledger transaction.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )

    @resolved("The group, with what it has now. Null if that cannot be read now.")
    async def group(self, info: Info) -> Group | None:
        """Load the group: what was done is answered all the same if that fails."""
        return await load_group(info.context, self.group_id)


FundGroupResult: TypeAlias = Annotated[
    FundGroupPayload
    | InvalidInput
    | Forbidden
    | NotFound
    | InsufficientBalance
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("FundGroupResult", description="What became of a funding."),
]


@mutation(
    "Move points from a member to the account that their group pays from.", requires=[Scope.MEMBERS]
)
async def fund_group(
    info: Info,
    input: Annotated[FundGroupInput, strawberry.argument(description="What to move.")],
) -> FundGroupResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    errors: list[DomainFieldError] = check_key(input.request_id, ("input", "requestId"))
    command = FundGroup(
        request_id=input.request_id,
        group=to_group_reference(input.group, ("input", "group"), errors),
        member=to_reference(input.member, ("input", "member"), errors),
        asset_id=decode_id(IdKind.ASSET, input.asset_id),
        amount=input.amount,
    )
    if errors:
        raise DomainInvalidInput(errors)
    outcome = await funding.fund_group(context.database, context.caller, command)
    return FundGroupPayload(
        group_id=outcome.group_id,
        member=to_member(info.context, outcome.member_id),
        transaction_id=strawberry.ID(encode_id(IdKind.TRANSACTION, outcome.transaction_id)),
        idempotent_replay=outcome.idempotent_replay,
    )
