"""Mobile numbers, as E.164 text such as `+4790123456`."""

from __future__ import annotations

import re

import phonenumbers

# Without a country code a number means different people in different countries, so the plus sign is required.
_INTERNATIONAL = re.compile(r"\+[0-9(][0-9 ().-]{0,39}")


def normalise(value: str) -> str:
    """Return the number in E.164 form.

    The length must be possible in its country. Ranges in use are not checked: they change more often than the tables
    that this gateway carries.

    Raises:
        ValueError: the rule that is broken, as the end of a sentence.
    """
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
