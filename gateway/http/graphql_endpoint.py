"""GraphQL over HTTP: the one endpoint that runs operations.

Source: https://graphql.github.io/graphql-over-http/draft/, held by the 61 audits of `graphql-http`.
Starlette's requests, responses and routes would cost more than a small operation does: it takes ASGI's scope and gives bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import orjson
from graphql import GraphQLError
from starlette.types import Receive, Scope
from strawberry.http import GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.access import Caller
from gateway.errors import RewardsError, Unauthenticated
from gateway.http.admission.accounts import Account
from gateway.http.admission.admission import Admission
from gateway.http.anonymous import ANONYMOUS_BODY_BYTES_MAX, check_anonymous
from gateway.http.answers import Answer
from gateway.http.body_budget import BodyBudget
from gateway.http.credentials import Authenticate, read_bearer_token
from gateway.http.error_presentation import INTERNAL
from gateway.http.graphql_schema import GatewaySchema
from gateway.http.headers import Headers, find_header
from gateway.http.media_types import GRAPHQL_RESPONSE, choose_response_type
from gateway.http.refusals import (
    BEARER_CHALLENGE,
    RequestRefused,
    bad_request,
    method_not_allowed,
    refuse_for,
)
from gateway.http.request_body import read_json_body, read_operation, read_query_string
from gateway.http.request_record import RequestRecord
from gateway.http.trusted_documents import TrustedDocuments

MakeContext: TypeAlias = Callable[[Caller | None, str], object]

# As numbers: looking a member of an enum up takes longer than the rest of an answer's head.
_OK: Final = HTTPStatus.OK.value
_UNAUTHORIZED: Final = HTTPStatus.UNAUTHORIZED.value
# Whoever sends it, with whatever value, is told what the operation cost.
COST_HEADER: Final = b"x-report-cost"
_GET: Final = frozenset({OperationType.QUERY})
# Of the errors of a request that is refused; with what stands around them the answer stays below 16 KB.
REFUSAL_BYTES_MAX: Final = 15_000
LOCATIONS_MAX: Final = 5


class GraphQLEndpoint:
    """Runs one operation per request: POST always, GET for queries in development only."""

    def __init__(
        self,
        schema: GatewaySchema,
        *,
        admission: Admission,
        authenticate: Authenticate,
        make_context: MakeContext,
        development: bool,
        body_bytes_max: int,
        trusted: TrustedDocuments,
    ) -> None:
        """Keep how to authenticate and what a resolver's context is made of."""
        self._schema = schema
        self._admission = admission
        self._authenticate = authenticate
        self._make_context = make_context
        self._development = development
        self._body_bytes_max = body_bytes_max
        self._body_budget = BodyBudget(body_bytes_max)
        self._trusted = trusted
        self._methods = ("GET", "HEAD", "POST") if development else ("POST",)

    async def __call__(
        self, scope: Scope, headers: Headers, receive: Receive, record: RequestRecord
    ) -> Answer:
        """Answer one request; of its record all is filled in but the id.

        Raises:
            RequestRefused: the request is not one that the protocol, a limit or the credential allows.
        """
        method = scope["method"]
        if method not in self._methods:
            raise method_not_allowed("This method is not allowed here.", ", ".join(self._methods))
        media_type = choose_response_type(find_header(headers, b"accept"))
        if media_type is None:
            raise RequestRefused(
                HTTPStatus.NOT_ACCEPTABLE,
                "NOT_ACCEPTABLE",
                "Accept application/graphql-response+json or application/json.",
            )
        account = await self._recognize(scope, headers, record)
        account.enter()
        try:
            asked = await self._read(scope, headers, receive, record)
            is_reported = headers.get(COST_HEADER) is not None
            result = await self._run(
                asked,
                record,
                account,
                receive,
                is_post=method == "POST",
                is_reported=is_reported,
            )
        finally:
            account.leave()
        return _to_answer(result, media_type)

    async def _recognize(self, scope: Scope, headers: Headers, record: RequestRecord) -> Account:
        """Find out who asks, and return whose account that is.

        Raises:
            RequestRefused: the credential is not valid, or too many at this address were not, or had none.
        """
        admission = self._admission
        try:
            token = read_bearer_token(find_header(headers, b"authorization"))
        except RewardsError as error:
            admission.enter_anonymously(scope)
            raise refuse_for(error) from error
        if token is None:
            return admission.enter_anonymously(scope)
        account = admission.find_by_token(token)
        if account is None:
            admission.check_unknown(scope)
        try:
            record.caller = caller = await self._authenticate(token)
        except RewardsError as error:
            if isinstance(error, Unauthenticated):
                admission.refuse_token(scope, token)
            raise refuse_for(error) from error
        return admission.open_for(token, caller) if account is None else account

    async def _read(
        self, scope: Scope, headers: Headers, receive: Receive, record: RequestRecord
    ) -> GraphQLRequestData:
        if scope["method"] != "POST":
            asked = read_query_string(scope["query_string"], self._trusted)
        else:
            caller, body_bytes_max = record.caller, self._body_bytes_max
            if caller is None:
                body_bytes_max = min(body_bytes_max, ANONYMOUS_BODY_BYTES_MAX)
            tenant = caller and caller.tenant_id
            body = await read_json_body(headers, receive, body_bytes_max, self._body_budget, tenant)
            asked = read_operation(body, self._trusted)
        if record.caller is None:
            check_anonymous(asked.query or "", introspection_allowed=self._development)
        return asked

    async def _run(
        self,
        asked: GraphQLRequestData,
        record: RequestRecord,
        account: Account,
        receive: Receive,
        *,
        is_post: bool,
        is_reported: bool,
    ) -> ExecutionResult:
        """Pay for the operation, wait for the tenant's turn, and execute."""
        tenant = account.tenant
        if tenant is None:
            # Nothing that anybody may do without a credential is worth a weight.
            return await self._execute(asked, record, is_post=is_post)
        cost, document_cost = self._schema.weigh(asked.query, asked.operation_name, asked.variables)
        if document_cost:
            account.charge(document_cost)
        self._admission.spend(account, cost)
        turn = await self._admission.begin(tenant, cost, receive)
        try:
            result = await self._execute(asked, record, is_post=is_post)
        finally:
            self._admission.end(turn)
        if is_reported:
            result.extensions = {**(result.extensions or {}), "cost": account.describe(cost)}
        return result

    async def _execute(
        self, asked: GraphQLRequestData, record: RequestRecord, *, is_post: bool
    ) -> ExecutionResult:
        try:
            return await self._schema.execute(
                asked.query,
                asked.variables,
                self._make_context(record.caller, record.request_id),
                None,
                asked.operation_name,
                None if is_post else _GET,
                asked.extensions,
            )
        except CannotGetOperationTypeError as error:
            raise bad_request(error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            message = "Only queries may be sent with GET; send this operation with POST."
            raise method_not_allowed(message, "POST") from error


def _to_answer(result: ExecutionResult, media_type: str) -> Answer:
    """Encode the result, with the status that it deserves; an operation that never ran has no `data` entry."""
    status = _OK
    content: dict[str, Any] = {"data": result.data}
    if errors := result.errors:
        status = choose_status(result, media_type).value
        content["errors"] = [error.formatted for error in errors]
        if is_request_error(result):
            del content["data"]
            content["errors"] = _fit(content["errors"])
    if result.extensions:
        content["extensions"] = result.extensions
    body = encode_json(content)
    headers = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
    if status == _UNAUTHORIZED:
        headers.append((b"www-authenticate", BEARER_CHALLENGE.encode()))
    return Answer(status, headers, body)


def _fit(errors: list[Any]) -> list[Any]:
    """Return as many of a refused request's errors as fit into a small answer, the first in any case."""
    fitting: list[Any] = []
    size_bytes = 0
    for error in errors:
        if len(error.get("locations", ())) > LOCATIONS_MAX:
            error["locations"] = error["locations"][:LOCATIONS_MAX]
        size_bytes += len(encode_json(error)) + 1
        if fitting and size_bytes > REFUSAL_BYTES_MAX:
            break
        fitting.append(error)
    return fitting


def encode_json(content: object) -> bytes:
    """Encode an answer, also where it is beyond orjson: huge integers, very deep literals."""
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def is_request_error(result: ExecutionResult) -> bool:
    """Tell whether the operation never began: its document or its variables were refused."""
    if isinstance(result, PreExecutionError):
        return True
    errors = result.errors or []
    return result.data is None and bool(errors) and all(error.path is None for error in errors)


def choose_status(result: ExecutionResult, media_type: str | None) -> HTTPStatus:
    """Return the HTTP status of a result.

    A missing credential and missing scopes show in the status, for proxies and plain clients.
    Other request errors show only to clients that accept `application/graphql-response+json`.
    """
    codes = {_code_of(error) for error in result.errors or ()}
    if "UNAUTHENTICATED" in codes:
        return HTTPStatus.UNAUTHORIZED
    if codes == {"FORBIDDEN"} and _has_no_data(result.data):
        return HTTPStatus.FORBIDDEN
    if is_request_error(result):
        if INTERNAL in codes:
            return HTTPStatus.INTERNAL_SERVER_ERROR
        if media_type == GRAPHQL_RESPONSE:
            return HTTPStatus.BAD_REQUEST
    return HTTPStatus.OK


def _code_of(error: GraphQLError) -> object:
    return (error.extensions or {}).get("code")


def _has_no_data(data: dict[str, Any] | None) -> bool:
    return data is None or all(value is None for value in data.values())
