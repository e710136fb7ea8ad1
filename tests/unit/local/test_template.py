"""The template, as the local cloud reads it."""

from pathlib import Path

import pytest

from local.intrinsics import Resolver, TemplateInvalid
from local.template import Consumer, Route, Schedule, Template, read_template

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def test_each_route_names_its_function_and_its_authorizer(template: Template):
    assert Route("GET", "/guarded/{name}", "Echo", "Keys") in template.routes


def test_a_route_may_be_open_although_the_api_has_a_default_authorizer(template: Template):
    assert Route("ANY", "/open/{proxy+}", "Echo", None) in template.routes


def test_the_authorizer_comes_with_its_identity_and_its_memory(template: Template):
    authorizer = template.authorizers["Keys"]

    assert authorizer.function == "Guard"
    assert authorizer.identity_headers == ("authorization",)
    assert authorizer.ttl_seconds == 60


def test_a_function_has_what_globals_give_and_what_it_says_itself(template: Template):
    echo, guard = template.functions["Echo"], template.functions["Guard"]

    assert (echo.module, echo.handler) == ("tests.unit.local.cloud.echo.app", "handler")
    assert (echo.timeout_seconds, guard.timeout_seconds, echo.memory_mb) == (30, 5, 256)
    assert echo.environment["GREETING"] == guard.environment["GREETING"] == "hello"
    assert "BUCKET_URL" not in guard.environment


def test_a_function_that_leaves_its_environment_out_has_none(tmp_path: Path):
    path = tmp_path / "template.yaml"
    path.write_text(
        "Globals: {Function: {Environment: {Variables: {GREETING: hello}}}}\n"
        "Resources: {Bare: {Type: 'AWS::Serverless::Function',"
        " Properties: {CodeUri: bare/, Environment: !Ref AWS::NoValue}}}"
    )

    assert read_template(path).functions["Bare"].environment == {}


def test_references_substitutions_attributes_and_conditions_are_resolved(template: Template):
    environment = template.functions["Echo"].environment

    assert environment["BUCKET_URL"] == "s3://Bucket"
    assert environment["RING"] == template.queues["Bell"].url
    assert environment["WHERE"] == f"us-east-1/{template.queues['Bell'].arn}"
    assert environment["NETWORK"] == "public"


def test_a_condition_can_tell_whether_a_name_occurs_in_a_parameter():
    models = {"Ref": "Models"}
    without = {"Fn::Join": ["", {"Fn::Split": ["rock/", models]}]}
    occurs = {"Fn::Not": [{"Fn::Equals": [models, without]}]}
    declared = {"Parameters": {"Models": {"Type": "String"}}}

    assert Resolver(declared, parameters={"Models": "a/b,rock/c"}).holds(occurs)
    assert not Resolver(declared, parameters={"Models": "a/b,rocks/c"}).holds(occurs)


def test_parameters_take_the_place_of_their_defaults():
    template = read_template(
        HERE / "cloud" / "template.yaml", parameters={"Greeting": "hi", "Subnets": "a,b"}
    )

    assert template.functions["Echo"].environment["GREETING"] == "hi"
    assert template.functions["Echo"].environment["NETWORK"] == "private"


def test_a_resource_whose_condition_does_not_hold_is_not_there(template: Template):
    assert "Elsewhere" not in template.functions


def test_queues_come_with_their_consumers_and_dead_letters(template: Template):
    bell = template.queues["Bell"]

    assert (bell.visibility_seconds, bell.dead_letters, bell.most_receives) == (30, "DeadLetters", 2)
    assert template.consumers == (Consumer("Bell", "Work", 1, 2, True),)


def test_schedules_come_with_their_expression(template: Template):
    assert template.schedules == (Schedule("WorkHourly", "Work", "rate(1 hour)"),)


def test_what_the_reader_does_not_know_is_named(tmp_path: Path):
    path = tmp_path / "template.yaml"
    path.write_text(
        "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: !FindInMap [A, B, C]}}}"
    )

    with pytest.raises(TemplateInvalid, match="Fn::FindInMap"):
        read_template(path)


def test_a_reference_to_nothing_is_named(tmp_path: Path):
    path = tmp_path / "template.yaml"
    path.write_text(
        "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {CodeUri: !Ref Missing}}}"
    )

    with pytest.raises(TemplateInvalid, match="Missing"):
        read_template(path)


def test_our_own_template_gives_every_message_six_times_its_consumers_time():
    template = read_template(ROOT / "template.yaml")

    for consumer in template.consumers:
        timeout = template.functions[consumer.function].timeout_seconds
        assert template.queues[consumer.queue].visibility_seconds >= 6 * timeout
        assert (consumer.batch_size, consumer.reports_failures) == (1, True)


def test_our_own_template_asks_by_the_authorization_header_alone_and_guards_all_but_the_description():
    template = read_template(ROOT / "template.yaml")

    assert [one.identity_headers for one in template.authorizers.values()] == [("authorization",)]
    assert {route.key for route in template.routes if not route.authorizer} <= {
        "GET /openapi.json",
        "GET /docs",
        "POST /api/runpod/callback/{token}",
    }


def test_every_function_of_our_own_template_is_there():
    template = read_template(ROOT / "template.yaml")

    for function in template.functions.values():
        assert (ROOT / f"{function.module.replace('.', '/')}.py").exists()
