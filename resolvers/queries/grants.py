"""`grants`: what was granted, newest first."""

from __future__ import annotations

from gateway.access import Scope
from resolvers.context import Info
from resolvers.fields import query
from resolvers.pages import After, Before, Connection, First, Last, read_page_request
from resolvers.types.grant import Grant
from resolvers.types.grant_filter import GrantFilterArgument, to_grant_filter
from resolvers.types.grant_page import GRANT_CURSOR, load_grants


@query(
    "What was granted, newest first: by the credential's organization, or to the member whose token it is.",
    requires=[Scope.READ, Scope.MEMBER],
)
async def grants(
    info: Info,
    filter: GrantFilterArgument = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Grant]:
    """Load a page of grants."""
    request = read_page_request(GRANT_CURSOR, first, after, last, before)
    return await load_grants(info, to_grant_filter(info, filter), request)
