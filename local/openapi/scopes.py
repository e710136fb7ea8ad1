"""Which scope each route needs, as a page for people: docs/scopes.md."""

from collections.abc import Sequence

from local.openapi.document import path_of
from local.settings import ROOT
from local.template import read_template
from millrace.domain.callers import SCOPES, USUAL_SCOPES
from millrace.entry.exchange import Route

OPENING = """\
# Scopes: what a key may do

Written by `make describe` from the routes; a test holds it against them. A key has the scopes it was issued
with, for good, and it opens the data of its own tenant alone. Without the scope that a route needs the answer
is 403 `MissingScope`, which names it. No key issues another with a scope that it has not itself.
"""


def render_scopes(routes: Sequence[Route]) -> str:
    return "\n".join([OPENING, *(section(scope, routes=routes) for scope in SCOPES), without_key()])


def section(scope: str, *, routes: Sequence[Route]) -> str:
    """A scope with the routes that need it."""
    usual = "A key has it unless it was issued with others.\n\n" if scope in USUAL_SCOPES else ""
    rows = (line(route) for route in routes if route.scope == scope)
    return "\n".join([f"## `{scope}`\n\n{usual}| route | what it does |", "|---|---|", *rows, ""])


def line(route: Route) -> str:
    summary = (route.handler.__doc__ or "").strip().partition("\n")[0]
    return f"| `{route.method} {path_of(route)}` | {summary} |"


def without_key() -> str:
    """The template says whom the gateway asks for a key."""
    deployed = read_template(ROOT / "template.yaml").routes
    named = (f"`{route.method} {route.path}`" for route in deployed if not route.authorizer)
    return f"Without a key: {', '.join(named)}.\n"
