"""Public ids have one spelling each, and sort in the order in which they were made."""

from __future__ import annotations

import multiprocessing
from uuid import UUID

import pytest

from gateway import ids
from gateway.ids import IdKind, decode_any_id, decode_id, encode_id, new_id, new_ids

GUID = UUID("0681afdf-97bf-47f3-8569-731aeb6b2dd9")


def test_ids_of_one_process_sort_as_made() -> None:
    """Even within a millisecond, and across single ids and batches."""
    made = [new_id(), *new_ids(1_000), *(new_id() for _ in range(1_000)), *new_ids(10)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(value.version, value.variant) for value in made} == {(7, "specified in RFC 4122")}


def test_forked_processes_never_make_the_same_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the clock was set back since: they do not count on from the last id of the process they come from."""
    monkeypatch.setattr(ids, "_last", int(UUID("ffffffff-0000-7000-8000-000000000000")))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        made = [UUID(text) for text in pool.map(_make_id, range(20), chunksize=1)]
    assert len(set(made)) == len(made)
    assert max(made) < UUID("ffffffff-0000-7000-8000-000000000000") < new_id()


def _make_id(_: int) -> str:
    return str(new_id())


@pytest.mark.parametrize("kind", IdKind)
def test_every_kind_reads_back(kind: IdKind) -> None:
    """The kind follows from the id alone."""
    public_id = encode_id(kind, GUID)
    assert decode_id(kind, public_id) == GUID
    assert decode_any_id(public_id) == (kind, GUID)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rew_",
        "rew",
        f"mem_{GUID}",
        f"rew_{str(GUID).upper()}",
        f"rew_{GUID.hex}",
        f"rew_{GUID}\n",
    ],
)
def test_other_spellings_are_no_reward_ids(text: str) -> None:
    """A second spelling of an id would be a second cache key and a second idempotency key."""
    assert decode_id(IdKind.REWARD, text) is None


@pytest.mark.requirement("ON3-3")
def test_currency_guid_may_be_in_upper_case() -> None:
    """GUIDs are written both ways in the field."""
    assert decode_id(IdKind.ASSET, str(GUID).upper()) == GUID
