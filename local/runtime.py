"""Runs the functions in this process as Lambda would: event in, answer out, a context with a deadline."""

import importlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from local.intrinsics import ACCOUNT_ID, REGION, TemplateInvalid
from local.roster import Roster
from local.template import Function
from millrace.entry.invocation import Invocation

logger = logging.getLogger("local")

# How many requests a function answers at the same time. With PostgreSQL each of them holds a connection.
THREADS_PER_FUNCTION = 12

Handler = Callable[..., Any]
Clock = Callable[[], float]


class FunctionFailed(Exception):
    """The function raised, answered what JSON cannot say, or could not be run."""


class Context:
    """What Lambda gives a handler beside the event."""

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, function: Function, *, clock: Clock):
        self.function_name = function.name
        self.memory_limit_in_mb = str(function.memory_mb)
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{function.name}"
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{function.name}"
        self.log_stream_name = "local"
        self._clock = clock
        self._deadline = clock() + function.timeout_seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - self._clock()) * 1000))

    def shorten(self, seconds: float) -> None:
        """Leave the handler at most this long, as when its time runs out."""
        self._deadline = min(self._deadline, self._clock() + seconds)


class Runtime:
    """Every function of the template, each with an `env` of its own."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        env_of: Callable[[Function], Any],
        roster: Roster,
        clock: Clock = time.monotonic,
    ):
        self._functions = functions
        self._clock = clock
        self._roster = roster
        self._envs = {name: env_of(function) for name, function in functions.items()}
        self._handlers = {name: _import_handler(function) for name, function in functions.items()}
        self._threads = {name: ThreadPoolExecutor(THREADS_PER_FUNCTION, name) for name in functions}
        self._running: set[Context] = set()
        self._guard = threading.Lock()

    def start(self, name: str, event: Any) -> Future[Any]:
        """Begin an invocation in a thread of the function's own."""
        return self._threads[name].submit(self.invoke, name, event)

    def invoke(self, name: str, event: Any) -> Any:
        """What the function answers to the event. Both go through JSON, as on the way to Lambda and back.

        Raises FunctionFailed and nothing else.
        """
        context = Context(self._functions[name], clock=self._clock)
        try:
            with self._noted(context):
                answer = self._handlers[name](json.loads(json.dumps(event)), context, env=self._envs[name])
                return json.loads(json.dumps(answer))
        except Exception as error:
            logger.warning("%s failed: %s: %s", name, type(error).__name__, error)
            raise FunctionFailed(f"{name}: {type(error).__name__}: {error}") from error

    def stop(self, *, grace_seconds: float) -> int:
        """Tell what is running that its time is up, and wait for it. Answers how many did not end in time."""
        deadline = self._clock() + grace_seconds
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        with self._guard:
            for context in self._running:
                context.shorten(grace_seconds / 2)
        while self._running and self._clock() < deadline:
            time.sleep(0.02)
        return len(self._running)

    @contextmanager
    def _noted(self, context: Context) -> Iterator[None]:
        """Among what is running, for `stop`, and in the roster, for the next start."""
        worker_id = Invocation(context).worker_id
        with self._guard:
            self._running.add(context)
        try:
            self._roster.enter(worker_id)
            yield
        finally:
            with self._guard:
                self._running.discard(context)
            self._roster.leave(worker_id)


def _import_handler(function: Function) -> Handler:
    try:
        handler: Handler = getattr(importlib.import_module(function.module), function.handler)
    except (ImportError, AttributeError, SyntaxError) as error:
        where = f"{function.module}.{function.handler}"
        raise TemplateInvalid(f"{function.name}: {where} cannot be imported: {error}") from error
    return handler
