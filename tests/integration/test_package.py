"""What the container image installs: a wheel, without the source tree around it."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def files_in_wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    source.mkdir()
    # A copy, because the build leaves files beside its input.
    shutil.copy(PROJECT / "pyproject.toml", source)
    for package in ("gateway", "resolvers"):
        shutil.copytree(
            PROJECT / package,
            source / package,
            ignore=shutil.ignore_patterns("node_modules", "bundle", "__pycache__"),
        )
    bundle = source / "gateway/http/graphiql/bundle"
    bundle.mkdir()
    (bundle / "main.js").write_text("// built by Node.js")
    options = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(source)], check=True
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_has_every_module(files_in_wheel: set[str]):
    modules = {
        str(path.relative_to(PROJECT))
        for package in ("gateway", "resolvers")
        for path in (PROJECT / package).rglob("*.py")
        if "node_modules" not in path.parts
    }
    assert modules - files_in_wheel == set()


def test_wheel_has_graphiql_and_its_examples(files_in_wheel: set[str]):
    examples = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "gateway/http/graphiql/examples").iterdir()
    }
    assert examples
    assert (examples | {"gateway/http/graphiql/bundle/main.js"}) - files_in_wheel == set()


def test_everything_the_image_copies_exists_and_reaches_the_builder():
    dockerfile = (PROJECT / "docker/Dockerfile").read_text()
    sources = re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE)
    assert sources == [
        "gateway/http/graphiql/",
        "constraints.txt",
        "pyproject.toml",
        "gateway/",
        "resolvers/",
    ]
    let_through = {
        line.removeprefix("!")
        for line in (PROJECT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for source in sources:
        assert (PROJECT / source).exists()
        assert Path(source).parts[0] in let_through


def test_no_pin_names_where_to_download_from():
    for name in ("constraints.txt", "constraints-dev.txt"):
        pins = (PROJECT / name).read_text()
        assert "://" not in pins
        assert " @ " not in pins
        assert not re.search(
            r"^-(-index-url|-extra-index-url|-find-links|i|f)\b", pins, re.MULTILINE
        )
