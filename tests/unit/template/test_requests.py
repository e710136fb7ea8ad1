"""What reaches the API, with faults planted."""

from typing import Any

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.planting import faults_after
from tests.unit.template.rules.requests import RULES

API = "Resources Api Properties"
AUTHORIZER = f"{API} Auth Authorizers KeyAuthorizer"

PLANTED = [
    (
        "Resources CreateJob Properties Events Evaluation Properties Auth",
        {"Authorizer": "NONE"},
        "POST /api/ops/leads/{lead_id}/ai-evaluation of CreateJob has no",
    ),
    (f"{API} Auth DefaultAuthorizer", None, "GET /api/ops/ai-evaluation-jobs/{job_id} of JobStatus has no"),
    (
        "Resources DescribeApi Properties Events ForPeople Properties Auth",
        None,
        "GET /docs of DescribeApi is",
    ),
    (
        "Resources Manage Properties Events IssueKey Properties PayloadFormatVersion",
        "1.0",
        "POST /api/keys of Manage is like no other",
    ),
    (
        "Resources Manage Properties Events IssueKey Properties Auth",
        {"AuthorizationScopes": ["keys:write"]},
        "POST /api/keys of Manage is like no other",
    ),
    (
        "Resources Manage Properties Events RevokeKey",
        None,
        "DELETE /api/keys/{key_id} is not brought to Manage",
    ),
    (
        "Resources Manage Properties Events RevokeKey Properties Path",
        "/api/keys/{id}",
        "DELETE /api/keys/{id} is brought to Manage in vain",
    ),
    (f"{AUTHORIZER} Identity Headers", ["Authorization", "X-Site-Id"], "KeyAuthorizer asks by"),
    (f"{AUTHORIZER} Identity ReauthorizeEvery", 300, "remembered for a fixed time"),
    (f"{AUTHORIZER} EnableSimpleResponses", None, "KeyAuthorizer is not understood"),
    (f"{AUTHORIZER} EnableSimpleResponses", False, "KeyAuthorizer is not understood"),
    (f"{AUTHORIZER} AuthorizerPayloadFormatVersion", "1.0", "KeyAuthorizer is not understood"),
    (f"{API} AccessLogSettings Format", "$context.path $context.routeKey", "Api logs $context.path"),
    (
        f"{API} AccessLogSettings Format",
        '{"route":"$context.routeKey","resource":"$context.resourcePath"}',
        "Api logs $context.resourcePath",
    ),
    (f"{API} AccessLogSettings Format", "$context.routeKey $context.status", "Api logs what is not JSON"),
    (f"{API} AccessLogSettings", None, "Api does not log the route"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []
