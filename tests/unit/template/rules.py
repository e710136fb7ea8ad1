"""What no linter knows of our template: one function a rule, each naming the faults it finds."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from millrace.bindings.queue import LONGEST_DELAY_SECONDS
from millrace.domain.configuration import read_config
from millrace.domain.jobs import JOB_TABLES
from millrace.errors import ConfigurationInvalid
from tests.unit.template.deployment import Deployment, kind_variable, referred, render
from tests.unit.template.needs import needs_of

GATEWAY_SECONDS = 30
LONGEST_TIMEOUT = 900
# Routes that anybody may call, and why is in their description.
PUBLIC_ROUTES = {"GET /openapi.json", "GET /docs"}

# What each thing that hangs on env is configured by. Queues have a variable a kind.
VARIABLES: dict[str, tuple[str, ...]] = {
    "DB": ("DATABASE_URL", "DATABASE_USER", "DATABASE_IAM"),
    "BUCKET": ("BUCKET_URL",),
    "AI": ("AI_MODELS",),
    "PEPPER": ("KEY_PEPPER_SECRET",),
    "QUEUE": tuple(map(kind_variable, JOB_TABLES)),
    "STACK": (),
    "migrations": ("DATABASE_URL", "DATABASE_USER", "DATABASE_PASSWORD_SECRET", "MIGRATIONS_FOLDER"),
    "config.ai_models": ("AI_MODELS",),
    "config.ai_default_model": ("AI_MODELS",),
}

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
}


def unset_variables(deployment: Deployment) -> Iterator[str]:
    """A function has what its code asks of env."""
    for function in deployment.functions:
        needs = needs_of(deployment.module(function))
        yield from (f"{function}: nobody said what env.{one} needs" for one in unknown(needs))
        wanted = {variable for one in needs for variable in VARIABLES.get(one, ())}
        for variable in sorted(wanted - set(deployment.variables(function))):
            yield f"{function} has no variable {variable}"


def unknown(needs: frozenset[str]) -> set[str]:
    return {one for one in needs if one.isupper() and one not in VARIABLES}


def unreadable_environments(deployment: Deployment) -> Iterator[str]:
    """What the template sets is what the configuration takes."""
    for function in deployment.functions:
        values = deployment.resolve(deployment.variables(function))
        # Here a bucket is called by its logical id, which has capitals, and no bucket's name has.
        values |= {name: value.lower() for name, value in values.items() if name == "BUCKET_URL"}
        try:
            read_config({name: str(value) for name, value in values.items()})
        except ConfigurationInvalid as error:
            yield f"{function}: {error}"


def wrong_permissions(deployment: Deployment) -> Iterator[str]:
    """A role may do what its function's bindings do, and nothing else."""
    for function in deployment.functions:
        needed = set(needed_permissions(deployment, function))
        held = {
            (action, resource)
            for one in deployment.permissions(function)
            for action in one.actions
            for resource in one.resources
        }
        yield from (f"{function} may not {action} {where}" for action, where in sorted(needed - held))
        yield from (f"{function} needs not {action} {where}" for action, where in sorted(held - needed))


def needed_permissions(deployment: Deployment, function: str) -> Iterator[tuple[str, str]]:
    role = str(deployment.variables(function).get("DATABASE_USER"))
    for need in needs_of(deployment.module(function)):
        for action, where in ACTIONS.get(need, ()):
            if "${Bell}" in where or "${Letters}" in where:
                yield from ((action, one) for one in queue_names(deployment, function, where=where))
            else:
                yield action, where.replace("${Role}", role)


def queue_names(deployment: Deployment, function: str, *, where: str) -> Iterator[str]:
    for kind in JOB_TABLES:
        bell = referred(deployment.variables(function).get(kind_variable(kind)))
        if bell:
            letters = referred(deployment.properties(bell)["RedrivePolicy"]["deadLetterTargetArn"])
            yield where.replace("${Bell}", bell).replace("${Letters}", str(letters))


def wildcards(deployment: Deployment) -> Iterator[str]:
    """What allows any action or any resource says why, in the resource's metadata."""
    for name, resource in deployment.resources.items():
        reasons = resource.get("Metadata", {}).get("Wildcards", {})
        for text in allowed_texts(resource.get("Properties", {})):
            if re.fullmatch(r"(\w+:)?\*", text) and text not in reasons:
                yield f"{name} allows {text} without a reason"


def allowed_texts(value: Any) -> Iterator[str]:
    """Actions and resources of every statement that allows something, wherever it stands."""
    if isinstance(value, list):
        for one in value:
            yield from allowed_texts(one)
    elif isinstance(value, dict):
        if value.get("Effect") == "Allow":
            for one in (value.get("Action"), value.get("Resource")):
                yield from map(render, one if isinstance(one, list) else [one])
        for one in value.values():
            yield from allowed_texts(one)


def open_routes(deployment: Deployment) -> Iterator[str]:
    """Every route asks who is there, but for the listed few."""
    for function, event in deployment.events("HttpApi"):
        route = f"{event['Method'].upper()} {event['Path']}"
        api = deployment.properties(event["ApiId"]["Ref"])
        authorizer = event.get("Auth", {}).get("Authorizer", api["Auth"].get("DefaultAuthorizer"))
        if authorizer in (None, "NONE") and route not in PUBLIC_ROUTES:
            yield f"{route} of {function} has no authorizer"


def loose_authorizers(deployment: Deployment) -> Iterator[str]:
    """By the Authorization header alone, by which an answer is remembered; how long can be chosen."""
    for api in deployment.named("AWS::Serverless::HttpApi"):
        for name, authorizer in deployment.properties(api)["Auth"]["Authorizers"].items():
            if authorizer["Identity"]["Headers"] != ["Authorization"]:
                yield f"{name} asks by {authorizer['Identity']['Headers']}"
            if authorizer["Identity"].get("ReauthorizeEvery") != {"Ref": "AuthorizerTtlSeconds"}:
                yield f"{name} is remembered for a fixed time"


def told_paths(deployment: Deployment) -> Iterator[str]:
    """A path holds a callback's token, so access logs name the route."""
    for api in deployment.named("AWS::Serverless::HttpApi"):
        text = deployment.properties(api).get("AccessLogSettings", {}).get("Format", "")
        if "$context.routeKey" not in text:
            yield f"{api} does not log the route"
        yield from (f"{api} logs {found}" for found in re.findall(r"\$context\.(?:path\b|http\.path)", text))


def short_visibilities(deployment: Deployment) -> Iterator[str]:
    """A message stays away for six times its consumer's time, comes alone, and does not pile up."""
    for function, event in deployment.events("SQS"):
        queue = str(referred(event["Queue"]))
        properties = deployment.properties(queue)
        timeout = deployment.setting(function, "Timeout")
        if properties.get("VisibilityTimeout", 30) < 6 * timeout:
            yield f"{queue} hides a message for less than six times {function}'s {timeout} s"
        if properties.get("RedrivePolicy", {}).get("maxReceiveCount") != 5:
            yield f"{queue} does not give up after 5 deliveries"
        life = LONGEST_DELAY_SECONDS + 5 * properties.get("VisibilityTimeout", 30)
        if not life < properties.get("MessageRetentionPeriod", 345_600) <= life + 600:
            yield f"{queue} does not keep a message for its {life} s and little more"
        if event.get("BatchSize") != 1 or event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{function} is not given messages of {queue} one by one, or cannot give one back"
        if "MaximumConcurrency" not in event.get("ScalingConfig", {}):
            yield f"{function} runs as often as {queue} is long"


def missing_doorbells(deployment: Deployment) -> Iterator[str]:
    """Every kind of job has a queue of its own that is listened to."""
    heard = {referred(event["Queue"]) for _, event in deployment.events("SQS")}
    bells = {f"{kind.title()}Doorbell" for kind in JOB_TABLES}
    yield from (f"there is no {bell} that is listened to" for bell in sorted(bells - heard))
    yield from (f"nobody knows the kind of {queue}" for queue in sorted(heard - bells, key=str))


def wrong_timeouts(deployment: Deployment) -> Iterator[str]:
    """The gateway waits for 30 seconds, Lambda for 15 minutes, CloudFormation for what the resource says."""
    behind = {function for function, _ in deployment.events("HttpApi")}
    for function in deployment.functions:
        timeout = deployment.setting(function, "Timeout")
        if timeout > (GATEWAY_SECONDS if function in behind else LONGEST_TIMEOUT):
            yield f"{function} may take {timeout} s, longer than anybody waits"
        if int(deployment.variables(function)["DATABASE_SECONDS"]) + 2 > timeout:
            yield f"{function} ends before it has given its database up"
    for name in deployment.named("Custom::Migrations"):
        timeout = deployment.setting(str(referred(deployment.properties(name)["ServiceToken"])), "Timeout")
        if deployment.properties(name).get("ServiceTimeout", 3600) <= timeout:
            yield f"{name} gives up before its function does"


def wrong_schedules(deployment: Deployment) -> Iterator[str]:
    """At least a minute apart, on time, and with somewhere for what could not be delivered."""
    for function, event in deployment.events("ScheduleV2"):
        found = re.fullmatch(
            r"rate\((\d+) (minute|hour|day)s?\)", deployment.resolve(event["ScheduleExpression"])
        )
        if not found or int(found[1]) < 1:
            yield f"{function} is not run at a rate of a minute or more"
        if event.get("FlexibleTimeWindow", {}).get("Mode") != "OFF":
            yield f"{function} may be run late"
        if "RetryPolicy" not in event or "DeadLetterConfig" not in event:
            yield f"{function}'s schedule forgets what fails"


def wrong_capacities(deployment: Deployment) -> Iterator[str]:
    """What Aurora takes: half units to 256, zero to pause, and a pause after five minutes to a day."""
    ranges = {
        "DatabaseMinCapacity": (0, 256),
        "DatabaseMaxCapacity": (1, 256),
        "PauseAfterSeconds": (300, 86400),
    }
    for name, (least, most) in ranges.items():
        parameter = deployment.document["Parameters"][name]
        if (parameter.get("MinValue"), parameter.get("MaxValue")) != (least, most):
            yield f"{name} may be other than {least} to {most}"
        if not least <= parameter["Default"] <= most or parameter["Default"] * 2 % 1:
            yield f"{name} is {parameter['Default']} by default"
    if "PausingNeedsASlowerPickup" not in deployment.document.get("Rules", {}):
        yield "a database that pauses may be woken every minute"


def unguarded_data(deployment: Deployment) -> Iterator[str]:
    """What cannot be made again outlives a mistake, is encrypted and has no road to it from outside."""
    keeps = {"Database": "Snapshot", "Bucket": "Retain", "KeyPepper": "Retain"}
    for name, policy in keeps.items():
        for when in ("DeletionPolicy", "UpdateReplacePolicy"):
            if deployment.resources[name].get(when) != policy:
                yield f"{name} has no {when} {policy}"
    database = deployment.properties("Database")
    for name in ("StorageEncrypted", "EnableIAMDatabaseAuthentication", "ManageMasterUserPassword"):
        if database.get(name) is not True:
            yield f"the database has no {name}"
    if deployment.properties("DatabaseInstance").get("PubliclyAccessible") is not False:
        yield "the database has a public address"
    blocks = deployment.properties("Bucket")["PublicAccessBlockConfiguration"].values()
    if len(blocks) < 4 or not all(blocks):
        yield "the bucket may be made public"


def hasty_functions(deployment: Deployment) -> Iterator[str]:
    """New code waits for the schema it was written for."""
    for function in deployment.functions:
        reads = "DB" in needs_of(deployment.module(function))
        if reads and deployment.resources[function].get("DependsOn") != "Migrations":
            yield f"{function} does not wait for the migrations"
    if deployment.properties("Migrations").get("Version") != {"Ref": "MigrationsLayer"}:
        yield "the migrations are not run when they change"


def unwatched(deployment: Deployment) -> Iterator[str]:
    """Every function's errors, every queue of dead letters and every kind's oldest job raise an alarm."""
    alarms = {name: deployment.properties(name) for name in deployment.named("AWS::CloudWatch::Alarm")}
    text = str(alarms)
    for function in deployment.functions:
        if f"'FunctionName', 'Value': {{'Ref': '{function}'}}" not in str(alarms.get("ErrorsAlarm")):
            yield f"nobody hears of the errors of {function}"
    for queue in deployment.named("AWS::SQS::Queue"):
        if queue.endswith("DeadLetters") and f"['{queue}', 'QueueName']" not in text:
            yield f"nobody hears of {queue}"
    for kind in JOB_TABLES:
        if f"'kind', 'Value': '{kind}'" not in text:
            yield f"nobody hears of an old job of the kind {kind}"
    yield from (f"{name} tells nobody" for name, alarm in alarms.items() if "AlarmActions" not in alarm)


RULES: tuple[Callable[[Deployment], Iterator[str]], ...] = (
    unset_variables, unreadable_environments, wrong_permissions, wildcards, open_routes, loose_authorizers,
    told_paths, short_visibilities, missing_doorbells, wrong_timeouts, wrong_schedules, wrong_capacities,
    unguarded_data, hasty_functions, unwatched,
)  # fmt: skip


def faults_in(deployment: Deployment) -> list[str]:
    return [fault for rule in RULES for fault in rule(deployment)]
