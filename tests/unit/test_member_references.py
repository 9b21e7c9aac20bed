"""A member reference names its member by exactly one normalized field, and a broken one says which field it was."""

from __future__ import annotations

import pytest
import strawberry
from strawberry.types import get_object_definition

from gateway.errors import FieldError
from gateway.ids import IdKind, encode_id, new_id
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import NOBODY, Identifier, MemberReference
from resolvers.types.identifier import (
    MemberIdentifier,
    MemberIdentifierInput,
    MemberRef,
    to_identifier,
    to_member_identifier,
    to_reference,
)

PATH = ("input", "member")


@pytest.mark.requirement("CAP-1", "ON3-1")
@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (MemberRef(email="Joe@Bloggs.com"), (IdentifierKind.EMAIL, "joe@bloggs.com")),
        (MemberRef(mobile="+47 901 23 456"), (IdentifierKind.MOBILE, "+4790123456")),
        (MemberRef(external_id="A 1"), (IdentifierKind.EXTERNAL_ID, "A 1")),
        (MemberRef(discord_id="11237863865923"), (IdentifierKind.DISCORD_ID, "11237863865923")),
        (MemberRef(twitter_id="12"), (IdentifierKind.TWITTER_ID, "12")),
        (
            MemberRef(wallet_address="0x" + "AB" * 20),
            (IdentifierKind.WALLET_ADDRESS, "0x" + "ab" * 20),
        ),
    ],
)
def test_reference_is_normalized(
    reference: MemberRef, expected: tuple[IdentifierKind, str]
) -> None:
    errors: list[FieldError] = []
    assert to_reference(reference, PATH, errors) == expected
    assert errors == []


def test_every_identifier_type_has_its_field() -> None:
    fields = {field.name for field in get_object_definition(MemberRef, strict=True).fields}
    assert fields == {"id", *(kind.lower() for kind in IdentifierKind)}


def test_own_id_is_decoded_and_what_is_not_one_names_nobody() -> None:
    member_id = new_id()
    errors: list[FieldError] = []
    own = MemberRef(id=strawberry.ID(encode_id(IdKind.MEMBER, member_id)))
    assert to_reference(own, PATH, errors) == MemberReference(None, str(member_id))
    for text in ("", "mem_1", str(member_id), f"rew_{member_id}", "mem_\x00"):
        assert to_reference(MemberRef(id=strawberry.ID(text)), PATH, errors) == NOBODY
    assert errors == []


@pytest.mark.requirement("ON3-1")
def test_broken_rule_names_the_field_as_the_client_wrote_it() -> None:
    errors: list[FieldError] = []
    to_reference(MemberRef(wallet_address="0x1"), PATH, errors)
    to_reference(MemberRef(external_id=""), PATH, errors)
    given = MemberIdentifierInput(
        identifier_type=IdentifierKind.TWITTER_ID, identifier_value="@jack"
    )
    to_identifier(given, ("input", "identifiers", "3"), errors)
    assert [error.path for error in errors] == [
        ("input", "member", "walletAddress"),
        ("input", "member", "externalId"),
        ("input", "identifiers", "3", "identifierValue"),
    ]
    assert errors[0].message == "walletAddress must be 0x and 40 hexadecimal digits."


def test_stored_identifier_is_shown_as_it_is_kept() -> None:
    shown = to_member_identifier(Identifier(IdentifierKind.EMAIL, "joe@bloggs.com"))
    assert shown == MemberIdentifier(
        identifier_type=IdentifierKind.EMAIL, identifier_value="joe@bloggs.com"
    )
