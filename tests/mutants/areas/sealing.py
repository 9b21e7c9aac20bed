"""Keys, sealed values, and where each may be opened."""

from __future__ import annotations

from typing import Final

from tests.mutants.model import Mutation

MUTATIONS: Final = (
    Mutation(
        "sealed_value_opens_in_any_place",
        "gateway/keys/model.py",
        'return b"".join([tenant_id.bytes, *(id_.bytes for id_ in ids)])',
        'return b""',
        ("tests/unit/test_keys.py::test_sealed_value_opens_in_its_place_only",),
    ),
    Mutation(
        "context_is_not_authenticated",
        "gateway/keys/model.py",
        "current.ciphers[label].encrypt(nonce, plaintext, context)",
        "current.ciphers[label].encrypt(nonce, plaintext, None)",
        ("tests/unit/test_keys.py",),
    ),
    Mutation(
        "code_opens_in_any_row",
        "gateway/rewards/codes.py",
        "return keys.open(Label.COUPON_CODES, sealed, place(tenant_id, code_id)).decode()",
        "return keys.open(Label.COUPON_CODES, sealed, place(tenant_id)).decode()",
        ("tests/api/test_codes.py",),
    ),
    Mutation(
        "nonce_is_used_again",
        "gateway/keys/model.py",
        "nonce = os.urandom(NONCE_BYTES)",
        "nonce = bytes(NONCE_BYTES)",
        ("tests/unit/test_keys.py::test_equal_texts_are_sealed_differently",),
    ),
    Mutation(
        "purposes_share_a_subkey",
        "gateway/keys/model.py",
        "self.subkeys = {label: _expand(secret, label.value.encode(), KEY_BYTES) for label in Label}",
        'self.subkeys = {label: _expand(secret, b"", KEY_BYTES) for label in Label}',
        ("tests/unit/test_keys.py::test_each_purpose_and_master_key_has_subkeys_of_its_own",),
    ),
    Mutation(
        "gateway_starts_without_the_keys",
        "gateway/sealing/starting.py",
        "if missing := [key_id for key_id in recorded if key_id not in keys.ids]:",
        "if missing := []:",
        (
            "tests/integration/test_secret_keys.py::test_first_start_records_the_key_and_others_are_refused",
        ),
    ),
    Mutation(
        "code_is_kept_in_plain",
        "gateway/rewards/codes.py",
        "sealed = keys.seal(Label.COUPON_CODES, code.encode(), place(tenant_id, code_id))",
        "sealed = code.encode()",
        ("tests/integration/test_nothing_in_plain.py",),
    ),
    Mutation(
        "one_code_twice_in_another_case",
        "gateway/rewards/codes.py",
        'folded = unicodedata.normalize("NFKC", code).casefold()',
        'folded = unicodedata.normalize("NFKC", code)',
        ("tests/unit/test_sealed_codes.py",),
    ),
    Mutation(
        "index_of_codes_is_the_same_everywhere",
        "gateway/rewards/codes.py",
        "spelled = tenant_id.bytes + organization_id.bytes + normalize_code(code).encode()",
        "spelled = normalize_code(code).encode()",
        ("tests/unit/test_sealed_codes.py",),
    ),
    Mutation(
        "mask_shows_all_of_a_short_code",
        "gateway/rewards/codes.py",
        "SHOWN_PART = 3",
        "SHOWN_PART = 1",
        ("tests/unit/test_sealed_codes.py",),
    ),
)
