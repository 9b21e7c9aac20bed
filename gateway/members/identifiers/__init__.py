"""The registry of identifier types. A new type is one file in this folder and its name, twice, here."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

from gateway.members.identifiers import (
    discord_id,
    email,
    external_id,
    mobile,
    twitter_id,
    wallet_address,
)
from gateway.text import find_forbidden_character

# Longer than any type allows: keeps absurd input away from the parsers.
VALUE_LENGTH_MAX = 320


class IdentifierKind(enum.StrEnum):
    """What an identifier is; with its normalized value it names at most one member of a tenant."""

    MOBILE = "MOBILE"
    EMAIL = "EMAIL"
    EXTERNAL_ID = "EXTERNAL_ID"
    WALLET_ADDRESS = "WALLET_ADDRESS"
    DISCORD_ID = "DISCORD_ID"
    TWITTER_ID = "TWITTER_ID"


_NORMALIZE: Mapping[IdentifierKind, Callable[[str], str]] = {
    IdentifierKind.MOBILE: mobile.normalize,
    IdentifierKind.EMAIL: email.normalize,
    IdentifierKind.EXTERNAL_ID: external_id.normalize,
    IdentifierKind.WALLET_ADDRESS: wallet_address.normalize,
    IdentifierKind.DISCORD_ID: discord_id.normalize,
    IdentifierKind.TWITTER_ID: twitter_id.normalize,
}


def normalize(kind: IdentifierKind, value: str) -> str:
    """Return the one spelling under which this identifier is stored and looked up.

    Raises:
        ValueError: the rule that is broken, as the end of a sentence: "must be …".
    """
    if len(value) > VALUE_LENGTH_MAX:
        message = f"must have at most {VALUE_LENGTH_MAX} characters"
        raise ValueError(message)
    if problem := find_forbidden_character(value):
        raise ValueError(problem)
    return _NORMALIZE[kind](value)
