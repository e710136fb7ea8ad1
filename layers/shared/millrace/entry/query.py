"""A request's query, read strictly: parameters that the route knows, each of them once."""

from collections import Counter
from collections.abc import Collection
from urllib.parse import parse_qsl

from millrace.entry.body import name_fault
from millrace.entry.validation import refuse_fields


def check_query(query: str, *, known: Collection[str]) -> None:
    """What is not known would be passed over, and of two values nobody can say which was meant."""
    times = Counter(name for name, _ in parse_qsl(query, keep_blank_values=True))
    faults = [
        name_fault((name,), message="is given twice" if name in known else "is not a known parameter")
        for name, count in times.items()
        if count > 1 or name not in known
    ]
    if faults:
        raise refuse_fields(faults)
