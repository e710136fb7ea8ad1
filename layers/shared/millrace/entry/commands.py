"""A command of the operator's, sent by the command line: one function call in, facts or a refusal out."""

from collections.abc import Callable, Mapping
from typing import Any

from millrace.entry.logs import log
from millrace.env import Env
from millrace.errors import MillraceError

# What was asked, its arguments by name, and what it may touch. The facts it returns are for a person's eyes.
Command = Callable[[str, Mapping[str, Any], Env], dict[str, Any]]


def answer_command(event: Mapping[str, Any], *, env: Env, command: Command) -> dict[str, Any]:
    """`{"facts": …}`, or `{"refused": …}` with a sentence. Whoever may invoke the function may command."""
    name = str(event["command"])
    try:
        facts = command(name, event.get("arguments") or {}, env)
    except MillraceError as error:
        log("command_refused", command=name, reason=str(error))
        return {"refused": str(error)}
    log("command_done", command=name)
    return {"facts": facts}
