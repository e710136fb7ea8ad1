"""Each function has a role of its own, which may do what the function's bindings do, and nothing else."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from millrace.domain.jobs import JOB_TABLES
from tests.unit.template.deployment import Deployment, as_list, kind_variable, referred, render
from tests.unit.template.providers import SWITCHED_ON

READ_BUCKET = (("s3:GetObject", "${Bucket.Arn}/*"), ("s3:ListBucket", "Bucket.Arn"))
# What is done with it, as IAM calls it: action and resource. ${Role} is who the function logs in as,
# ${Bell} and ${Letters} are a kind's queue and its dead letters.
ACTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "DB": (
        (
            "rds-db:connect",
            "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:"
            "${Database.DBClusterResourceId}/${Role}",
        ),
    ),
    "PEPPER": (("secretsmanager:GetSecretValue", "KeyPepper"),),
    "CALLBACK_KEYS": (("secretsmanager:GetSecretValue", "CallbackKeys"),),
    "migrations": (("secretsmanager:GetSecretValue", "Database.MasterUserSecret.SecretArn"),),
    "QUEUE.ring": (("sqs:SendMessage", "${Bell}.Arn"),),
    "QUEUE.redrive": (
        ("sqs:SendMessage", "${Bell}.Arn"),
        ("sqs:GetQueueAttributes", "${Bell}.Arn"),
        ("sqs:StartMessageMoveTask", "${Letters}.Arn"),
        ("sqs:ReceiveMessage", "${Letters}.Arn"),
        ("sqs:DeleteMessage", "${Letters}.Arn"),
        ("sqs:GetQueueAttributes", "${Letters}.Arn"),
    ),
    "BUCKET.get": READ_BUCKET,
    "BUCKET.head": READ_BUCKET,
    "BUCKET.open": READ_BUCKET,
    "BUCKET.presign_download": READ_BUCKET,
    "BUCKET.list": (("s3:ListBucket", "Bucket.Arn"),),
    "BUCKET.put": (("s3:PutObject", "${Bucket.Arn}/*"),),
    "BUCKET.presign_upload": (("s3:PutObject", "${Bucket.Arn}/*"),),
    "BUCKET.delete": (("s3:DeleteObject", "${Bucket.Arn}/*"),),
    "BUCKET.presign_delete": (("s3:DeleteObject", "${Bucket.Arn}/*"),),
}
# What asking models takes: the keys that are given, and Bedrock's models where one is configured.
KEYS = ("CloudflareApiTokenSecret", "OpenAiApiKeySecret")
BEDROCK = tuple(
    ("bedrock:InvokeModel", f"arn:${{AWS::Partition}}:bedrock:*:{where}/*")
    for where in (
        ":foundation-model",
        "${AWS::AccountId}:inference-profile",
        "${AWS::AccountId}:application-inference-profile",
    )
)
# What Lambda itself does with a function's role.
LOGGING = (("logs:CreateLogStream", "Logs.Arn"), ("logs:PutLogEvents", "Logs.Arn"))
JOINING = tuple(
    (f"ec2:{action}", "*")
    for action in (
        "CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets", "DeleteNetworkInterface",
        "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
    )
)  # fmt: skip
HEARING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

Permission = tuple[str, str]


def wrong_permissions(deployment: Deployment) -> Iterator[str]:
    """A role may do what its function's bindings do, and nothing else, whichever models there are."""
    for models, parameters in SWITCHED_ON.items():
        chosen = deployment.given(parameters)
        for function in deployment.functions:
            needed, held = set(needed_permissions(chosen, function)), set(permissions(chosen, function))
            for action, where in sorted(needed - held):
                yield f"{function} may not {action} {where} (with {models})"
            for action, where in sorted(held - needed):
                yield f"{function} needs not {action} {where} (with {models})"


def permissions(deployment: Deployment, function: str) -> Iterator[Permission]:
    role = deployment.properties(str(referred(deployment.properties(function).get("Role"))))
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    for policy in deployment.choose(role.get("ManagedPolicyArns", [])):
        documents.append(deployment.properties(str(referred(policy))).get("PolicyDocument", {}))
    for statement in (
        one for document in documents for one in deployment.choose(document.get("Statement", []))
    ):
        if statement["Effect"] == "Allow":
            for action in as_list(statement["Action"]):
                yield from ((action, render(where)) for where in as_list(statement["Resource"]))


def needed_permissions(deployment: Deployment, function: str) -> Iterator[Permission]:
    yield from LOGGING
    if deployment.setting(function, "VpcConfig"):
        yield from JOINING
    for listener, event in deployment.events("SQS"):
        if listener == function:
            yield from ((action, render(event["Queue"])) for action in HEARING)
    asynchronous = deployment.properties(function).get("EventInvokeConfig", {})
    for destination in asynchronous.get("DestinationConfig", {}).values():
        yield "sqs:SendMessage", render(destination["Destination"])
    if "AI" in deployment.needs(function):
        yield from model_permissions(deployment)
    if "GPU" in deployment.needs(function) and deployment.resolve({"Ref": "GpuKeySecret"}):
        yield "secretsmanager:GetSecretValue", "GpuKeySecret"
    role = str(deployment.variables(function).get("DATABASE_USER"))
    for need in deployment.needs(function):
        for action, where in ACTIONS.get(need, ()):
            if "${Bell}" in where or "${Letters}" in where:
                yield from ((action, one) for one in queue_names(deployment, function, where=where))
            else:
                yield action, where.replace("${Role}", role)


def model_permissions(deployment: Deployment) -> Iterator[Permission]:
    yield from (("secretsmanager:GetSecretValue", name) for name in KEYS if deployment.resolve({"Ref": name}))
    if "bedrock/" in deployment.resolve({"Ref": "AiModels"}):
        yield from BEDROCK


def queue_names(deployment: Deployment, function: str, *, where: str) -> Iterator[str]:
    for kind in JOB_TABLES:
        bell = referred(deployment.variables(function).get(kind_variable(kind)))
        if bell:
            letters = referred(deployment.properties(bell)["RedrivePolicy"]["deadLetterTargetArn"])
            yield where.replace("${Bell}", bell).replace("${Letters}", str(letters))


def shared_roles(deployment: Deployment) -> Iterator[str]:
    """One role a function, and nobody else's."""
    roles = {one: referred(deployment.properties(one).get("Role")) for one in deployment.functions}
    users = Counter(roles.values())
    for function, role in roles.items():
        if role is None or users[role] > 1:
            yield f"{function} has no role of its own"


def meddling_functions(deployment: Deployment) -> Iterator[str]:
    """Network interfaces are Lambda's to make: what a function's own code calls is refused."""
    for name, statement in statements(deployment.resources):
        actions = as_list(statement.get("Action", []))
        if any(action.startswith("ec2:") for action in actions) and statement.get("Condition") != {
            "Null": {"lambda:SourceFunctionArn": "true"}
        }:
            yield f"{name} lets a function's code change the network"


def statements(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement that allows something, wherever it stands, with the resource that it is in."""
    for name, resource in resources.items():
        for statement in allowing(resource.get("Properties", {})):
            yield name, statement


def allowing(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and value.get("Effect") == "Allow":
        yield value
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    for one in inner:
        yield from allowing(one)


RULES = (wrong_permissions, shared_roles, meddling_functions)
