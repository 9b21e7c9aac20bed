"""A member's cards and labels (CAP-11)."""

from __future__ import annotations

import strawberry

from gateway.members.standing.model import Link, StandingStatus
from resolvers.enums import expose_enum

expose_enum(
    StandingStatus,
    "Whether a card or label counts.",
    {
        "ACTIVE": "It counts: the member can be issued rewards.",
        "INACTIVE": "It does not count: a member with inactive ones only is issued nothing.",
    },
)


@strawberry.type(description="A card of a member. Nobody else in the tenant has its number.")
class MemberCard:
    """A number and whether it counts."""

    number: str = strawberry.field(description="The card's number.")
    status: StandingStatus = strawberry.field(description="Whether it counts.")


@strawberry.type(description="A label of a member.")
class MemberLabel:
    """A name and whether it counts."""

    name: str = strawberry.field(description="The label's name.")
    status: StandingStatus = strawberry.field(description="Whether it counts.")


@strawberry.input(description="A card of a member.")
class MemberCardInput:
    """A number and whether it counts."""

    number: str = strawberry.field(description="1 to 128 characters, compared exactly.")
    status: StandingStatus | None = strawberry.field(
        default=StandingStatus.ACTIVE, description="Whether it counts."
    )


@strawberry.input(description="A label of a member.")
class MemberLabelInput:
    """A name and whether it counts."""

    name: str = strawberry.field(description="1 to 128 characters, compared exactly.")
    status: StandingStatus | None = strawberry.field(
        default=StandingStatus.ACTIVE, description="Whether it counts."
    )


def to_card(link: Link) -> MemberCard:
    """Return a card as its GraphQL type."""
    return MemberCard(number=link.name, status=link.status)


def to_label(link: Link) -> MemberLabel:
    """Return a label as its GraphQL type."""
    return MemberLabel(name=link.name, status=link.status)
