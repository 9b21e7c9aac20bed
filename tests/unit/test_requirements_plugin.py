from pathlib import Path

import pytest

from tests.plugins.requirements import read_rules

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = session")
    pytester.makeconftest('pytest_plugins = ["tests.plugins.requirements"]')
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    # A process of its own: the plugin is already loaded in this one.
    return suite.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


def test_rules_page_lists_each_rule_once_in_order():
    rules = read_rules()
    assert len(rules) == len(set(rules)) == 55
    assert rules[0] == "OWN-1"
    assert rules[-1] == "ALL-7"


def test_requirements_lists_the_proof_of_every_rule_and_runs_nothing(suite: pytest.Pytester):
    suite.makepyfile(
        test_proof="""
        import pytest

        @pytest.mark.requirement("OWN-4", "MON-11")
        @pytest.mark.parametrize("number", [1, 2])
        def test_two_rules(number):
            raise SystemError("ran")

        @pytest.mark.requirement("OWN-4")
        def test_one_rule():
            raise SystemError("ran")
        """
    )
    result = run(suite, "--requirements")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "OWN-1    none",
            "OWN-4    test_proof.py::test_two_rules",
            "OWN-4    test_proof.py::test_one_rule",
            "MON-11   test_proof.py::test_two_rules",
            "ALL-6    none",
        ]
    )
    assert result.stdout.str().count("test_two_rules") == 2


@pytest.mark.parametrize("arguments", [(), ("--requirements",), ("-n", "1")])
def test_unknown_rule_fails_the_collection(suite: pytest.Pytester, arguments: tuple[str, ...]):
    suite.makepyfile(
        """
        import pytest

        @pytest.mark.requirement("OWN-99")
        def test_nothing():
            pass
        """
    )
    result = run(suite, *arguments)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*Not in docs/requirements.md: OWN-99*"])
