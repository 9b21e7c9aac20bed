"""Lines of a distribution: what is asked for and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import strawberry

from gateway.distributing.model import DistributionLine
from gateway.distributing.outcome import LineOutcome
from resolvers.types.recipient import (
    RecipientInput,
    RecipientType,
    to_recipient,
    to_recipient_type,
)


@strawberry.input(description="An amount of a currency.")
class CurrencyRewardInput:
    """A whole number, above or below zero."""

    currency_id: strawberry.ID = strawberry.field(description="The currency's GUID.")
    amount: Decimal = strawberry.field(
        description="A whole number, not 0. Below 0 it deducts; a balance never goes below zero."
    )


@strawberry.input(
    name="DistributionLine",
    description="One recipient's reward: an amount of a currency, experience points, or both. All of it, or nothing.",
)
class DistributionLineInput:
    """A recipient and at least one reward."""

    recipient: RecipientInput = strawberry.field(description="Who receives it.")
    currency_reward: CurrencyRewardInput | None = strawberry.field(
        default=None, description="An amount of a currency."
    )
    xp_reward: int | None = strawberry.field(
        default=None, description="Experience points: a whole number above 0."
    )


@strawberry.type(description="A line that could not be applied, and every reason.")
class DistributionFailure:
    """Who was meant and what was wrong."""

    index: int = strawberry.field(description="The line's place in the call, from 0.")
    identifier_type: RecipientType = strawberry.field(description="As sent.")
    identifier_value: str = strawberry.field(description="As sent.")
    errors: list[str] = strawberry.field(description="Every reason.")


def to_line(given: DistributionLineInput) -> DistributionLine:
    """Return the line as the domain judges it."""
    currency = given.currency_reward
    return DistributionLine(
        recipient=to_recipient(given.recipient),
        currency_id=currency.currency_id if currency else None,
        amount=currency.amount if currency else None,
        experience_points=given.xp_reward,
    )


def to_failures(failures: Sequence[LineOutcome]) -> list[DistributionFailure]:
    """Return lines that failed as their GraphQL type."""
    return [
        DistributionFailure(
            index=failure.index,
            identifier_type=to_recipient_type(failure.recipient),
            identifier_value=failure.recipient.value,
            errors=list(failure.reasons),
        )
        for failure in failures
    ]
