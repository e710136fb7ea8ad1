"""The template keeps our rules, and each rule is proved by planting the fault it is there for."""

import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.needs import ROOT, needs_of
from tests.unit.template.rules import RULES, faults_in


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


def test_what_a_function_asks_of_env_is_found_also_in_what_it_imports():
    assert {"DB", "QUEUE.ring", "BUCKET.get", "AI.ask"} <= needs_of("functions.run_job.app")
    assert {"QUEUE.redrive", "PEPPER"} <= needs_of("functions.operate.app")
    assert {"migrations"} <= needs_of("functions.migrate.app")
    assert not {"BUCKET", "QUEUE", "AI"} & needs_of("functions.job_status.app")


def change(path: str, value: Any) -> Callable[[Deployment], None]:
    """Put a value where the path leads; None takes away what is there."""

    def plant(deployment: Deployment) -> None:
        *way, last = path.split(" ")
        place: Any = deployment.document
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        key = int(last) if isinstance(place, list) else last
        if value is None:
            del place[key]
        else:
            place[key] = value

    return plant


RUN_JOB = "Resources RunJob Properties"
API = "Resources Api Properties"
ROUTE = "Resources CreateJob Properties Events Evaluation Properties"
BELL = "Resources EvaluationDoorbell Properties"
RINGING = f"{RUN_JOB} Events EvaluationDoorbell Properties"
TICK = "Resources JobPickup Properties Events EveryMinute Properties"

PLANTED = [
    (f"{RUN_JOB} Environment Variables BUCKET_URL", None, "RunJob has no variable BUCKET_URL"),
    (f"{RUN_JOB} Environment Variables DATABASE_USER", None, "RunJob has no variable DATABASE_USER"),
    (
        "Resources CreateJob Properties Environment Variables AI_MODELS",
        None,
        "CreateJob has no variable AI_MODELS",
    ),
    (
        "Resources CreateJob Properties Environment Variables QUEUE_URL_EVALUATION",
        None,
        "CreateJob has no variable QUEUE_URL_EVALUATION",
    ),
    (
        "Resources Authorize Properties Environment Variables KEY_PEPPER_SECRET",
        None,
        "Authorize has no variable KEY_PEPPER_SECRET",
    ),
    ("Globals Function Environment Variables DATABASE_URL", None, "DATABASE_URL is missing"),
    ("Globals Function Environment Variables LOG_LEVEL", "LOUD", "LOG_LEVEL must be one of"),
    (f"{RUN_JOB} Policies 0 Statement 0", None, "RunJob may not rds-db:connect"),
    (f"{RUN_JOB} Policies 0 Statement 1", None, "RunJob may not sqs:SendMessage EvaluationDoorbell.Arn"),
    (f"{RUN_JOB} Policies 0 Statement 2", None, "RunJob may not s3:GetObject ${Bucket.Arn}/*"),
    (f"{RUN_JOB} Policies 0 Statement 2 Action", "s3:*", "RunJob needs not s3:*"),
    (f"{RUN_JOB} Policies 0 Statement 2 Resource", "*", "RunJob allows * without a reason"),
    (
        "Resources JobStatus Properties Policies 0 Statement 0 Resource Fn::Sub 1 Role",
        "millrace_engine",
        "JobStatus may not rds-db:connect",
    ),
    (
        f"{ROUTE} Auth",
        {"Authorizer": "NONE"},
        "POST /api/ops/leads/{lead_id}/ai-evaluation of CreateJob has no",
    ),
    (f"{API} Auth DefaultAuthorizer", None, "GET /api/ops/ai-evaluation-jobs/{job_id} of JobStatus has no"),
    (
        f"{API} Auth Authorizers KeyAuthorizer Identity Headers",
        ["Authorization", "X-Site-Id"],
        "KeyAuthorizer asks by",
    ),
    (f"{API} Auth Authorizers KeyAuthorizer Identity ReauthorizeEvery", 300, "remembered for a fixed time"),
    (f"{API} AccessLogSettings Format", "$context.path $context.routeKey", "Api logs $context.path"),
    (f"{API} AccessLogSettings", None, "Api does not log the route"),
    (f"{BELL} VisibilityTimeout", 539, "less than six times RunJob's 90 s"),
    (f"{BELL} VisibilityTimeout", None, "less than six times RunJob's 90 s"),
    (f"{BELL} RedrivePolicy maxReceiveCount", 50, "does not give up after 5"),
    (f"{BELL} MessageRetentionPeriod", 3_600, "does not keep a message for its 3600 s and little more"),
    (f"{BELL} MessageRetentionPeriod", 86_400, "does not keep a message for its 3600 s and little more"),
    (f"{BELL} MessageRetentionPeriod", None, "does not keep a message for its 3600 s and little more"),
    (f"{RINGING} BatchSize", 10, "not given messages of EvaluationDoorbell one by one"),
    (f"{RINGING} FunctionResponseTypes", None, "or cannot give one back"),
    (f"{RINGING} ScalingConfig", None, "RunJob runs as often as"),
    (f"{RUN_JOB} Events", {}, "there is no EvaluationDoorbell that is listened to"),
    ("Resources CreateJob Properties Timeout", 31, "CreateJob may take 31 s"),
    (f"{RUN_JOB} Timeout", 901, "RunJob may take 901 s"),
    (
        f"{RUN_JOB} Environment Variables DATABASE_SECONDS",
        "90",
        "RunJob ends before it has given",
    ),
    ("Resources Migrations Properties ServiceTimeout", 800, "Migrations gives up before"),
    ("Parameters PickupRate Default", "rate(30 seconds)", "JobPickup is not run at a rate"),
    (f"{TICK} FlexibleTimeWindow Mode", "FLEXIBLE", "JobPickup may be run late"),
    (f"{TICK} DeadLetterConfig", None, "JobPickup's schedule forgets"),
    ("Parameters DatabaseMinCapacity MinValue", -1, "DatabaseMinCapacity may be other than 0 to 256"),
    ("Parameters DatabaseMaxCapacity Default", 0.7, "DatabaseMaxCapacity is 0.7"),
    ("Parameters PauseAfterSeconds MinValue", 60, "PauseAfterSeconds may be other than 300"),
    ("Rules PausingNeedsASlowerPickup", None, "may be woken every minute"),
    ("Resources Database DeletionPolicy", "Delete", "Database has no DeletionPolicy Snapshot"),
    ("Resources Database Properties StorageEncrypted", False, "the database has no StorageEncrypted"),
    ("Resources DatabaseInstance Properties PubliclyAccessible", True, "the database has a public address"),
    (
        "Resources Bucket Properties PublicAccessBlockConfiguration BlockPublicPolicy",
        False,
        "the bucket may be made public",
    ),
    ("Resources CreateJob DependsOn", None, "CreateJob does not wait for the migrations"),
    ("Resources Migrations Properties Version", "1", "the migrations are not run when they change"),
    ("Resources ErrorsAlarm", None, "nobody hears of the errors of CreateJob"),
    ("Resources DeadLettersAlarm", None, "nobody hears of EvaluationDeadLetters"),
    ("Resources OldestDueAlarm", None, "an old job of the kind evaluation"),
    ("Resources OldestDueAlarm Properties AlarmActions", None, "OldestDueAlarm tells nobody"),
]


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    deployment = Deployment()

    change(path, value)(deployment)

    assert [found for found in faults_in(deployment) if fault in found] != []


def test_every_stage_sets_parameters_that_there_are():
    stages = tomllib.loads((ROOT / "samconfig.toml").read_text())
    parameters = Deployment().document["Parameters"]

    for stage in ("dev", "staging", "prod"):
        settings = stages[stage]["deploy"]["parameters"]
        names = {pair.partition("=")[0] for pair in settings["parameter_overrides"]}
        assert names <= set(parameters)
        assert settings["stack_name"] == f"millrace-{stage}"


def test_a_stage_whose_database_pauses_is_not_woken_every_minute():
    stages = tomllib.loads((ROOT / "samconfig.toml").read_text())

    for stage in ("dev", "staging", "prod"):
        pairs = stages[stage]["deploy"]["parameters"]["parameter_overrides"]
        given = dict(pair.split("=", 1) for pair in pairs)
        if given.get("DatabaseMinCapacity") == "0":
            assert given["PickupRate"].strip("'") != "rate(1 minute)"
