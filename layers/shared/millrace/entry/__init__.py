"""What Lambda calls: an event in, an answer out, as in `handler = entry.worker(fetch=routes)`."""

from typing import TYPE_CHECKING, Any

from millrace.entry.endings import report
from millrace.entry.envelope import Answer
from millrace.entry.holding import hold
from millrace.entry.invocation import LambdaContext, Message, Tick
from millrace.entry.logs import log, log_fault
from millrace.entry.metrics import count
from millrace.entry.request import Request
from millrace.entry.worker import worker

if TYPE_CHECKING:
    from millrace.entry.routes import Routes

__all__ = [
    "Answer",
    "LambdaContext",
    "Message",
    "Request",
    "Routes",
    "Tick",
    "count",
    "hold",
    "log",
    "log_fault",
    "report",
    "worker",
]


def __getattr__(name: str) -> Any:
    """`Routes` on demand: it brings Powertools' resolver and pydantic, 120 ms that others save."""
    if name == "Routes":
        from millrace.entry.routes import Routes

        return Routes
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
