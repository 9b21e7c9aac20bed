"""A token's text holds where to look and a secret, and shows the secret to nobody else."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from gateway.ids import new_id
from gateway.tenants.tokens import SECRET_BYTES, decode_token, new_token


def test_token_survives_its_text() -> None:
    token = new_token(new_id(), new_id())
    text = token.encode()
    assert decode_token(text) == token
    assert (text[:4], len(text)) == ("rgw_", 90)


def test_every_token_has_a_secret_of_its_own() -> None:
    tenant_id, credential_id = new_id(), new_id()
    secrets = {new_token(tenant_id, credential_id).secret for _ in range(100)}
    assert (len(secrets), {len(secret) for secret in secrets}) == (100, {SECRET_BYTES})


def test_only_the_hash_is_for_storing_and_nothing_for_showing() -> None:
    token = new_token(new_id(), new_id())
    assert token.secret_hash == hashlib.sha256(token.secret).digest()
    assert repr(token) == f"Token(credential_id={token.credential_id})"


@given(st.text(max_size=120))
def test_other_text_is_no_token(text: str) -> None:
    assert decode_token(text) is None
