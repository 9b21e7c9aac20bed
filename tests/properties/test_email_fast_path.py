"""The plain form of an e-mail address is accepted exactly when the full check accepts it, and unchanged."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.members.identifiers.email import LENGTH_MAX, is_plain

LOCAL_PARTS = st.text("ab9._+-", min_size=1, max_size=66)
LABELS = st.text("abnx9-", min_size=1, max_size=65)
ENDINGS = st.one_of(
    st.text("acmonx9-", min_size=1, max_size=65),
    st.sampled_from(["com", "local", "localhost", "test", "invalid", "onion", "arpa", "example"]),
)


@settings(max_examples=1000, deadline=None)
@given(local=LOCAL_PARTS, labels=st.lists(LABELS, min_size=1, max_size=4), ending=ENDINGS)
@example(local="a", labels=["xn--a"], ending="com")
@example(local="a", labels=["ab--c"], ending="com")
@example(local="a" * 64, labels=["b" * 63], ending="c" * 63)
def test_plain_address_passes_full_check_unchanged(
    local: str, labels: list[str], ending: str
) -> None:
    address = f"{local}@{'.'.join([*labels, ending])}"
    if not is_plain(address) or len(address) > LENGTH_MAX:
        return
    try:
        checked = validate_email(
            address, strict=True, check_deliverability=False, test_environment=True
        )
    except EmailNotValidError as error:
        message = f"{address} is taken for plain, but: {error}"
        raise AssertionError(message) from error
    assert checked.normalized == address


def test_ordinary_addresses_are_plain() -> None:
    for address in ("joe@bloggs.com", "first.last+tag@sub-domain.example.co.uk", "a_b@9to5.io"):
        assert is_plain(address)
