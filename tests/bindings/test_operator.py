"""A stack in the cloud, as the command line reaches it."""

import io
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError

from millrace.bindings.operator import DeployedStack
from millrace.errors import CommandRefused, StackUnavailable


class Cloud:
    """CloudFormation and Lambda, as far as a command needs them."""

    def __init__(self, answer: Any, *, failed: bool = False):
        self.invoked: list[dict[str, Any]] = []
        self._answer, self._failed = answer, failed

    def client(self, _service: str, **_settings: Any) -> "Cloud":
        return self

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's word
        outputs = [{"OutputKey": "OperateFunction", "OutputValue": f"{StackName}-Operate-1"}]
        return {"Stacks": [{"Outputs": outputs}]}

    def invoke(self, **given: Any) -> dict[str, Any]:
        self.invoked.append(given)
        answer = {"Payload": io.BytesIO(json.dumps(self._answer).encode())}
        return answer | {"FunctionError": "Unhandled"} if self._failed else answer


def command(monkeypatch, cloud: Cloud, *, output: str = "OperateFunction") -> dict[str, Any]:
    monkeypatch.setattr(boto3, "client", cloud.client)
    return DeployedStack("millrace-dev").command("jobs show", {"job_id": "job_1"}, output=output)


def test_a_command_is_sent_to_the_function_that_the_stack_names(monkeypatch):
    cloud = Cloud({"facts": {"status": "pending"}})

    assert command(monkeypatch, cloud) == {"status": "pending"}
    assert cloud.invoked[0]["FunctionName"] == "millrace-dev-Operate-1"
    assert json.loads(cloud.invoked[0]["Payload"]) == {
        "command": "jobs show",
        "arguments": {"job_id": "job_1"},
    }


def test_a_refusal_comes_back_as_one(monkeypatch):
    with pytest.raises(CommandRefused, match="There is no job job_1"):
        command(monkeypatch, Cloud({"refused": "There is no job job_1."}))


def test_a_function_that_fails_says_so(monkeypatch):
    with pytest.raises(StackUnavailable, match="timed out"):
        command(monkeypatch, Cloud({"errorMessage": "timed out"}, failed=True))


def test_a_stack_of_something_else_is_told_apart(monkeypatch):
    with pytest.raises(StackUnavailable, match="has no output NotThere"):
        command(monkeypatch, Cloud({}), output="NotThere")


def test_without_credentials_the_stack_cannot_be_asked(monkeypatch):
    cloud = Cloud({})
    monkeypatch.setattr(cloud, "describe_stacks", lambda **_: (_ for _ in ()).throw(NoCredentialsError()))

    with pytest.raises(StackUnavailable, match="credentials"):
        command(monkeypatch, cloud)
