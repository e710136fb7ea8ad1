"""A value of SQLite as PostgreSQL's COPY takes it, and in the one form in which both sides are compared."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from millrace.bindings.sqlite import to_text

NULL = r"\N"
# As PostgreSQL itself writes them, so that a line we send is the line it would give back.
ESCAPES = {"\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# SQLite stops at 1000, PostgreSQL and Python where their stacks end: less than any of them, whoever calls.
DEEPEST = 500
# A text, so that what stands in it is passed over; or what opens or closes.
NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
# Without the hour 24, which some Pythons read: PostgreSQL would give back the next day's first.
OUR_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
ANY_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d([T ](?!24)\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)


class Unconvertible(Exception):
    """A value that the target's column cannot hold. Its words are the reason."""


def read_number(text: str) -> int | float:
    """By value: 1e2, 100 and 100.0 are one number. Whole ones are exact, others as exact as a double."""
    number = float(text)
    if not number.is_integer():
        return number
    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else number


def refuse_constant(name: str) -> Any:
    raise Unconvertible(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_float=read_number, parse_constant=refuse_constant)
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(text: str) -> str:
    """The same text for the same document: keys sorted, numbers by value, nothing between."""
    if text in ("{}", "[]"):
        return text
    check_depth(text)
    try:
        canonical = ENCODER.encode(DECODER.decode(text))
    except ValueError as error:
        raise Unconvertible(f"not JSON: {error}") from error
    # An escaped backslash before it makes it mere text.
    if "\\u0000" in canonical and "\\u0000" in canonical.replace("\\\\", ""):
        raise Unconvertible("JSON with U+0000")
    return canonical


def check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for sign in NESTING.finditer(text):
        depth += (sign[0] in "[{") - (sign[0] in "]}")
        if depth > DEEPEST:
            raise Unconvertible(f"JSON nested deeper than {DEEPEST}")


def convert_text(value: Any) -> str:
    if type(value) is not str:
        raise Unconvertible(f"{name_type(value)} in a text column")
    escaped = value.replace("\\", r"\\")
    if escaped.isprintable():
        return escaped
    if "\x00" in escaped:
        raise Unconvertible("text with U+0000")
    for sign, escape in ESCAPES.items():
        escaped = escaped.replace(sign, escape)
    return escaped


def convert_whole(value: Any, *, bits: int) -> str:
    if type(value) is not int:
        raise Unconvertible(f"{name_type(value)} in an integer column")
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise Unconvertible(f"out of range for an integer of {bits} bits")
    return str(value)


def convert_float(value: Any) -> str:
    if not isinstance(value, (int, float)):
        raise Unconvertible(f"{name_type(value)} in a column of floating-point numbers")
    return repr(float(value))


def convert_boolean(value: Any) -> str:
    if value not in (0, 1):
        raise Unconvertible("neither 0 nor 1 in a boolean column")
    return "t" if value else "f"


def convert_time(value: Any) -> str:
    """In the width both databases are compared in. A time that names no zone is UTC."""
    if type(value) is not str:
        raise Unconvertible(f"{name_type(value)} in a column of times")
    try:
        moment = datetime.fromisoformat(value)
        if OUR_MOMENT.fullmatch(value):
            return value
        if not ANY_MOMENT.fullmatch(value):
            raise Unconvertible("not a time of at most six decimals")
        return to_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise Unconvertible(f"not a time: {error}") from error


def convert_date(value: Any) -> str:
    if type(value) is not str or not DAY.fullmatch(value):
        raise Unconvertible("not a date of the form 2025-12-17")
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise Unconvertible(f"not a date: {error}") from error


def convert_document(value: Any) -> str:
    """As it was written: PostgreSQL keeps every digit, and whether a number had decimals."""
    return convert_text(document_text(value))


def document_text(value: Any) -> str:
    # SQLite turns a text that is a bare number into one.
    if type(value) in (int, float):
        return repr(value)
    if type(value) is not str:
        raise Unconvertible(f"{name_type(value)} in a JSON column")
    return value


def convert_bytes(value: Any) -> str:
    if type(value) is not bytes:
        raise Unconvertible(f"{name_type(value)} in a column of bytes")
    return r"\\x" + value.hex()


def name_type(value: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number with decimals", bytes: "bytes"}
    return names[type(value)]


# By PostgreSQL's name of the column's type.
CONVERT: dict[str, Callable[[Any], str]] = {
    "text": convert_text,
    "varchar": convert_text,
    "int2": lambda value: convert_whole(value, bits=16),
    "int4": lambda value: convert_whole(value, bits=32),
    "int8": lambda value: convert_whole(value, bits=64),
    "float8": convert_float,
    "bool": convert_boolean,
    "timestamptz": convert_time,
    "date": convert_date,
    "jsonb": convert_document,
    "bytea": convert_bytes,
}
