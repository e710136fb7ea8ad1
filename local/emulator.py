"""Runs one built function under Lambda's Runtime Interface Emulator, in a process of its own."""

import http.client
import json
import os
import platform
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from typing import Any, Self

from local.build import RUNTIME, SAM, Build, interpreter
from local.intrinsics import REGION
from local.template import Function

HOST = "127.0.0.1"
PATH = "/2015-03-31/functions/function/invocations"
START_SECONDS = 20
# In its REPORT lines the emulator measures something else and calls it Init Duration.
INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")


class EmulatorFailed(Exception):
    """The emulator did not start, or its function's process died. The message holds what it printed."""


class Emulator:
    """A function's process, which starts with the first event. One event at a time: a second kills it."""

    def __init__(self, function: Function, *, build: Build, variables: Mapping[str, str]):
        self._function = function
        self._build = build
        self._variables = dict(variables)
        self._port, self._runtime_port = free_port(), free_port()

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(  # noqa: S603  # our own words
            self._command(), env=self._environment(), stdout=self._log, stderr=subprocess.STDOUT,
            cwd=self._build.code_of(self._function),
        )  # fmt: skip
        try:
            self._wait_until_listening()
        except EmulatorFailed:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """What the function answers. An error of the function is a dict with its `errorType`."""
        connection = http.client.HTTPConnection(HOST, self._port, timeout=self._function.timeout_seconds + 5)
        try:
            connection.request("POST", PATH, body=json.dumps(event))
            return json.loads(connection.getresponse().read() or b"null")
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EmulatorFailed(f"{self._function.name}: {error}\n{self.printed()}") from error
        finally:
            connection.close()

    def printed(self) -> str:
        """Everything that the function and the emulator wrote, the function's log lines among it."""
        self._log.seek(0)
        return self._log.read()

    def init_milliseconds(self) -> float:
        """How long the function took to be imported, once the first event has been answered."""
        found = INIT.search(self.printed())
        if found is None:
            raise EmulatorFailed(f"{self._function.name} was not initialised:\n{self.printed()}")
        return float(found[1])

    def _command(self) -> list[str]:
        machine = "arm64" if platform.machine() in ("arm64", "aarch64") else platform.machine()
        (emulator,) = SAM.glob(f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}")
        ports = ["--runtime-interface-emulator-address", f"{HOST}:{self._port}"]
        ports += ["--runtime-api-address", f"{HOST}:{self._runtime_port}"]
        # -S: nothing that is installed on this machine can stand in for what the layer lacks.
        return [str(emulator), *ports, str(interpreter()), "-S", "-m", "awslambdaric", "app.handler"]

    def _environment(self) -> dict[str, str]:
        """As in Lambda: the function, then the layer, then the runtime's own; the template's variables."""
        code = self._build.code_of(self._function)
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(map(str, (code, self._build.layer, RUNTIME))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(code),
            "AWS_REGION": REGION,
            "AWS_LAMBDA_FUNCTION_NAME": self._function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._function.memory_mb),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(int(self._function.timeout_seconds)),
            **self._variables,
        }

    def _wait_until_listening(self) -> None:
        give_up_at = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up_at and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self._port)) == 0:
                    return
            time.sleep(0.01)
        raise EmulatorFailed(f"{self._function.name}: the emulator does not start\n{self.printed()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
