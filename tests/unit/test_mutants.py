"""Each chosen fault can still be put into the code, and the tests that must notice it are there."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.mutants.areas import AREAS
from tests.mutants.checkout_copy import ROOT
from tests.mutants.model import Mutation, NoLongerApplies

MUTATIONS = [mutation for mutations in AREAS.values() for mutation in mutations]


def test_names_are_unique() -> None:
    counts = Counter(mutation.name for mutation in MUTATIONS)
    assert [name for name, count in counts.items() if count > 1] == []
    assert not set(AREAS) & set(counts)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_mutation_applies_and_its_tests_are_there(mutation: Mutation) -> None:
    assert mutation.read_mutated(ROOT) != (ROOT / mutation.file).read_text()
    assert mutation.tests
    for test in mutation.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), test
        assert not name or f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(), test


def test_text_that_is_there_twice_or_not_at_all_is_named() -> None:
    mutation = Mutation("example", "gateway/example.py", "a = 1", "a = 2", ("tests",))
    assert mutation.applied_to("a = 1\nb = 1\n") == "a = 2\nb = 1\n"
    with pytest.raises(
        NoLongerApplies, match=r"gateway/example\.py has this text 2 times: 'a = 1'"
    ):
        mutation.applied_to("a = 1\na = 1\n")
    with pytest.raises(NoLongerApplies, match="nowhere"):
        mutation.applied_to("")
    with pytest.raises(NoLongerApplies, match=r"gateway/example\.py is not there"):
        mutation.read_mutated(ROOT)
