"""Fixtures that every test may use; they live in tests/plugins, one subject a file."""

pytest_plugins = [
    "tests.plugins.databases",
    "tests.plugins.figures",
    "tests.plugins.requirements",
    "tests.plugins.shops",
]
