"""Each identifier type has one spelling for one identity, and says which rule a value breaks."""

from __future__ import annotations

import pytest

from gateway.errors import FieldError
from gateway.members.identifiers import IdentifierKind, normalize
from gateway.members.model import Identifier, read_identifier

K = IdentifierKind


@pytest.mark.requirement("ON3-1")
@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (K.MOBILE, "+4790123456", "+4790123456"),
        (K.MOBILE, "+47 901 23 456", "+4790123456"),
        (K.MOBILE, "+1 (202) 555-0143", "+12025550143"),
        (K.MOBILE, "+44 (0)20 7946 0018", "+442079460018"),
        # Italian numbers keep their zero.
        (K.MOBILE, "+39 06 1234 5678", "+390612345678"),
        (K.EMAIL, "joe@bloggs.com", "joe@bloggs.com"),
        (K.EMAIL, "Pete@ON3.one", "pete@on3.one"),
        (K.EMAIL, "first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk"),
        (K.EMAIL, "o'brien@example.ie", "o'brien@example.ie"),
        (K.EMAIL, "tester@shop.test", "tester@shop.test"),
        # One domain, written for machines and for people.
        (K.EMAIL, "J@XN--bcher-kva.de", "j@bücher.de"),
        (K.EMAIL, "j@BÜCHER.de", "j@bücher.de"),
        # One letter, written as one code point and as two.
        (K.EMAIL, "jose\u0301@example.com", "josé@example.com"),
        (K.EMAIL, "JOS\u00c9@example.com", "josé@example.com"),
        (K.EXTERNAL_ID, "Customer 42/ä", "Customer 42/ä"),
        (K.EXTERNAL_ID, "x" * 128, "x" * 128),
        (
            K.WALLET_ADDRESS,
            "0xd03ea8624C8C5987235048901fB614fDcA89b117",
            "0xd03ea8624c8c5987235048901fb614fdca89b117",
        ),
        (
            K.WALLET_ADDRESS,
            "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045",
            "0xd8da6bf26964af9d7eed9e03e53415d37aa96045",
        ),
        # All in one case there is no checksum to check.
        (K.WALLET_ADDRESS, "0x" + "ab" * 20, "0x" + "ab" * 20),
        (K.WALLET_ADDRESS, "0x" + "AB" * 20, "0x" + "ab" * 20),
        (K.WALLET_ADDRESS, "0x" + "12" * 20, "0x" + "12" * 20),
        (K.DISCORD_ID, "11237863865923", "11237863865923"),
        (K.DISCORD_ID, "80351110224678912", "80351110224678912"),
        (K.DISCORD_ID, "18446744073709551615", "18446744073709551615"),
        (K.TWITTER_ID, "12", "12"),
        (K.TWITTER_ID, "1234567890123456789", "1234567890123456789"),
    ],
)
def test_valid_value_has_one_spelling(kind: IdentifierKind, value: str, stored: str) -> None:
    assert normalize(kind, value) == stored
    assert normalize(kind, stored) == stored


@pytest.mark.requirement("ON3-1")
@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        (K.MOBILE, "90123456", "must be in international format, for example +4790123456"),
        (K.MOBILE, "4790123456", "must be in international format, for example +4790123456"),
        (K.MOBILE, "+1 800 FLOWERS", "must be in international format, for example +4790123456"),
        (
            K.MOBILE,
            "+47 901 23 456 ext. 7",
            "must be in international format, for example +4790123456",
        ),
        (K.MOBILE, "+٤٧٩٠١٢٣٤٥٦", "must be in international format, for example +4790123456"),
        (K.MOBILE, "+999123456", "must start with a known country calling code, for example +47"),
        (K.MOBILE, "+4790", "must have a length that is possible for country calling code +47"),
        (K.EXTERNAL_ID, "", "must be 1 to 128 characters"),
        (K.EXTERNAL_ID, "x" * 129, "must be 1 to 128 characters"),
        (K.EXTERNAL_ID, " x", "must be printable characters without spaces around them"),
        (K.EXTERNAL_ID, "a\tb", "must be printable characters without spaces around them"),
        (K.EXTERNAL_ID, "a\u200bb", "must be printable characters without spaces around them"),
        (K.WALLET_ADDRESS, "0x" + "a" * 39, "must be 0x and 40 hexadecimal digits"),
        (K.WALLET_ADDRESS, "0X" + "a" * 40, "must be 0x and 40 hexadecimal digits"),
        (K.WALLET_ADDRESS, "a" * 42, "must be 0x and 40 hexadecimal digits"),
        (K.WALLET_ADDRESS, "0x" + "g" * 40, "must be 0x and 40 hexadecimal digits"),
        (K.WALLET_ADDRESS, "0x" + "a" * 40 + "\n", "must be 0x and 40 hexadecimal digits"),
        (
            K.WALLET_ADDRESS,
            "0xD03ea8624C8C5987235048901fB614fDcA89b117",
            "must have a correct checksum (EIP-55), or be in lower case",
        ),
        (K.DISCORD_ID, "1234", "must be a Discord user id: 5 to 20 digits, at most 64 bits"),
        (K.DISCORD_ID, "012345", "must be a Discord user id: 5 to 20 digits, at most 64 bits"),
        (
            K.DISCORD_ID,
            "18446744073709551616",
            "must be a Discord user id: 5 to 20 digits, at most 64 bits",
        ),
        (K.DISCORD_ID, "name#1234", "must be a Discord user id: 5 to 20 digits, at most 64 bits"),
        (
            K.TWITTER_ID,
            "0",
            "must be a Twitter user id: 1 to 20 digits, at most 64 bits; not a user name",
        ),
        (
            K.TWITTER_ID,
            "@jack",
            "must be a Twitter user id: 1 to 20 digits, at most 64 bits; not a user name",
        ),
        (
            K.TWITTER_ID,
            "99999999999999999999",
            "must be a Twitter user id: 1 to 20 digits, at most 64 bits; not a user name",
        ),
    ],
)
def test_invalid_value_names_its_rule(kind: IdentifierKind, value: str, rule: str) -> None:
    with pytest.raises(ValueError, match="must") as refusal:
        normalize(kind, value)
    assert str(refusal.value) == rule


@pytest.mark.requirement("ON3-1")
@pytest.mark.parametrize(
    "value",
    [
        "",
        "joe",
        "joe@",
        "@bloggs.com",
        "joe@bloggs",
        "joe@@bloggs.com",
        "joe bloggs@example.com",
        "joe..b@example.com",
        "joe@-example.com",
        "joe@example.invalid",
        "joe@localhost",
        "joe@192.0.2.1",
        "joe@[192.0.2.1]",
        '"joe"@example.com',
        "Joe <joe@example.com>",
        " joe@example.com",
        "joe@example.com\n",
        "x" * 65 + "@example.com",
        "joe@" + "x" * 64 + ".com",
        "joe@" + "x." * 130 + "com",
        "joe@ab--cd.com",
    ],
)
def test_malformed_email_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address"):
        normalize(K.EMAIL, value)


@pytest.mark.parametrize("kind", list(IdentifierKind))
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("1234567\x00", "must not contain the NUL character"),
        ("1234567\ud800", "must be valid Unicode: it contains half of a surrogate pair"),
        ("1234567\x1b", "must not contain control characters other than tab and line breaks"),
        ("1" * 321, "must have at most 320 characters"),
    ],
)
def test_hostile_text_is_refused_for_every_kind(
    kind: IdentifierKind, value: str, rule: str
) -> None:
    with pytest.raises(ValueError, match="must") as refusal:
        normalize(kind, value)
    assert str(refusal.value) == rule


def test_broken_rule_is_collected_with_its_path() -> None:
    errors: list[FieldError] = []
    read_identifier(K.WALLET_ADDRESS, "0x1", ("input", "wallet"), errors)
    valid = read_identifier(K.EMAIL, "A@B.no", ("input", "email"), errors)
    assert valid == Identifier(K.EMAIL, "a@b.no")
    message = "wallet must be 0x and 40 hexadecimal digits."
    assert errors == [FieldError(("input", "wallet"), "identifier", message)]


@pytest.mark.requirement("ON3-1")
@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_checksum_of_a_wallet_address_notices_any_letter_in_the_wrong_case(address: str) -> None:
    """The addresses are EIP-55's own examples."""
    assert normalize(K.WALLET_ADDRESS, address) == address.lower()
    for place in range(2, len(address)):
        changed = address[:place] + address[place].swapcase() + address[place + 1 :]
        if changed != address:
            with pytest.raises(ValueError, match="correct checksum"):
                normalize(K.WALLET_ADDRESS, changed)
