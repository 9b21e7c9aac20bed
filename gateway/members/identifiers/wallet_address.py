"""Ethereum wallet addresses, in lower case (ON3-1)."""

from __future__ import annotations

import re

from Crypto.Hash import keccak

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_UPPER_FROM_NIBBLE = 8


def normalise(value: str) -> str:
    """Return the address in lower case, after checking its checksum where it has one.

    Raises:
        ValueError: the rule that is broken, as the end of a sentence.
    """
    if _ADDRESS.fullmatch(value) is None:
        message = "must be 0x and 40 hexadecimal digits"
        raise ValueError(message)
    digits = value[2:]
    lower = digits.lower()
    # In one case the address carries no checksum (EIP-55).
    if digits not in {lower, digits.upper()} and digits != add_checksum(lower):
        message = "must have a correct checksum (EIP-55), or be in lower case"
        raise ValueError(message)
    return f"0x{lower}"


def add_checksum(digits: str) -> str:
    """Return 40 lower-case digits with the letters in upper case that EIP-55 wants so.

    A letter is in upper case where the digit at its place in the Keccak-256 hash of the text is 8 or more.
    """
    digest = keccak.new(digest_bits=256, data=digits.encode()).hexdigest()
    return "".join(
        letter.upper() if int(nibble, 16) >= _UPPER_FROM_NIBBLE else letter
        for letter, nibble in zip(digits, digest, strict=False)
    )
