"""Trusted documents: asked for by id, and where only they may run, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from gateway.http.graphql_documents import SOURCE_CHARACTERS_MAX, DocumentCache
from gateway.http.trusted_documents import InvalidManifest, TrustedDocuments
from gateway.settings import InvalidSetting, Settings
from tests.api.toy_http import codes, create_toy_application, create_toy_schema, post, serve

HELLO = "query Hello($name: String!) { hello(name: $name) }"
ACT = "mutation Act { act }"
HELLO_ID = "sha256:" + hashlib.sha256(HELLO.encode()).hexdigest()


def write_manifest(folder: Path, manifest: object) -> Path:
    path = folder / "documents.json"
    path.write_bytes(orjson.dumps(manifest))
    return path


def client_of(path: Path, *, only: bool, development: bool = False) -> Any:
    settings = Settings(trusted_documents=path, trusted_documents_only=only)
    return serve(
        create_toy_application(development=development, data_dir=path.parent, settings=settings)
    )


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_manifest(tmp_path_factory.mktemp("manifest"), {"hello-1": HELLO, "act-1": ACT})


@pytest.fixture(scope="module")
def exclusive(manifest: Path) -> Iterator[httpx.Client]:
    with client_of(manifest, only=True) as client:
        yield client


@pytest.fixture(scope="module")
def open_to_all(manifest: Path) -> Iterator[httpx.Client]:
    with client_of(manifest, only=False, development=True) as client:
        yield client


@pytest.mark.parametrize("document_id", ["hello-1", HELLO_ID])
def test_document_runs_by_its_id(exclusive: httpx.Client, document_id: str) -> None:
    """By the manifest's id, and by the hash of its text."""
    for _ in range(3):
        body = {"documentId": document_id, "variables": {"name": "Ada"}}
        assert exclusive.post("/graphql", json=body).json() == {"data": {"hello": "hello Ada"}}


def test_document_runs_by_its_id_over_get_in_development(open_to_all: httpx.Client) -> None:
    parameters = {"documentId": HELLO_ID, "variables": '{"name":"Ada"}'}
    answer = open_to_all.get("/graphql", params=parameters)
    assert answer.json() == {"data": {"hello": "hello Ada"}}


def test_mutation_does_not_run_over_get(open_to_all: httpx.Client) -> None:
    assert open_to_all.get("/graphql", params={"documentId": "act-1"}).status_code == 405


def test_trusted_document_may_be_sent_whole(exclusive: httpx.Client) -> None:
    assert post(exclusive, ACT).json() == {"data": {"act": "acted"}}


def test_other_document_is_refused_where_only_trusted_ones_may_run(
    exclusive: httpx.Client,
) -> None:
    response = post(exclusive, f"{ACT} ")
    assert response.status_code == 400
    assert codes(response) == ["DOCUMENT_NOT_TRUSTED"]
    assert "data" not in response.json()


def test_other_document_runs_elsewhere(open_to_all: httpx.Client) -> None:
    assert post(open_to_all, "{ double(number: 4) }").json() == {"data": {"double": 8}}


@pytest.mark.parametrize("document_id", ["", "hello-2", HELLO_ID.upper(), HELLO_ID[7:]])
def test_unknown_id_is_refused(open_to_all: httpx.Client, document_id: str) -> None:
    response = open_to_all.post("/graphql", json={"documentId": document_id})
    assert response.status_code == 400
    assert codes(response) == ["DOCUMENT_NOT_FOUND"]


@pytest.mark.parametrize(
    "body", [{"documentId": "hello-1", "query": HELLO}, {"documentId": 7}, {"documentId": ["a"]}]
)
def test_malformed_request_is_refused(open_to_all: httpx.Client, body: object) -> None:
    response = open_to_all.post("/graphql", json=body)
    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]


def test_missing_variable_is_reported_as_ever(exclusive: httpx.Client) -> None:
    response = exclusive.post("/graphql", json={"documentId": "hello-1"})
    assert codes(response) == ["BAD_USER_INPUT"]


def test_manifest_of_apollo_is_read(tmp_path: Path) -> None:
    manifest = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": "abc", "name": "Hello", "type": "query", "body": HELLO}],
    }
    trusted = TrustedDocuments.read(write_manifest(tmp_path, manifest))
    assert trusted.find("abc") == trusted.find(HELLO_ID) == HELLO


@pytest.mark.parametrize(
    "manifest",
    [[], "x", {"a": 1}, {"": HELLO}, {"operations": [1]}, {"operations": [{"id": "a"}]}],
)
def test_malformed_manifest_is_refused(tmp_path: Path, manifest: object) -> None:
    with pytest.raises(InvalidManifest, match=r"documents\.json"):
        TrustedDocuments.read(write_manifest(tmp_path, manifest))


def test_id_of_two_documents_is_refused(tmp_path: Path) -> None:
    operations = [{"id": "a", "body": HELLO}, {"id": "a", "body": ACT}]
    with pytest.raises(InvalidManifest, match="two documents"):
        TrustedDocuments.read(write_manifest(tmp_path, {"operations": operations}))


def test_missing_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidManifest, match="cannot be read"):
        TrustedDocuments.read(tmp_path / "nothing.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InvalidManifest, match="not JSON"):
        TrustedDocuments.read(tmp_path / "broken.json")


@pytest.mark.parametrize(
    "document", ["{", "{ unknown }", "", "{ hello } #" + "x" * SOURCE_CHARACTERS_MAX]
)
def test_document_that_the_schema_refuses_keeps_the_gateway_from_starting(
    tmp_path: Path, document: str
) -> None:
    path = write_manifest(tmp_path, {"broken": document})
    with pytest.raises(InvalidManifest, match="refuses a trusted document"):
        create_toy_application(
            development=False, data_dir=tmp_path, settings=Settings(trusted_documents=path)
        )


def test_trusted_document_is_never_forgotten() -> None:
    """Other documents fill the cache, however many there are; a trusted one stays parsed and validated."""
    schema = create_toy_schema()._schema
    cache = DocumentCache(characters_max=1)
    cache.pin(schema, HELLO)
    first = cache.load(schema, HELLO)
    cache.load(schema, "{ hello }")
    assert cache.load(schema, HELLO) is first


def test_trusted_introspection_still_needs_a_credential(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, {"types": "{ __schema { types { name } } }"})
    asked = {"documentId": "types"}
    with client_of(path, only=True) as client:
        response = httpx.post(f"{client.base_url}/graphql", json=asked, trust_env=False)
        assert client.post("/graphql", json=asked).status_code == 200
    assert response.status_code == 401
    assert codes(response) == ["UNAUTHENTICATED"]


def test_only_trusted_documents_need_some() -> None:
    with pytest.raises(InvalidSetting, match="TRUSTED_DOCUMENTS_ONLY needs TRUSTED_DOCUMENTS"):
        Settings.from_environment({"TRUSTED_DOCUMENTS_ONLY": "true"})
    settings = Settings.from_environment(
        {"TRUSTED_DOCUMENTS": "documents.json", "TRUSTED_DOCUMENTS_ONLY": "yes"}
    )
    assert settings.trusted_documents == Path("documents.json")
    assert settings.trusted_documents_only
