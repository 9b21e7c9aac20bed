"""Identifiers in GraphQL: what they are, and the ways to name a member."""

from __future__ import annotations

from typing import TypeAlias

import strawberry

from gateway.errors import FieldError
from gateway.ids import IdKind, decode_id
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import NOBODY, Identifier, MemberReference, read_identifier
from resolvers.enums import expose_enum

IdentifierType: TypeAlias = IdentifierKind

expose_enum(
    IdentifierKind,
    "What an identifier is.",
    {
        "MOBILE": "A mobile number in international format, kept as E.164: `+4790123456`.",
        "EMAIL": "An e-mail address; capitals make no difference.",
        "EXTERNAL_ID": "The id that a partner's own system gives the member: 1 to 128 characters, compared exactly.",
        "WALLET_ADDRESS": (
            "An Ethereum wallet: `0x` and 40 hexadecimal digits, with a correct EIP-55 checksum where upper and lower "
            "case are mixed."
        ),
        "DISCORD_ID": "A Discord user id: digits only.",
        "TWITTER_ID": "A Twitter (X) user id: digits only, not the user name.",
    },
    name="IdentifierType",
)


@strawberry.type(
    description="An identifier of a member; with its type it names nobody else in the tenant."
)
class MemberIdentifier:
    """A type and a normalized value."""

    identifier_type: IdentifierType = strawberry.field(description="What the value is.")
    identifier_value: str = strawberry.field(
        description="The value in the one spelling that the gateway keeps, for example in lower case."
    )


@strawberry.input(description="An identifier to give to a member.")
class MemberIdentifierInput:
    """A type and a value as a person may write it."""

    identifier_type: IdentifierType = strawberry.field(description="What the value is.")
    identifier_value: str = strawberry.field(description="A value that is valid for its type.")


@strawberry.input(one_of=True, description="One way to name a member.")
class MemberRef:
    """Exactly one of the fields is set."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The gateway's own id: `mem_…`."
    )
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The id in a partner's own system."
    )
    mobile: str | None = strawberry.field(
        default=strawberry.UNSET, description="A mobile number in international format."
    )
    email: str | None = strawberry.field(default=strawberry.UNSET, description="An e-mail address.")
    wallet_address: str | None = strawberry.field(
        default=strawberry.UNSET, description="An Ethereum wallet address."
    )
    discord_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="A Discord user id."
    )
    twitter_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="A Twitter (X) user id."
    )


def to_member_identifier(identifier: Identifier) -> MemberIdentifier:
    """Return a stored identifier as its GraphQL type."""
    return MemberIdentifier(identifier_type=identifier.kind, identifier_value=identifier.value)


def to_identifier(
    given: MemberIdentifierInput, path: tuple[str, ...], errors: list[FieldError]
) -> Identifier:
    """Return an identifier in its one spelling, adding the rule that it breaks, if any, to `errors`."""
    return read_identifier(
        given.identifier_type, given.identifier_value, (*path, "identifierValue"), errors
    )


def to_reference(
    reference: MemberRef, path: tuple[str, ...], errors: list[FieldError]
) -> MemberReference:
    """Return how the caller names a member, adding the rule that is broken, if any, to `errors`.

    An id that is not one is not an error: it names nobody. `path` is the input field of the reference.
    """
    if reference.id:
        member_id = decode_id(IdKind.MEMBER, reference.id)
        return NOBODY if member_id is None else MemberReference(None, str(member_id))
    for kind, attribute, field in _FIELDS:
        value: str | None = getattr(reference, attribute)
        if value is not None and value is not strawberry.UNSET:
            return MemberReference(*read_identifier(kind, value, (*path, field), errors))
    return NOBODY


def _to_camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


# The reference's fields are named like the types, and a test holds them to it.
_FIELDS = [(kind, kind.lower(), _to_camel_case(kind.lower())) for kind in IdentifierKind]
