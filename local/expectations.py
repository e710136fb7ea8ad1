"""What each file in events/ is to be answered with: the table events/expected.json, and how it is read."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.settings import ROOT

EVENTS = ROOT / "events"


def event_names(function: str | None = None) -> list[str]:
    """Every event, such as create_job/minimal, or those of one function."""
    return sorted(
        f"{path.parent.name}/{path.stem}"
        for path in EVENTS.glob("*/*.json")
        if function in (None, path.parent.name)
    )


def read_event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def read_expected(path: Path = EVENTS / "expected.json") -> dict[str, Any]:
    """By event: `status` and `body` of an HTTP answer, or the `answer` that is none."""
    expected: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return expected


def shown(answer: Any) -> Any:
    """An answer as it is compared and printed: HTTP's with its body read, and without its headers."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return {"answer": answer}
    return {"status": answer["statusCode"], "body": read_body(answer)}


def read_body(answer: dict[str, Any]) -> Any:
    """JSON as what it says, anything else as the text it is."""
    try:
        return json.loads(answer["body"])
    except ValueError:
        return answer["body"]


def differences(expected: Any, actual: Any, *, place: str = "") -> Iterator[str]:
    """Where an answer is not as expected. A `*` in an expected text stands for whatever is there."""
    if expected == "*":
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in sorted(expected.keys() | actual.keys()):
            inner = f"{place}.{name}".lstrip(".")
            if name not in actual or name not in expected:
                yield f"{inner} is {'missing' if name in expected else 'not expected'}"
            else:
                yield from differences(expected[name], actual[name], place=inner)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for number, pair in enumerate(zip(expected, actual, strict=True)):
            yield from differences(*pair, place=f"{place}.{number}")
    elif not fits(expected, actual):
        yield f"{place} is {actual!r} and not {expected!r}"


def fits(expected: Any, actual: Any) -> bool:
    if isinstance(expected, str) and isinstance(actual, str) and "*" in expected:
        pattern = ".*".join(re.escape(part) for part in expected.split("*"))
        return re.fullmatch(pattern, actual, re.DOTALL) is not None
    return type(expected) is type(actual) and bool(expected == actual)
