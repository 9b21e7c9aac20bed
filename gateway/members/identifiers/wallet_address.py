"""Ethereum wallet addresses, in lower case (ON3-1)."""

from __future__ import annotations

import re

from Crypto.Hash import keccak

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_DIGITS = 40
# One byte for each digit. In ASCII, hexadecimal letters have bit 0x40; the digits 8 and 9, and no letter up to f, have 0x08;
# and a letter's bit 0x20 says that it is a small one.
_LETTERS = int.from_bytes(b"\x40" * _DIGITS)
_EIGHT_AND_NINE = int.from_bytes(b"\x08" * _DIGITS)


def normalize(value: str) -> str:
    """Return the address in lower case, after checking its checksum where it has one.

    Raises:
        ValueError: the rule that is broken, as the end of a sentence.
    """
    if _ADDRESS.fullmatch(value) is None:
        message = "must be 0x and 40 hexadecimal digits"
        raise ValueError(message)
    lower = value.lower()
    # In one case the address carries no checksum (EIP-55).
    if value != lower:
        digits = value[2:]
        if digits != digits.upper() and digits != add_checksum(lower[2:]):
            message = "must have a correct checksum (EIP-55), or be in lower case"
            raise ValueError(message)
    return lower


def add_checksum(digits: str) -> str:
    """Return 40 lower-case digits with the letters in upper case that EIP-55 wants so.

    A letter is in upper case where the digit at its place in the Keccak-256 hash of the text is 8 or more. All places are
    worked out at once, as one large number each: ten thousand addresses may come together.
    """
    ascii_digits = digits.encode()
    hashed = keccak.new(digest_bits=256, data=ascii_digits).digest().hex()[:_DIGITS]
    text, digest = int.from_bytes(ascii_digits), int.from_bytes(hashed.encode())
    is_letter = (text & _LETTERS) >> 1
    is_eight_or_more = (digest & _LETTERS) >> 1 | (digest & _EIGHT_AND_NINE) << 2
    return (text ^ (is_letter & is_eight_or_more)).to_bytes(_DIGITS).decode()
