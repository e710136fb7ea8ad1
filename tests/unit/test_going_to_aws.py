"""What `make deploy` and `make destroy` do around sam, and that a fresh clone has what they need."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.unit.template.deployment import Deployment
from tools import stage

ROOT = Path(__file__).resolve().parents[2]


class CloudFormation:
    """A stack, as far as it is asked of."""

    def __init__(self, *, protect: str = "true", email: str = "", status: str = "UPDATE_COMPLETE"):
        self.protected: list[bool] = []
        given = {"ProtectDatabase": protect, "AlarmEmail": email}
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
        self._stack = {"StackStatus": status, "Parameters": parameters}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's word
        return {"Stacks": [self._stack]}

    def update_termination_protection(self, *, EnableTerminationProtection: bool, **_: Any) -> None:  # noqa: N803
        self.protected.append(EnableTerminationProtection)


def ask(monkeypatch: pytest.MonkeyPatch, doing: str, cloud: Any) -> int:
    monkeypatch.setattr(boto3, "client", lambda _service: cloud)
    return stage.main(doing, "millrace-prod")


@pytest.mark.parametrize("protect", ["true", "false"])
def test_after_a_deployment_aws_refuses_to_delete_what_is_protected(monkeypatch, protect: str):
    cloud = CloudFormation(protect=protect)

    assert ask(monkeypatch, "deployed", cloud) == 0
    assert cloud.protected == [protect == "true"]


@pytest.mark.parametrize(("email", "said"), [("", True), ("ada@example.com", False)])
def test_a_stage_whose_alarms_tell_nobody_is_told_of(monkeypatch, capsys, email: str, said: bool):
    ask(monkeypatch, "deployed", CloudFormation(email=email))

    assert ("set AlarmEmail" in capsys.readouterr().err) is said


@pytest.mark.parametrize(
    ("protect", "status", "code"),
    [
        ("true", "UPDATE_COMPLETE", 1),
        ("true", "UPDATE_ROLLBACK_COMPLETE", 1),
        ("false", "UPDATE_COMPLETE", 0),
        ("true", "ROLLBACK_COMPLETE", 0),
    ],
)
def test_a_protected_stage_is_not_destroyed_unless_it_never_stood(
    monkeypatch, protect: str, status: str, code: int
):
    assert ask(monkeypatch, "destroy", CloudFormation(protect=protect, status=status)) == code


def test_a_stage_that_cannot_be_asked_is_not_destroyed(monkeypatch, capsys):
    class Nothing:
        def describe_stacks(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Message": "it does not exist"}}, "DescribeStacks")

    assert ask(monkeypatch, "destroy", Nothing()) == 1
    assert "does not exist" in capsys.readouterr().err


def planned(goal: str, folder: Path) -> list[str]:
    """What make would do in a fresh clone."""
    command = [
        "make",
        "--dry-run",
        "--directory",
        ROOT,
        goal,
        "STAGE=prod",
        f"VENV={folder}",
        f"SAM={folder}/sam",
    ]
    # Not as part of the make that may have started the tests.
    alone = {**os.environ, "MAKEFLAGS": ""}
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def first(lines: list[str], *, naming: str) -> int:
    return next(place for place, line in enumerate(lines) if naming in line)


def test_a_deployment_from_a_fresh_clone_checks_the_stages_and_installs_what_the_commands_need(
    tmp_path: Path,
):
    lines = planned("deploy", tmp_path)

    installed = first(lines, naming="--requirement tests/requirements.txt")
    checked = first(lines, naming="pytest tests/unit/template/test_stages.py")
    deployed = first(lines, naming="sam deploy --config-env prod")
    protected = first(lines, naming="tools/stage.py deployed millrace-prod")
    assert installed < checked < deployed < protected
    listed = (ROOT / "tests/requirements.txt").read_text()
    assert "\nboto3==" in listed and "\npg8000==" in listed


def test_a_stage_is_asked_whether_it_is_protected_before_it_is_destroyed(tmp_path: Path):
    lines = planned("destroy", tmp_path)

    assert first(lines, naming="tools/stage.py destroy millrace-prod") < first(lines, naming="sam delete")


def test_the_command_line_in_a_bare_environment_says_what_makes_a_whole_one(tmp_path: Path):
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "bin/millrace", tmp_path / "bin")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)

    command = [tmp_path / "bin/millrace", "--stack", "millrace-dev", "tenants", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.endswith("`make run`, `make check` or `make deploy` does that.\n")


def test_whoever_is_told_of_an_alarm_finds_it_on_the_page():
    page = (ROOT / "docs/deploy.md").read_text()

    alarms = list(Deployment().named("AWS::CloudWatch::Alarm"))

    assert [name for name in alarms if f"`{name}`" not in page] == []
