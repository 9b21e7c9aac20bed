"""A token's text holds where to look and a secret, and shows the secret to nobody else."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import new_id
from gateway.tenants.tokens import SECRET_BYTES, decode_token, new_token


def test_token_survives_its_text() -> None:
    token = new_token(new_id(), new_id())
    text = token.encode()
    assert decode_token(text) == token
    assert (text[:9], len(text)) == ("rgw_live_", 101)


def test_token_of_a_tenant_for_tests_says_so() -> None:
    token = new_token(new_id(), new_id(), is_test=True)
    assert token.encode().startswith("rgw_test_")
    assert decode_token(token.encode()) == token
    live = replace(token, is_test=False)
    assert live.secret_hash != token.secret_hash
    # The checksum and the stored hash cover the label.
    assert decode_token(token.encode().replace("_test_", "_live_")) is None


def test_any_wrong_character_is_noticed_without_looking_the_token_up() -> None:
    text = new_token(new_id(), new_id()).encode()
    for place in range(len("rgw_live_"), len(text)):
        other = "A" if text[place] != "A" else "B"
        assert decode_token(text[:place] + other + text[place + 1 :]) is None


def test_every_token_has_a_secret_of_its_own() -> None:
    tenant_id, credential_id = new_id(), new_id()
    secrets = {new_token(tenant_id, credential_id).secret for _ in range(100)}
    assert (len(secrets), {len(secret) for secret in secrets}) == (100, {SECRET_BYTES})


def test_only_the_hash_is_for_storing_and_nothing_for_showing() -> None:
    token = new_token(new_id(), new_id())
    parts = token.tenant_id.bytes + token.credential_id.bytes + token.secret
    assert token.secret_hash == hashlib.sha256(b"rgw_live_" + parts).digest()
    assert repr(token) == f"Token(credential_id={token.credential_id})"


@given(st.text(max_size=120))
def test_other_text_is_no_token(text: str) -> None:
    assert decode_token(text) is None
