"""Hashes of confidential input: of no use to who guesses, and the same input after a change of keys."""

from gateway.ids import new_id
from gateway.keys.model import Keys
from gateway.operations.model import Confidential, OperationKind, Request

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def request(value: object, *masters: bytes) -> Request:
    fields = {"name": "Acme", "codes": Confidential(value, Keys(masters))}
    return Request(OperationKind.IMPORT_CODES, "1", fields, new_id())


def test_hash_depends_on_the_key():
    hashes = {
        request(["A"], OLD).field_hashes()["codes"],
        request(["A"], NEW).field_hashes()["codes"],
    }
    plain = Request(OperationKind.IMPORT_CODES, "1", {"codes": ["A"]}, new_id()).field_hashes()
    assert len(hashes) == 2
    assert all(plain["codes"] not in hash_ for hash_ in hashes)


def test_repeat_is_told_from_a_change():
    first = request(["A", "B"], OLD).field_hashes()
    assert request(["A", "B"], OLD).find_differing(first) == ()
    assert request(["B", "A"], OLD).find_differing(first) == ("codes",)


def test_repeat_after_a_change_of_keys_is_a_repeat():
    first = request(["A"], OLD).field_hashes()
    assert request(["A"], NEW, OLD).find_differing(first) == ()
    assert request(["B"], NEW, OLD).find_differing(first) == ("codes",)


def test_without_the_key_nothing_counts_as_a_repeat():
    first = request(["A"], OLD).field_hashes()
    assert request(["A"], NEW).find_differing(first) == ("codes",)
    assert request(["A"], NEW).find_differing({**first, "codes": "0" * 24}) == ("codes",)
    assert request(["A"], NEW).find_differing({"name": first["name"]}) == ("codes", "version")
