"""Faults to be planted: a value put where a path leads, and the rules asked what they find then."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.unit.template.deployment import Deployment

Rule = Callable[[Deployment], Iterator[str]]


def faults_after(path: str, value: Any, *, rules: Iterable[Rule]) -> list[str]:
    """What the rules find in our template once the value stands where the path leads; None: nothing does."""
    deployment = Deployment()
    put(deployment.document, path, value)
    return [fault for rule in rules for fault in rule(deployment)]


def put(document: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(" ")
    place: Any = document
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    key = int(last) if isinstance(place, list) else last
    if value is None:
        del place[key]
    else:
        place[key] = value
