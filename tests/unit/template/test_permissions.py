"""Who may do what, with faults planted."""

from typing import Any

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.planting import faults_after
from tests.unit.template.rules import permissions, roles

RULES = (*permissions.RULES, *roles.RULES)
RUN_JOB = "Resources RunJobRole Properties"
PEPPER = "Resources ReadsPepper Properties PolicyDocument Statement 0"
ROLE_OF_STATUS = "Resources JobStatus Properties Role"
READS = "Resources ReadsBucket Properties PolicyDocument Statement 0"
ASKS = "Resources AsksModels Properties PolicyDocument Statement"

PLANTED = [
    (f"{RUN_JOB} ManagedPolicyArns 0", None, "RunJob may not logs:PutLogEvents Logs.Arn"),
    (f"{RUN_JOB} ManagedPolicyArns 1", None, "RunJob may not ec2:CreateNetworkInterface"),
    (f"{RUN_JOB} ManagedPolicyArns 2", None, "RunJob may not rds-db:connect"),
    (f"{RUN_JOB} Policies", None, "RunJob may not sqs:ReceiveMessage EvaluationDoorbell.Arn"),
    (
        "Resources RingsDoorbells Properties PolicyDocument Statement 0",
        None,
        "RunJob may not sqs:SendMessage EvaluationDoorbell.Arn",
    ),
    (READS, None, "RunJob may not s3:GetObject ${Bucket.Arn}/*"),
    (f"{READS} Action", "s3:*", "RunJob needs not s3:*"),
    (f"{READS} Resource", "*", "RunJob needs not s3:GetObject *"),
    (
        "Resources JobStatusRole Properties ManagedPolicyArns 2",
        {"Ref": "ConnectsAsEngine"},
        "JobStatus may not rds-db:connect",
    ),
    (
        "Resources DescribeApiRole Properties ManagedPolicyArns 0",
        {"Ref": "JoinsVpc"},
        "DescribeApi needs not ec2:CreateNetworkInterface",
    ),
    (f"{ASKS} 0", None, "RunJob may not secretsmanager:GetSecretValue CloudflareApiTokenSecret (with @cf/)"),
    (f"{ASKS} 1", None, "JobPickup may not secretsmanager:GetSecretValue OpenAiApiKeySecret (with openai/)"),
    (f"{ASKS} 2 Fn::If 1 Resource 1", None, "inference-profile/* (with bedrock/)"),
    (f"{ASKS} 2 Fn::If 1 Action", "bedrock:*", "RunJob needs not bedrock:* arn:"),
    (f"{ASKS} 2 Fn::If 0", "NeedsRightsForModels", "RunJob needs not bedrock:InvokeModel arn:"),
    (f"{RUN_JOB} ManagedPolicyArns 5", None, "RunJob may not bedrock:InvokeModel arn:"),
    (
        "Resources CreateJobRole Properties ManagedPolicyArns 0",
        {"Ref": "AsksModels"},
        "CreateJob needs not secretsmanager:GetSecretValue OpenAiApiKeySecret",
    ),
    ("Conditions HasBedrock", {"Condition": "HasOpenAiKey"}, "RunJob may not bedrock:InvokeModel arn:"),
    (ROLE_OF_STATUS, {"Fn::GetAtt": ["OperateRole", "Arn"]}, "JobStatus has no role of its own"),
    (ROLE_OF_STATUS, None, "JobStatus has no role of its own"),
    (
        "Resources JoinsVpc Properties PolicyDocument Statement 0 Condition",
        None,
        "JoinsVpc lets a function's code change the network",
    ),
    (
        "Resources OperateRole Properties AssumeRolePolicyDocument Statement 0 Principal",
        {"AWS": "*"},
        "OperateRole may be taken on by others than Lambda",
    ),
    ("Resources OperateRole Properties PermissionsBoundary", "arn:aws:iam::aws:policy/X", "OperateRole has"),
    ("Resources OperateRole Condition", "HasEgress", "OperateRole is not always there"),
    (
        f"{RUN_JOB} ManagedPolicyArns 5 Fn::If 0",
        "HasEgress",
        "RunJobRole takes AsksModels on the condition Has",
    ),
    ("Resources AsksModels Condition", None, "AsksModels is there on the condition None"),
    (f"{PEPPER} Effect", "Deny", "ReadsPepper does not plainly allow: Deny"),
    (f"{PEPPER} Effect", "Deny", "Manage may not secretsmanager:GetSecretValue KeyPepper"),
    (f"{PEPPER} Condition", {"Bool": {"aws:ViaAWSService": "true"}}, "ReadsPepper does not plainly allow"),
    ("Resources ReadsPepper Properties PolicyDocument Version", None, "ReadsPepper is not written in"),
    ("Resources ReadsPepper Properties Users", ["somebody"], "ReadsPepper is more than a document"),
    (
        "Resources JobPickupRole Properties Policies 0 PolicyDocument Statement 1",
        None,
        "JobPickup may not sqs:SendMessage PickupDeadLetters.Arn",
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []
