"""The plain form of an e-mail address is accepted exactly when the full check accepts it, and unchanged."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.members.identifiers.email import LENGTH_MAX, is_plain

# Near misses: lengths, dots, hyphens and endings at the edge of what is allowed.
EDGES = st.builds(
    lambda local, labels, ending: f"{local}@{'.'.join([*labels, ending])}",
    st.text("ab9._+-", min_size=1, max_size=66),
    st.lists(st.text("abnx9-", min_size=1, max_size=65), min_size=1, max_size=4),
    st.text("acmonx9-", min_size=1, max_size=65)
    | st.sampled_from(["com", "local", "localhost", "test", "invalid", "onion", "arpa"]),
)
# Mostly plain.
ORDINARY = st.from_regex(
    r"[a-z0-9_+-]{1,20}(\.[a-z0-9_+-]{1,20}){0,3}@([a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?\.){1,3}[a-z]{2,8}",
    fullmatch=True,
)


@settings(max_examples=1000, deadline=None)
@given(address=EDGES | ORDINARY)
@example(address="a@xn--a.com")
@example(address="a@ab--c.com")
@example(address=f"{'a' * 64}@{'b' * 63}.{'c' * 63}")
def test_plain_address_passes_full_check_unchanged(address: str) -> None:
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
