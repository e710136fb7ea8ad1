"""A stack in the cloud, as its operator reaches it: by IAM, through a function of the stack's own."""

import json
from collections.abc import Mapping
from typing import Any

from millrace.errors import CommandRefused, StackUnavailable

# As long as the function may take, and a little more.
ANSWER_SECONDS = 75


class DeployedStack:
    """With the credentials and the region of whoever runs this process."""

    def __init__(self, name: str):
        self._name = name

    def command(self, name: str, arguments: Mapping[str, Any], *, output: str) -> dict[str, Any]:
        """Have the function that the stack names in `output` carry out a command. Its facts.

        CommandRefused with the function's words, StackUnavailable when it cannot be asked.
        """
        boto3, config, errors = import_boto3()
        try:
            function = self._read_output(boto3.client("cloudformation"), output)
            slow = config(read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1})
            payload = json.dumps({"command": name, "arguments": dict(arguments)})
            answer = boto3.client("lambda", config=slow).invoke(FunctionName=function, Payload=payload)
        except errors as error:
            raise StackUnavailable(f"The stack {self._name} cannot be asked: {error}") from error
        return read_answer(answer)

    def _read_output(self, cloudformation: Any, output: str) -> str:
        stack = cloudformation.describe_stacks(StackName=self._name)["Stacks"][0]
        values = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        if output not in values:
            raise StackUnavailable(f"The stack {self._name} has no output {output}: is it a Millrace?")
        return str(values[output])


def import_boto3() -> tuple[Any, Any, tuple[type[Exception], ...]]:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise StackUnavailable("--stack needs boto3: `make check` or `make deploy` installs it") from None
    return boto3, Config, (BotoCoreError, ClientError)


def read_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    said = json.loads(answer["Payload"].read() or b"{}")
    if answer.get("FunctionError"):
        raise StackUnavailable(f"The function failed: {said.get('errorMessage', 'see its log')}")
    if "refused" in said:
        raise CommandRefused(said["refused"])
    return dict(said["facts"])
