"""Put each chosen fault into a copy of the checkout and see that its tests notice: `make mutants`, outside of CI.

    python -m tests.mutants.run [--list] [AREA or NAME ...]

Prints a line for each fault: killed, or SURVIVED, NO VERDICT (its tests did not run), UNSOUND (they fail without it, too), DOES NOT APPLY.
Fails unless all are killed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.areas import AREAS
from tests.mutants.checkout_copy import CheckoutCopy, Verdict
from tests.mutants.model import Mutation, NoLongerApplies

KILLED = "killed"
# Of all tests that are named, without a fault.
SOUND_TIMEOUT_SECONDS = 1_200
RESULTS = {Verdict.FAILED: KILLED, Verdict.PASSED: "SURVIVED", Verdict.NONE: "NO VERDICT"}


def choose(names: Sequence[str]) -> dict[str, list[Mutation]]:
    """Return the mutations of each area that is named, or that are named themselves; all without names.

    Raises:
        SystemExit: a name is of none.
    """
    known = {*AREAS, *(mutation.name for mutations in AREAS.values() for mutation in mutations)}
    if unknown := sorted(set(names) - known):
        sys.exit(f"Neither an area nor a mutation: {', '.join(unknown)}.")
    chosen = {
        area: [
            mutation
            for mutation in mutations
            if not names or area in names or mutation.name in names
        ]
        for area, mutations in AREAS.items()
    }
    return {area: mutations for area, mutations in chosen.items() if mutations}


def find_unsound(copy: CheckoutCopy, chosen: dict[str, list[Mutation]]) -> list[str]:
    """Return the tests that fail without a fault: what they say of a fault means nothing.

    Raises:
        SystemExit: the tests cannot be run.
    """
    tests = {test for mutations in chosen.values() for m in mutations for test in m.tests}
    # A file that is named runs whole: then its single tests run with it.
    once = [test for test in tests if "::" not in test or test.split("::")[0] not in tests]
    trial = copy.try_all(sorted(once), SOUND_TIMEOUT_SECONDS)
    print(f"Without a fault: {trial.last_line}", flush=True)
    if trial.verdict is Verdict.NONE:
        sys.exit(trial.output)
    return trial.failed_tests


def try_mutation(copy: CheckoutCopy, mutation: Mutation, unsound: Sequence[str]) -> tuple[str, str]:
    """Return what became of one mutation, and by which test or why."""
    for failed in unsound:
        if failed.startswith(mutation.tests):
            return "UNSOUND", f"{failed} fails without a fault"
    try:
        with copy.broken_by(mutation):
            trial = copy.try_until_one_fails(mutation.tests)
    except NoLongerApplies as error:
        return "DOES NOT APPLY", str(error)
    return RESULTS[trial.verdict], "".join(trial.failed_tests) or trial.last_line


def main() -> None:
    """Try the mutations that are named, or all."""
    names = sys.argv[1:]
    chosen = choose([name for name in names if name != "--list"])
    if "--list" in names:
        for area, mutations in chosen.items():
            print(area, *(f"  {mutation.name}" for mutation in mutations), sep="\n")
        return
    results: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="rewards-gateway-mutants-") as folder:
        copy = CheckoutCopy(Path(folder).resolve())
        unsound = find_unsound(copy, chosen)
        for area, mutations in chosen.items():
            for mutation in mutations:
                began = time.monotonic()
                result, why = try_mutation(copy, mutation, unsound)
                results[result] += 1
                seconds = time.monotonic() - began
                line = f"{area:12} {mutation.name:44} {result:10} {seconds:5.1f} s  {why}"
                print(line, flush=True)
    print(", ".join(f"{count} {result}" for result, count in results.items()))
    sys.exit(set(results) != {KILLED})


if __name__ == "__main__":
    main()
