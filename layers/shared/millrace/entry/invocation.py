"""One call of a function by Lambda: who runs it, and for how long it may."""

from dataclasses import dataclass, field
from typing import Protocol


class LambdaContext(Protocol):
    """What Lambda tells of an invocation."""

    @property
    def function_name(self) -> str: ...

    @property
    def aws_request_id(self) -> str: ...

    def get_remaining_time_in_millis(self) -> int: ...


@dataclass(frozen=True)
class Invocation:
    """What a handler is given of the call that it is part of."""

    context: LambdaContext = field(repr=False)

    @property
    def worker_id(self) -> str:
        """Names this invocation among all, so that a job's row says who holds it."""
        return f"{self.context.function_name}/{self.context.aws_request_id}"

    def remaining_seconds(self) -> float:
        return self.context.get_remaining_time_in_millis() / 1000


@dataclass(frozen=True)
class Tick(Invocation):
    """The schedule fired."""


@dataclass(frozen=True)
class Message(Invocation):
    """The doorbell rang: there may be work of this kind, and the message is a permit for one job of it."""

    kind: str
