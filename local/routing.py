"""Which route of the template takes a request, as API Gateway chooses it."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from local.template import Route


@dataclass(frozen=True, slots=True)
class Match:
    route: Route
    path_parameters: dict[str, str]


class Router:
    """A literal part beats a variable, that beats `{proxy+}`; a method beats ANY; `$default` is the last."""

    def __init__(self, routes: Iterable[Route]):
        self._routes = sorted(routes, key=_rank)

    def match(self, method: str, path: str) -> Match | None:
        """None when no route takes it, a wrong method included: API Gateway knows no 405."""
        for route in self._routes:
            if route.method in {method, "ANY"}:
                parameters = _match_path(route.path, path)
                if parameters is not None:
                    return Match(route, parameters)
        return None


def _rank(route: Route) -> tuple[list[int], bool]:
    """Sorts what is more specific first: part by part, then by method."""
    if route.path == "$default":
        return [3], True
    parts = route.path.strip("/").split("/")
    kinds = [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in parts]
    return kinds, route.method == "ANY"


def _match_path(pattern: str, path: str) -> dict[str, str] | None:
    if pattern == "$default":
        return {}
    wanted, given = pattern.split("/"), path.split("/")
    parameters: dict[str, str] = {}
    for place, part in enumerate(wanted):
        if part.endswith("+}"):
            rest = "/".join(given[place:])
            return {**parameters, part[1:-2]: _decode(rest)} if rest else None
        if place >= len(given):
            return None
        if part.startswith("{") and given[place]:
            parameters[part[1:-1]] = _decode(given[place])
        elif part != _decode(given[place]):
            return None
    return parameters if len(wanted) == len(given) else None


def _decode(part: str) -> str:
    return unquote(part, errors="replace")
