"""A serving process looks for garbage seldom, and still finds it."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: what is set aside and how often is looked holds for the whole process.
PROGRAM = """
import gc
import weakref

from gateway.garbage import collect_seldom

class Circle:
    def __init__(self) -> None:
        self.itself = self

circles = []
looks = []
collect_seldom()
assert gc.get_freeze_count() > 1_000
gc.callbacks.append(lambda phase, info: looks.append(info["generation"]))
lists = [[] for _ in range(4_000)]
assert looks == [], looks
for _ in range(6_000):
    circles.append(weakref.ref(Circle()))
assert looks, "never looked"
assert sum(circle() is not None for circle in circles) < 5_500
gc.collect()
assert not any(circle() for circle in circles)
"""


def test_circles_are_found_though_a_few_thousand_objects_start_no_search() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
