"""GraphQL over HTTP: the one endpoint that runs operations.

Source: https://graphql.github.io/graphql-over-http/draft/, held by the 61 audits of `graphql-http`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeAlias, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema import BaseSchema
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from gateway.access import Caller
from gateway.errors import RewardsError
from gateway.http.credentials import Authenticate, read_bearer_token
from gateway.http.error_presentation import INTERNAL
from gateway.http.media_types import GRAPHQL_RESPONSE, choose_response_type
from gateway.http.refusals import BEARER_CHALLENGE, RequestRefused, bad_request, refuse_for
from gateway.http.request_body import read_json_body, read_operation, read_query_string
from gateway.http.request_record import current_record, start_record

MakeContext: TypeAlias = Callable[[Caller | None, str], object]


class GraphQLView(GraphQL[object, None]):
    """Run one operation per request: POST always, GET for queries in development only."""

    def __init__(
        self,
        schema: BaseSchema,
        *,
        authenticate: Authenticate,
        make_context: MakeContext,
        development: bool,
        body_bytes_max: int,
    ) -> None:
        """Keep how to authenticate and what a resolver's context is made of."""
        super().__init__(schema, graphql_ide=None, subscription_protocols=())
        self._authenticate = authenticate
        self._make_context = make_context
        self._development = development
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every refusal is raised as `RequestRefused`."""
        try:
            response = await self.run(Request(scope, receive))
        except HTTPException as error:
            raise _translate(error) from error
        await response(scope, receive, send)

    def should_render_graphql_ide(self, request: object) -> bool:
        """Never: GraphiQL has its own page."""
        return False

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Make the response that collects status and headers, in the type the client accepts."""
        media_type = choose_response_type(request.headers.get("accept"))
        if media_type is None:
            raise RequestRefused(
                HTTPStatus.NOT_ACCEPTABLE,
                "NOT_ACCEPTABLE",
                "Accept application/graphql-response+json or application/json.",
            )
        response = Response(media_type=media_type)
        del response.headers["content-length"]
        return response

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> object:
        """Authenticate the caller and make the context that resolvers see."""
        record = current_record() or start_record(None)
        try:
            token = read_bearer_token(request.headers.get("authorization"))
            record.caller = None if token is None else await self._authenticate(token)
        except RewardsError as error:
            raise refuse_for(error) from error
        record.introspection_allowed = self._development or record.caller is not None
        return self._make_context(record.caller, record.request_id)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        """Read the operation, refusing whatever is malformed."""
        starlette_request: Request = cast(Any, request)._request
        if request.method == "GET":
            return read_query_string(starlette_request)
        return read_operation(await read_json_body(starlette_request, self._body_bytes_max))

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: object,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Run the operation, and choose the status that its result deserves."""
        result = await super().execute_single(
            request, request_adapter, sub_response, context, root_value, request_data
        )
        status = choose_status(result, sub_response.media_type)
        sub_response.status_code = status.value
        if status is HTTPStatus.UNAUTHORIZED:
            sub_response.headers["WWW-Authenticate"] = BEARER_CHALLENGE
        return result

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        """Return the body; an operation that never ran has no `data` entry."""
        body: GraphQLHTTPResponse = {} if is_request_error(result) else {"data": result.data}
        if result.errors:
            body["errors"] = [error.formatted for error in result.errors]
        if result.extensions:
            body["extensions"] = result.extensions
        return body

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        """Make the final response from the body, the chosen status and the collected headers."""
        return Response(
            self.encode_json(response_data),
            sub_response.status_code,
            media_type=sub_response.media_type,
            headers={
                name: value
                for name, value in sub_response.headers.items()
                if name != "content-type"
            },
        )

    def encode_json(self, data: object) -> bytes:
        """Encode an answer, also where it is beyond orjson: huge integers, very deep literals."""
        try:
            return orjson.dumps(data)
        except TypeError:
            return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


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


def _translate(error: HTTPException) -> RequestRefused:
    """Turn the refusals of Strawberry's view into ours."""
    if isinstance(error.__cause__, InvalidOperationTypeError):
        return RequestRefused(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "Only queries may be sent with GET; send this operation with POST.",
            {"Allow": "POST"},
        )
    return bad_request(error.reason)
