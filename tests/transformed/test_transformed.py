"""template.yaml as SAM transforms it, with faults planted in what SAM is given."""

import copy
import json
import subprocess
from typing import Any

import pytest

from local.build import SAM
from tests.transformed.rules import RULES
from tests.unit.template.deployment import TEMPLATE
from tests.unit.template.needs import ROOT
from tests.unit.template.planting import put

TICK = "Resources JobPickup Properties Events EveryMinute Properties"
READS = "Resources ReadsBucket Properties PolicyDocument Statement 0"
OPERATE = {"Fn::GetAtt": ["Operate", "Arn"]}
ANYBODY: dict[str, Any] = {
    "Type": "AWS::Lambda::Permission",
    "Properties": {"Action": "lambda:InvokeFunction", "FunctionName": OPERATE, "Principal": "*"},
}

PLANTED = [
    (f"{TICK} OmitName", None, "JobPickupEveryMinute has the same Name in every stack"),
    ("Resources MigrationsLayer Properties LayerName", None, "has the same LayerName in every stack"),
    ("Resources Dashboard Properties DashboardName", "millrace", "Dashboard has the same DashboardName"),
    (
        "Resources Logs Properties LogGroupName",
        {"Fn::Sub": "/millrace/${AWS::Region}"},
        "Logs has the same LogGroupName in every stack",
    ),
    (
        "Resources Database Properties DBClusterIdentifier",
        {"Ref": "LogLevel"},
        "Database has the same DBClusterIdentifier in every stack",
    ),
    ("Resources RunJobRole Properties RoleName", "runs-jobs", "RunJobRole has the same RoleName"),
    (f"{READS} Action", "s3:*", "ReadsBucket allows s3:* without a reason"),
    (f"{READS} Action", "s3:Get*", "ReadsBucket allows s3:Get* without a reason"),
    (f"{READS} Resource", "*", "ReadsBucket allows * without a reason"),
    (f"{READS} Resource", "arn:aws:s3:::*/*", "ReadsBucket allows arn:aws:s3:::*/* without a reason"),
    (f"{READS} NotAction", "s3:DeleteObject", "ReadsBucket allows all but what it names"),
    (
        "Resources Another",
        {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "functions/another/"}},
        "AnotherRole takes AWS's policy arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
    ),
    (
        "Resources OperateRole Properties ManagedPolicyArns 0",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "OperateRole takes AWS's policy",
    ),
    (
        "Resources RunJobRole Properties ManagedPolicyArns 5 Fn::If 1",
        "arn:aws:iam::aws:policy/AmazonBedrockFullAccess",
        "RunJobRole takes AWS's policy",
    ),
    (
        "Resources AsksModels Properties PolicyDocument Statement 2 Fn::If 1 Resource",
        "*",
        "AsksModels allows * without a reason",
    ),
    (
        "Resources Address",
        {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE", "TargetFunctionArn": OPERATE}},
        "Address is of the type AWS::Lambda::Url",
    ),
    ("Resources Operate Properties FunctionUrlConfig", {"AuthType": "NONE"}, "OperateUrl is of the type"),
    (
        "Resources Letters",
        {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "EvaluationDoorbell"}],
                "PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*"}]},
            },
        },
        "Letters is of the type AWS::SQS::QueuePolicy",
    ),
    ("Resources Anybody", ANYBODY, "Anybody lets * invoke a function"),
    (
        "Resources Another",
        {
            "Type": "AWS::Lambda::Permission",
            "Properties": ANYBODY | {"Principal": "apigateway.amazonaws.com"},
        },
        "Another lets apigateway.amazonaws.com invoke a function from None",
    ),
    (
        "Resources OperateRole Properties AssumeRolePolicyDocument Statement 0 Principal",
        {"AWS": "*"},
        "OperateRole may be taken on by {'AWS': '*'}",
    ),
]


# What comes with a deployment, by whether the migrations are run in it: the folder stands for what is in it.
DEPLOYED = [
    ("Resources MigrationsLayer Properties ContentUri", "migrations-with-one-more/", True),
    ("Resources SharedLayer Properties ContentUri", "layers/shared-changed/", False),
    ("Resources Migrate Properties CodeUri", "functions/migrate-changed/", False),
    ("Parameters LogDays Default", 90, False),
]


@pytest.fixture(scope="module")
def transformed() -> list[dict[str, Any]]:
    """Our template's resources, and then those of each one with a fault, or another change, in it."""
    changes = [*PLANTED, *DEPLOYED]
    documents = [copy.deepcopy(TEMPLATE) for _ in range(1 + len(changes))]
    for document, (path, value, _) in zip(documents[1:], changes, strict=True):
        put(document, path, value)
    assert (SAM / "bin" / "python").exists(), "sam is not installed here: make tools"
    done = subprocess.run(
        [SAM / "bin" / "python", ROOT / "tools" / "transform.py"],
        input=json.dumps(documents), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [document["Resources"] for document in json.loads(done.stdout)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule, transformed: list[dict[str, Any]]):
    assert list(rule(transformed[0])) == []


@pytest.mark.parametrize("number", range(len(PLANTED)), ids=lambda number: PLANTED[number][2])
def test_a_planted_fault_is_named(number: int, transformed: list[dict[str, Any]]):
    found = [fault for rule in RULES for fault in rule(transformed[1 + number])]

    assert [fault for fault in found if PLANTED[number][2] in fault] != []


@pytest.mark.parametrize("number", range(len(DEPLOYED)), ids=lambda number: DEPLOYED[number][0])
def test_the_migrations_are_run_when_their_folder_changed_and_only_then(
    number: int, transformed: list[dict[str, Any]]
):
    """CloudFormation runs a custom resource again when its properties, or what they refer to, are others."""
    before, after = (
        one["Migrations"]["Properties"] for one in (transformed[0], transformed[1 + len(PLANTED) + number])
    )

    assert (before != after) is DEPLOYED[number][2]
    assert before["Version"]["Ref"] in transformed[0]
