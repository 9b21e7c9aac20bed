"""The Authorization header, and the statuses that tell of it."""

from __future__ import annotations

import httpx
import pytest
from graphql import get_introspection_query

from gateway.errors import Unauthenticated
from gateway.http.credentials import read_bearer_token
from gateway.http.media_types import GRAPHQL_RESPONSE, JSON
from tests.api.toy_http import (
    BUSY_TOKEN,
    CALLER,
    GOOD_TOKEN,
    bearer,
    codes,
    post,
    post_anonymously,
)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_caller_reaches_resolvers(production: httpx.Client, scheme: str) -> None:
    response = post(production, "{ me }", Authorization=f"{scheme} {GOOD_TOKEN}")
    assert response.status_code == 200
    assert response.json() == {"data": {"me": str(CALLER.partner_id)}}


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer unknown-token",
        "Bearer",
        "Basic dXNlcjpwYXNzd29yZA==",
        GOOD_TOKEN,
        f"Bearer {GOOD_TOKEN} {GOOD_TOKEN}",
        "Bearer token-with-ünicode",
        "Bearer " + "x" * 1000,
        "",
    ],
)
def test_unusable_credential_is_refused_before_anything_runs(
    production: httpx.Client, authorization: str
) -> None:
    for accept in (JSON, GRAPHQL_RESPONSE):
        response = production.post(
            "/graphql",
            json={"query": "{ hello }"},
            headers=[
                (b"Authorization", authorization.encode("latin-1")),
                (b"Accept", accept.encode()),
            ],
        )
        assert response.status_code == 401
        assert response.headers["content-type"] == accept
        assert response.headers["www-authenticate"].startswith("Bearer ")
        assert codes(response) == ["UNAUTHENTICATED"]
        assert "data" not in response.json()


@pytest.mark.parametrize("token", ["a", "A.b~c+d/e-f_0==", "x" * 4_096 + "="])
@pytest.mark.parametrize("form", ["Bearer {}", "bEARER   {}", " Bearer {} ", "\tbearer \t{}\n"])
def test_token_is_what_stands_after_the_scheme(form: str, token: str) -> None:
    assert read_bearer_token(form.format(token)) == token


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        " ",
        "Bearer ",
        "Bearer\ta",
        "Bearera",
        "x Bearer a",
        "Bearer =",
        "Bearer a=a",
        "Bearer a b",
        "Bearer a\0",
        "Bearer a,b",
        "Bearer \N{KELVIN SIGN}",
        "Bearer " + "x" * 4_097,
    ],
)
def test_header_that_is_no_bearer_token_is_refused(authorization: str) -> None:
    with pytest.raises(Unauthenticated):
        read_bearer_token(authorization)


def test_no_header_is_no_token() -> None:
    assert read_bearer_token(None) is None


def test_credential_is_checked_before_the_body(production: httpx.Client) -> None:
    response = production.post(
        "/graphql", content=b"not json", headers={"Authorization": bearer("unknown")}
    )
    assert response.status_code == 401


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_RESPONSE])
def test_missing_credential_shows_in_the_status(production: httpx.Client, accept: str) -> None:
    response = post_anonymously(production, "{ me }", Accept=accept)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="rewards-gateway"'
    assert codes(response) == ["UNAUTHENTICATED"]


def test_field_that_needs_none_works_without_a_credential(production: httpx.Client) -> None:
    answer = post_anonymously(production, "{ __typename }")
    assert answer.json() == {"data": {"__typename": "Query"}}


def test_missing_scope_alone_shows_in_the_status(production: httpx.Client) -> None:
    response = post(production, "{ forbidden }", Authorization=bearer())
    assert response.status_code == 403
    assert codes(response) == ["FORBIDDEN"]


def test_missing_scope_beside_data_does_not(production: httpx.Client) -> None:
    response = post(production, "{ forbidden hello }", Authorization=bearer())
    assert response.status_code == 200
    assert response.json()["data"] == {"forbidden": None, "hello": "hello world"}


def test_overload_while_authenticating_asks_to_come_back(production: httpx.Client) -> None:
    response = post(production, "{ hello }", Authorization=bearer(BUSY_TOKEN))
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert codes(response) == ["OVERLOADED"]


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        '{ __type(name: "Query") { name } }',
        "{ ...F } fragment F on Query { __schema { description } }",
    ],
)
def test_introspection_needs_a_credential_in_production(
    production: httpx.Client, query: str
) -> None:
    """Asked in turns, so that neither answer can come from the other's place in the cache."""
    for _ in range(2):
        refused = post_anonymously(production, query)
        assert refused.status_code == 401
        assert set(codes(refused)) == {"UNAUTHENTICATED"}
        assert "data" not in refused.json()
        answered = post(production, query, Authorization=bearer())
        assert answered.status_code == 200
        assert "errors" not in answered.json()


def test_introspection_is_open_in_development(development: httpx.Client) -> None:
    """GraphiQL asks all of this before anyone has pasted a token."""
    query = get_introspection_query(
        descriptions=True,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    response = post_anonymously(development, query)
    assert response.status_code == 200
    assert response.json()["data"]["__schema"]["queryType"]["name"] == "Query"
