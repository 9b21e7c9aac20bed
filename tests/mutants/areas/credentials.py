"""Tokens: their form, their secret, when they end."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "checksum_of_a_token_is_not_checked",
        "gateway/tenants/tokens.py",
        "if _checksum(match[1].encode() + signified) != checksum:",
        "if False:",
        ("tests/unit/test_tokens.py",),
    ),
    Mutation(
        "secret_is_not_checked",
        "gateway/tenants/credentials.py",
        "return is_current or is_previous",
        "return row is not None",
        ("tests/integration/test_credentials.py::test_every_refusal_reads_the_same",),
    ),
    Mutation(
        "token_before_a_rotation_is_good_for_ever",
        "gateway/tenants/credentials_store.py",
        "CASE WHEN previous_until > now() THEN previous_secret_hash END AS",
        "previous_secret_hash AS",
        (
            "tests/integration/test_token_rotation.py::test_both_tokens_are_the_same_caller_until_the_overlap_ends",
        ),
    ),
    Mutation(
        "revoked_token_is_good",
        "gateway/tenants/credentials_store.py",
        "AND credentials.id = ANY($2::uuid[]) AND revoked_at IS NULL AND",
        "AND credentials.id = ANY($2::uuid[]) AND",
        ("tests/integration/test_credentials.py::test_every_refusal_reads_the_same",),
    ),
    Mutation(
        "expired_token_is_good",
        "gateway/tenants/credentials_store.py",
        "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())\n    AND (created_by",
        "revoked_at IS NULL\n    AND (created_by",
        ("tests/integration/test_credentials.py::test_every_refusal_reads_the_same",),
    ),
    Mutation(
        "token_outlives_the_one_that_made_it",
        "gateway/tenants/credentials_store.py",
        "maker.id = credentials.created_by AND maker.revoked_at IS NOT NULL",
        "maker.id = credentials.created_by AND false",
        (
            "tests/integration/test_member_tokens.py::test_token_ends_with_the_credential_that_made_it",
        ),
    ),
    Mutation(
        "revocation_takes_a_minute",
        "gateway/tenants/recognition.py",
        "TRUST_SECONDS = 1.0",
        "TRUST_SECONDS = 60.0",
        ("tests/integration/test_recognition.py",),
    ),
    Mutation(
        "token_cannot_be_relabeled",
        "gateway/tenants/tokens.py",
        "return hashlib.sha256(self._signified).digest()",
        "return hashlib.sha256(self.secret).digest()",
        ("tests/unit/test_tokens.py", "tests/integration/test_credentials.py"),
    ),
    Mutation(
        "rotations_at_once_are_both_done",
        "gateway/tenants/credentials_store.py",
        "    AND (previous_until IS NULL OR previous_until <= now() OR $4 = interval '0')\n",
        "",
        ("tests/integration/test_token_rotation.py",),
    ),
    Mutation(
        "token_for_a_till_makes_codes",
        "gateway/tenants/credentials.py",
        "if other := sorted(scopes - TILL_SCOPES):",
        "if other := ():",
        (
            "tests/integration/test_validation_codes.py::test_credential_is_bound_to_a_till_of_its_organization",
        ),
    ),
    Mutation(
        "organization_makes_tokens_of_any_member",
        "gateway/members/authority.py",
        "if member.organization_id not in caller.organization_ids:",
        "if False:",
        ("tests/integration/test_owners.py",),
    ),
)
