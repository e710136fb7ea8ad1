"""What functions are told, how long they may take and what they wait for, with faults planted."""

from typing import Any

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.needs import needs_of
from tests.unit.template.planting import faults_after
from tests.unit.template.rules.environments import RULES

RUN_JOB = "Resources RunJob Properties"
CREATE_JOB = "Resources CreateJob Properties"
GLOBALS = "Globals Function Environment Variables"

PLANTED = [
    (f"{RUN_JOB} Environment Variables BUCKET_URL", None, "RunJob has no variable BUCKET_URL"),
    (f"{RUN_JOB} Environment Variables DATABASE_USER", None, "RunJob has no variable DATABASE_USER"),
    (
        f"{CREATE_JOB} Environment Variables MIGRATIONS_FOLDER",
        "/opt",
        "CreateJob has a variable that it does not read: MIGRATIONS_FOLDER",
    ),
    (f"{RUN_JOB} Environment Variables GPU_PRICE", None, "RunJob has no variable GPU_PRICE"),
    (
        "Resources JobStatus Properties Environment Variables MAX_WAIT_SECONDS",
        None,
        "JobStatus has no variable MAX_WAIT_SECONDS",
    ),
    (f"{GLOBALS} AI_MODELS", None, "CreateJob has no variable AI_MODELS"),
    (f"{GLOBALS} AI_PRICES", None, "RunJob has no variable AI_PRICES"),
    (f"{GLOBALS} AI_PRICES", {"Ref": "AiModels"}, "with bedrock/ Manage: the configuration is not valid"),
    (f"{GLOBALS} CLOUDFLARE_ACCOUNT_ID", "", "with @cf/ CreateJob: the configuration is not valid"),
    (
        f"{GLOBALS} CLOUDFLARE_API_TOKEN",
        {"Ref": "CloudflareApiTokenSecret"},
        "with @cf/ JobPickup: the configuration is not valid",
    ),
    (f"{GLOBALS} OPENAI_BASE_URL", "", "with openai/ at a server of one's own RunJob: "),
    (
        f"{CREATE_JOB} Environment Variables QUEUE_URL_EVALUATION",
        None,
        "CreateJob has no variable QUEUE_URL_EVALUATION",
    ),
    (
        "Resources Authorize Properties Environment Variables KEY_PEPPER_SECRET",
        None,
        "Authorize has no variable KEY_PEPPER_SECRET",
    ),
    (f"{GLOBALS} DATABASE_URL", None, "DATABASE_URL is missing"),
    (f"{GLOBALS} LOG_LEVEL", "LOUD", "LOG_LEVEL must be one of"),
    (f"{GLOBALS} DATABASE_TLS", None, "does not check who the database is"),
    (f"{GLOBALS} DATABASE_TLS", "off", "does not check who the database is"),
    (f"{CREATE_JOB} Environment", {"Ref": "AWS::NoValue"}, "CreateJob has no variable DATABASE_URL"),
    (f"{CREATE_JOB} VpcConfig", {"Ref": "AWS::NoValue"}, "CreateJob is not in the VPC"),
    ("Resources DescribeApi Properties VpcConfig", None, "DescribeApi is in the VPC"),
    ("Resources DescribeApi Properties Environment", None, "DescribeApi has variables that it does not read"),
    (f"{CREATE_JOB} Timeout", 31, "CreateJob may take 31 s"),
    (f"{RUN_JOB} Timeout", 901, "RunJob may take 901 s"),
    (f"{RUN_JOB} Environment Variables DATABASE_SECONDS", "90", "RunJob ends before it has given"),
    ("Resources CreateJob DependsOn", None, "CreateJob does not wait for the migrations"),
    ("Resources Migrations Properties Version", "1", "the migrations are not run when they change"),
    ("Resources Migrations Properties ServiceTimeout", 800, "Migrations does not wait for the 900 s"),
    ("Resources Migrations Properties ServiceTimeout", None, "Migrations does not wait for the 900 s"),
    (
        "Resources Migrate Properties EventInvokeConfig MaximumEventAgeInSeconds",
        None,
        "Migrations does not wait for the 22440 s",
    ),
    ("Resources Migrate Properties EventInvokeConfig MaximumRetryAttempts", 2, "Migrate is run again"),
    ("Resources Migrate Properties EventInvokeConfig", None, "Migrate is run again"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []


def test_what_a_function_asks_of_env_is_found_also_in_what_it_imports():
    assert {"config", "DB", "QUEUE.ring", "BUCKET.get", "AI.ask"} <= needs_of("functions.run_job.app")
    assert {"QUEUE.redrive", "PEPPER"} <= needs_of("functions.operate.app")
    assert {"migrations"} <= needs_of("functions.migrate.app")
    assert not {"QUEUE", "AI", "GPU"} & needs_of("functions.job_status.app")
    assert needs_of("functions.describe_api.app") == set()
