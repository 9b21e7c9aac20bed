"""Mobile numbers, as E.164 text such as `+4790123456`."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import phonenumbers

# Without a country code a number means different people in different countries, so the plus sign is required.
_INTERNATIONAL = re.compile(r"\+[0-9(][0-9 ().-]{0,39}")

# The full check costs 13 µs, an eighth of a second for the largest distribution. Numbers mostly come as we store them, and the
# full check returns each one of this form unchanged; a property test compares the two.
_PLAIN = re.compile(r"\+[1-9][0-9]{3,14}")
_COUNTRY_CODE_LENGTH_MAX = 3


class _Plan(NamedTuple):
    """How numbers are made where a country calling code leads."""

    # Such as the 0 that is dialled within the country, where a number may be written with it.
    prefix: re.Pattern[str] | None
    lengths: frozenset[int]


def normalize(value: str) -> str:
    """Return the number in E.164 form.

    The length must be possible in its country. Ranges in use are not checked: they change more often than the tables
    that this gateway carries.

    Raises:
        ValueError: the rule that is broken, as the end of a sentence.
    """
    if is_plain(value):
        return value
    if _INTERNATIONAL.fullmatch(value) is None:
        message = "must be in international format, for example +4790123456"
        raise ValueError(message)
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException as error:
        message = "must start with a known country calling code, for example +47"
        raise ValueError(message) from error
    if not phonenumbers.is_possible_number(number):
        message = (
            f"must have a length that is possible for country calling code +{number.country_code}"
        )
        raise ValueError(message)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_plain(value: str) -> bool:
    """Tell whether a number is E.164 already and possible, as far as that is seen without the full check."""
    if _PLAIN.fullmatch(value) is None:
        return False
    for end in range(2, _COUNTRY_CODE_LENGTH_MAX + 2):
        plan = _find_plan(value[1:end])
        if plan is not None:
            national = value[end:]
            is_prefixed = plan.prefix is not None and plan.prefix.match(national) is not None
            return len(national) in plan.lengths and not is_prefixed
    return False


@cache
def _find_plan(digits: str) -> _Plan | None:
    """Return the plan of a country calling code; None if these digits are none."""
    country_code = int(digits)
    if country_code not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        return None
    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    if metadata is None or metadata.general_desc is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    lengths = (
        metadata.general_desc.possible_length,
        metadata.general_desc.possible_length_local_only,
    )
    return _Plan(re.compile(prefix) if prefix else None, frozenset().union(*lengths))
