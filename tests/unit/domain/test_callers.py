"""What a key may be allowed to do."""

from local.openapi.document import read_routes
from millrace.domain.callers import SCOPES, USUAL_SCOPES


def test_no_route_asks_for_a_scope_that_no_key_can_have():
    assert {route.scope for route in read_routes() if route.scope} <= set(SCOPES)


def test_a_key_administers_nothing_unless_somebody_says_so():
    assert "settings:admin" in SCOPES
    assert [scope for scope in USUAL_SCOPES if scope.endswith(":admin")] == []
