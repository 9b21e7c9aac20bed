"""Recipients of a distribution: named by an identifier's type and value."""

from __future__ import annotations

import enum

import strawberry

from gateway.distributing.model import Recipient
from gateway.members.identifiers import IdentifierKind
from resolvers.enums import expose_enum


class RecipientType(enum.StrEnum):
    """Every identifier type, and the gateway's own member id."""

    WALLET_ADDRESS = "WALLET_ADDRESS"
    DISCORD_ID = "DISCORD_ID"
    TWITTER_ID = "TWITTER_ID"
    EMAIL = "EMAIL"
    MOBILE = "MOBILE"
    EXTERNAL_ID = "EXTERNAL_ID"
    MEMBER_ID = "MEMBER_ID"


expose_enum(
    RecipientType,
    "How a distribution names its recipient.",
    {
        "WALLET_ADDRESS": "An Ethereum wallet: `0x` and 40 hexadecimal digits, with a correct checksum in mixed case.",
        "DISCORD_ID": "A Discord user id: digits only.",
        "TWITTER_ID": "A Twitter (X) user id: digits only.",
        "EMAIL": "An e-mail address.",
        "MOBILE": "A mobile number in international format.",
        "EXTERNAL_ID": "The id in a partner's own system.",
        "MEMBER_ID": "The gateway's own id: `mem_…`.",
    },
)


@strawberry.input(name="Recipient", description="Who receives a line of a distribution.")
class RecipientInput:
    """A type and a value; an invalid or unknown one fails its line, not the call."""

    identifier_type: RecipientType = strawberry.field(description="What the value is.")
    identifier_value: str = strawberry.field(description="A value that is valid for its type.")


_TYPES: dict[IdentifierKind | None, RecipientType] = {
    None: RecipientType.MEMBER_ID,
    **{kind: RecipientType(kind) for kind in IdentifierKind},
}
_KINDS = {recipient_type: kind for kind, recipient_type in _TYPES.items()}


def to_recipient(given: RecipientInput) -> Recipient:
    """Return the recipient as the domain names it."""
    return Recipient(_KINDS[given.identifier_type], given.identifier_value)


def to_recipient_type(recipient: Recipient) -> RecipientType:
    """Return the type that the caller named."""
    return _TYPES[recipient.kind]
