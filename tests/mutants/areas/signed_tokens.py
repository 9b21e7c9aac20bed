"""JSON Web Tokens of an organization's issuer."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "signature_is_not_checked",
        "gateway/signing_in/recognition.py",
        "if key is None or not is_signed_with(token, key):",
        "if key is None:",
        (
            "tests/integration/test_signed_tokens.py::test_nothing_but_an_allowed_algorithm_verifies",
        ),
    ),
    Mutation(
        "symmetric_algorithm_is_taken",
        "gateway/signing_in/signed_token.py",
        "if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:",
        "if not isinstance(algorithm, str):",
        ("tests/unit/test_signed_token.py",),
    ),
    Mutation(
        "token_never_expires",
        "gateway/signing_in/signed_token.py",
        "if expires is None or not now - LEEWAY_SECONDS < expires:",
        "if expires is None:",
        ("tests/integration/test_signed_tokens.py::test_claims_must_be_for_here_and_now",),
    ),
    Mutation(
        "token_lives_for_ever",
        "gateway/signing_in/signed_token.py",
        "if expires > now + LIFETIME_SECONDS_MAX + LEEWAY_SECONDS:",
        "if False:",
        ("tests/integration/test_signed_tokens.py::test_claims_must_be_for_here_and_now",),
    ),
    Mutation(
        "token_is_good_before_it_begins",
        "gateway/signing_in/signed_token.py",
        'for name in ("nbf", "iat"):',
        'for name in ("iat",):',
        ("tests/integration/test_signed_tokens.py::test_claims_must_be_for_here_and_now",),
    ),
    Mutation(
        "token_is_good_before_it_was_issued",
        "gateway/signing_in/signed_token.py",
        'for name in ("nbf", "iat"):',
        'for name in ("nbf",):',
        ("tests/integration/test_signed_tokens.py::test_claims_must_be_for_here_and_now",),
    ),
    Mutation(
        "audience_is_not_checked",
        "gateway/signing_in/known_issuers.py",
        "named = {audience: self._by_meaning.get((url, audience)) for audience in audiences}",
        "named = {key: known for key, known in self._by_meaning.items() if key[0] == url}",
        ("tests/integration/test_signed_tokens.py::test_claims_must_be_for_here_and_now",),
    ),
    Mutation(
        "issuer_is_not_checked",
        "gateway/signing_in/known_issuers.py",
        "named = {audience: self._by_meaning.get((url, audience)) for audience in audiences}",
        "named = {key: known for key, known in self._by_meaning.items() if key[1] in audiences}",
        ("tests/integration/test_signed_tokens.py::test_claims_must_be_for_here_and_now",),
    ),
    Mutation(
        "any_key_of_the_issuer_verifies",
        "gateway/signing_in/public_keys.py",
        "return keys.get((key_id, algorithm))",
        "key_id = None",
        ("tests/integration/test_signed_tokens.py",),
    ),
    Mutation(
        "critical_header_is_overlooked",
        "gateway/signing_in/signed_token.py",
        'or claims is None or "crit" in header:',
        "or claims is None:",
        ("tests/unit/test_signed_token.py",),
    ),
    Mutation(
        "type_of_the_token_is_not_checked",
        "gateway/signing_in/signed_token.py",
        'if str(header.get("typ", "JWT")).lower() not in TYPES:',
        "if False:",
        ("tests/unit/test_signed_token.py",),
    ),
    Mutation(
        "weak_key_is_taken",
        "gateway/signing_in/public_keys.py",
        "if not RSA_BITS_LEAST <= numbers.n.bit_length() <= RSA_BITS_MOST:",
        "if False:",
        ("tests/integration/test_signed_tokens.py::test_misbehaving_servers_have_no_keys",),
    ),
    Mutation(
        "removed_issuer_is_believed",
        "gateway/signing_in/recognition.py",
        "monotonic() >= verified.until or verified.known.is_removed:",
        "monotonic() >= verified.until:",
        (
            "tests/integration/test_signed_tokens.py::test_removed_issuer_is_refused_when_that_is_known",
        ),
    ),
    Mutation(
        "issuer_speaks_for_every_member",
        "gateway/signing_in/recognition.py",
        "return member_id if is_own else None",
        "return member_id",
        (
            "tests/integration/test_signed_tokens.py::test_issuer_speaks_for_its_own_organizations_members",
        ),
    ),
    Mutation(
        "unknown_keys_fetch_at_once",
        "gateway/signing_in/known_issuers.py",
        "asked = self._is_asked_for and now - self._tried_at >= KEYS_ASKED_EVERY_SECONDS",
        "asked = self._is_asked_for",
        (
            "tests/integration/test_signed_tokens.py::test_flood_of_unknown_keys_fetches_no_more_often",
        ),
    ),
)
