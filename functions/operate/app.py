"""An operator's commands, carried out where the database is. The command line invokes it with --stack."""

from collections.abc import Mapping
from typing import Any

from millrace import entry, operations
from millrace.env import Env


def operate(command: str, arguments: Mapping[str, Any], env: Env) -> dict[str, Any]:
    return operations.run(command, arguments, env)


handler = entry.worker(command=operate)
