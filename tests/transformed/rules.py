"""What can only be seen in the resources that SAM makes of our template: names, and AWS's own policies."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from tests.unit.template.deployment import as_list, render
from tests.unit.template.rules.permissions import statements

Resources = dict[str, Any]

# Properties that end in Name or Identifier and name nothing that an account could have twice.
NAMES_INSIDE = {
    "CACertificateIdentifier",  # AWS's
    "DatabaseName",  # inside its cluster
    "MetricName",  # inside its namespace
    "ServiceName",  # AWS's
    "StageName",  # inside its API
}
BEDROCK = "arn:${AWS::Partition}:bedrock:*:"
PROFILES = f"{BEDROCK}${{AWS::AccountId}}:"
# What allows more than one named thing, and why.
WILDCARDS = {
    "${Bucket.Arn}/*": "objects of our one bucket get their names while jobs run",
    "JoinsVpc: *": "EC2 asks for it, and only Lambda itself may use it",
    f"{BEDROCK}:foundation-model/*": "of AiModels no ARNs can be made, and profiles choose among regions",
    f"{PROFILES}inference-profile/*": "of AiModels no ARNs can be made",
    f"{PROFILES}application-inference-profile/*": "of AiModels no ARNs can be made",
}
# AWS's policies, which allow what AWS thinks of, and why we take them nevertheless.
POLICIES_OF_AWS = {
    "AmazonSSMManagedInstanceCore": "what Session Manager needs, for a machine that holds no data",
}
# All there may be. What lets strangers in by a policy of its own (a queue's, a topic's, a secret's), or a
# function's address, is not among them; the bucket's policy only refuses.
TYPES = {
    "AWS::ApiGatewayV2": {"Api", "Stage"},
    "AWS::CloudWatch": {"Alarm", "Dashboard"},
    "AWS::EC2": {
        "EIP", "Instance", "InternetGateway", "NatGateway", "Route", "RouteTable", "SecurityGroup",
        "SecurityGroupEgress", "SecurityGroupIngress", "Subnet", "SubnetRouteTableAssociation", "VPC",
        "VPCEndpoint", "VPCGatewayAttachment",
    },
    "AWS::IAM": {"InstanceProfile", "ManagedPolicy", "Role"},
    "AWS::Lambda": {"EventInvokeConfig", "EventSourceMapping", "Function", "LayerVersion", "Permission"},
    "AWS::Logs": {"LogGroup"},
    "AWS::RDS": {"DBCluster", "DBClusterParameterGroup", "DBInstance", "DBSubnetGroup"},
    "AWS::S3": {"Bucket", "BucketPolicy"},
    "AWS::SNS": {"Topic"},
    "AWS::SQS": {"Queue"},
    "AWS::Scheduler": {"Schedule"},
    "AWS::SecretsManager": {"Secret"},
    "Custom": {"Migrations"},
}  # fmt: skip
SERVICES = {"lambda.amazonaws.com", "scheduler.amazonaws.com", "ec2.${AWS::URLSuffix}"}
ONE_API = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:{'Ref': 'Api'}/"


def fixed_names(resources: Resources) -> Iterator[str]:
    """A second stage fits into the account: whatever has a name has the stack's in it."""
    for name, resource in resources.items():
        for key, value in resource.get("Properties", {}).items():
            named = key.endswith(("Name", "Identifier")) and key not in NAMES_INSIDE
            if named and not is_of_this_stack(value, resources):
                yield f"{name} has the same {key} in every stack: {render(value)}"


def is_of_this_stack(value: Any, resources: Resources) -> bool:
    """It holds the stack's name, or that of a resource, whose own name does."""
    text = render(value)
    found = {text.partition(".")[0], *re.findall(r"\$\{([\w:]+)", text)}
    is_reference = isinstance(value, dict)
    return is_reference and bool(found & {"AWS::StackName", *resources})


def wildcards(resources: Resources) -> Iterator[str]:
    """What allows more than one action or resource has its reason in the list."""
    for name, statement in statements(resources):
        allowed = [*as_list(statement.get("Action", [])), *as_list(statement.get("Resource", []))]
        for text in map(render, allowed):
            if re.search(r"[*?]", text) and not {text, f"{name}: {text}"} & set(WILDCARDS):
                yield f"{name} allows {text} without a reason"
        if {"NotAction", "NotResource"} & set(statement):
            yield f"{name} allows all but what it names"


def foreign_policies(resources: Resources) -> Iterator[str]:
    """A role takes our own policies, and of AWS's only those in the list."""
    for name, resource in resources.items():
        policies = resource.get("Properties", {}).get("ManagedPolicyArns", [])
        for text in map(render, chain.from_iterable(map(choices, policies))):
            if text not in resources and text.rpartition("/")[2] not in POLICIES_OF_AWS:
                yield f"{name} takes AWS's policy {text}"


def choices(value: Any) -> Iterator[Any]:
    """What an !If may choose; else the value itself."""
    match value:
        case {"Fn::If": [_, yes, no]}:
            yield from chain(choices(yes), choices(no))
        case {"Ref": "AWS::NoValue"}:
            pass
        case _:
            yield value


def strange_types(resources: Resources) -> Iterator[str]:
    """Nothing of a type that nobody has thought of."""
    for name, resource in resources.items():
        service, _, kind = resource["Type"].rpartition("::")
        if kind not in TYPES.get(service, ()):
            yield f"{name} is of the type {resource['Type']}"


def open_functions(resources: Resources) -> Iterator[str]:
    """Functions are invoked by our API; what else invokes them does it with a role."""
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Permission":
            given = resource["Properties"]
            caller, source = given.get("Principal"), render(given.get("SourceArn"))
            if caller != "apigateway.amazonaws.com" or not source.startswith(ONE_API):
                yield f"{name} lets {caller} invoke a function from {source}"


def open_roles(resources: Resources) -> Iterator[str]:
    """Roles are taken on by services of AWS."""
    for name, resource in resources.items():
        trust = resource.get("Properties", {}).get("AssumeRolePolicyDocument", {})
        for trusted in (statement.get("Principal", {}) for statement in trust.get("Statement", [])):
            services = {render(one) for one in as_list(trusted.get("Service"))}
            if set(trusted) != {"Service"} or not services <= SERVICES:
                yield f"{name} may be taken on by {trusted}"


RULES = (fixed_names, wildcards, foreign_policies, strange_types, open_functions, open_roles)
