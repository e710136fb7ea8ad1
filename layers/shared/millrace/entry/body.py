"""A request's body, read strictly: JSON that both databases can hold, or a refusal that says why not."""

import base64
import binascii
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NoReturn

from millrace.domain.values import is_storable_number, is_storable_text
from millrace.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType

MOST_BYTES = 1_000_000
DEEPEST = 32
LONGEST_NAME = 100
MOST_FAULTS = 100
JSON_TYPE = re.compile(r"application/(json|[\w.+-]+\+json)\s*(;.*)?", re.IGNORECASE)


def read_body(event: Mapping[str, Any], *, content_type: str | None) -> dict[str, Any]:
    """The body as a JSON object. No body at all is an empty one, so that defaults apply."""
    text = _read_text(event)
    if not text.strip():
        return {}
    if not JSON_TYPE.fullmatch((content_type or "").strip()):
        raise UnsupportedMediaType
    body = _parse(text)
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.")
    faults, more = first_faults(_find_faults(body))
    if faults:
        raise InvalidRequest(f"The body holds values that cannot be kept.{more}", fields=faults)
    return body


def check_size(event: Mapping[str, Any], *, most_bytes: int) -> None:
    """For who takes less than is read in any case. BodyTooLarge."""
    body = event.get("body") or ""
    size = len(body) if len(body) > most_bytes else len(body.encode("utf-8", "surrogatepass"))
    if event.get("isBase64Encoded"):
        size = len(body) * 3 // 4 - body[-2:].count("=")
    if size > most_bytes:
        raise BodyTooLarge(f"The body is larger than {most_bytes:,} bytes.")


def _read_text(event: Mapping[str, Any]) -> str:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        if len(body) > MOST_BYTES or len(body.encode("utf-8", "surrogatepass")) > MOST_BYTES:
            raise BodyTooLarge
        return str(body)
    if len(body) > MOST_BYTES * 4 // 3 + 4:
        raise BodyTooLarge
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("The body is not valid base64.") from None
    if len(content) > MOST_BYTES:
        raise BodyTooLarge
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("The body is not UTF-8.") from None


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates)
    except RecursionError:
        raise InvalidRequest("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequest(f"The body is not valid JSON ({place}).") from None
    except ValueError:
        # What Python says of an integer with thousands of digits.
        raise InvalidRequest("The body holds a number with too many digits.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidRequest(f"The body is not valid JSON: {name} is not a number.")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values for one name nobody can say which was meant, so neither is taken."""
    read: dict[str, Any] = {}
    for name, value in pairs:
        if name in read:
            twice = name_fault((name,), message="is given twice")
            raise InvalidRequest("A field is given twice.", fields=[twice])
        read[name] = value
    return read


def _find_faults(body: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Every value that one of the databases could not hold, with the field it stands in."""
    waiting: deque[tuple[tuple[str, ...], Any]] = deque([((), body)])
    while waiting:
        place, value = waiting.popleft()
        if len(place) > DEEPEST:
            raise InvalidRequest("The body is nested too deeply.")
        if isinstance(value, dict):
            waiting.extend(((*place, name), inner) for name, inner in value.items())
            unusable = [name for name in value if not is_storable_text(name)]
            yield from (name_fault((*place, name), message="has an unusable name") for name in unusable)
        elif isinstance(value, list):
            waiting.extend(((*place, str(number)), inner) for number, inner in enumerate(value))
        elif isinstance(value, str) and not is_storable_text(value):
            yield name_fault(place, message="must not hold U+0000 or half a surrogate pair")
        elif isinstance(value, (int, float)) and not is_storable_number(value):
            yield name_fault(place, message="is a number out of range")


def first_faults(faults: Iterable[dict[str, str]]) -> tuple[list[dict[str, str]], str]:
    """As many as are told, and a sentence behind a blank that there are more, if there are."""
    found = list(islice(faults, MOST_FAULTS + 1))
    more = f" There are more: only the first {MOST_FAULTS} are told." if len(found) > MOST_FAULTS else ""
    return found[:MOST_FAULTS], more


def name_fault(place: Sequence[str | int], *, message: str) -> dict[str, str]:
    """One entry of `fields`. Names are the caller's words: made printable, and cut."""
    name = ".".join(map(str, place)).encode("ascii", "backslashreplace").decode()
    return {"field": name[:LONGEST_NAME], "message": message}
