"""What a model has against an input, in words that name the field and never repeat the value."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from millrace.entry.body import first_faults, name_fault
from millrace.errors import InvalidRequest

# pydantic's own words quote the input and its documentation; the braces take from the rule alone.
MEANING = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "is not in the right form",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is a number out of range",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "list_type": "must be a list",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "datetime_type": "must be a time such as 2025-12-17T10:00:00Z",
    "datetime_parsing": "must be a time such as 2025-12-17T10:00:00Z",
    "date_type": "must be a date such as 2025-12-17",
    "date_parsing": "must be a date such as 2025-12-17",
    "date_from_datetime_parsing": "must be a date such as 2025-12-17",
    # A rule of our own, in words of our own.
    "broken_rule": "{rule}",
}

# As a person would say it.
OF_ONE = {
    "must have at least 1 characters": "must not be empty",
    "must have at least 1 entries": "must not be empty",
}


def refuse_input(errors: Sequence[Mapping[str, Any]]) -> InvalidRequest:
    """The refusal for what pydantic found."""
    return refuse_fields(_describe(errors))


def refuse_fields(faults: Iterable[dict[str, str]]) -> InvalidRequest:
    """One entry of `fields` for each fault, and the first few in the message."""
    fields, more = first_faults(faults)
    named = ", ".join(f"{fault['field']} {fault['message']}" for fault in fields[:3])
    return InvalidRequest(f"The request is not valid: {named}.{more}", fields=fields)


def _describe(errors: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    for error in errors:
        meaning = MEANING.get(error["type"], "is not valid").format_map(error.get("ctx") or {})
        meaning = OF_ONE.get(meaning, meaning)
        # The first part of the place says body, path or query.
        yield name_fault(error["loc"][1:] or error["loc"], message=meaning)
