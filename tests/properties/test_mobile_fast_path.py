"""The plain form of a mobile number is accepted exactly when the full check accepts it, and unchanged."""

from __future__ import annotations

import phonenumbers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.members.identifiers.mobile import is_plain

COUNTRY_CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def check_in_full(value: str) -> str | None:
    """Return the number in E.164 form, or None if it is not possible."""
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@settings(max_examples=1000, deadline=None)
@given(
    value=st.builds(
        "+{}{}".format,
        st.sampled_from(COUNTRY_CODES),
        st.from_regex(r"[0-9]{1,14}", fullmatch=True),
    )
    | st.from_regex(r"\+[0-9]{0,17}", fullmatch=True)
)
@example(value="+3906698")
@example(value="+22500000000")
@example(value="+4407911123456")
@example(value="+5491123456789")
def test_plain_number_passes_full_check_unchanged(value: str) -> None:
    if is_plain(value):
        assert check_in_full(value) == value


def test_numbers_of_every_country_are_plain_as_their_examples_are_written() -> None:
    """Where a country's own example is not plain, the full check decides: a few countries, no more."""
    others = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example_number = phonenumbers.example_number_for_type(
            region, phonenumbers.PhoneNumberType.MOBILE
        )
        if example_number is not None:
            value = phonenumbers.format_number(example_number, phonenumbers.PhoneNumberFormat.E164)
            assert check_in_full(value) == value
            others += [] if is_plain(value) else [region]
    assert len(others) < len(phonenumbers.SUPPORTED_REGIONS) / 10, others
