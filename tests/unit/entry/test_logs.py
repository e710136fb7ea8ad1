"""Lines of JSON from a closed list, each with its request, and none with a secret."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from millrace import entry
from millrace.entry.logs import EVENTS, log, log_fault, saying, set_level
from millrace.entry.metrics import UNITS, Metric, count, set_namespace
from millrace.env import Config, Env
from millrace.errors import DatabaseUnavailable
from tests.events import Context, env_without_a_world, http_event, read_event
from tests.unit.entry.things import SITE_AND_PERSON, ask

PACKAGE = Path(entry.__file__).parent.parent


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]):
    """What was written since it was last asked, line by line."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def lines_of(written: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [line for line in written if line.get("message") == event]


def test_an_event_that_is_not_in_the_list_is_an_error():
    with pytest.raises(ValueError, match="not in the list of events"):
        log("something_else")  # type: ignore[arg-type]


def test_a_metric_that_is_not_in_the_list_is_an_error():
    with pytest.raises(ValueError, match="not in the list of metrics"):
        count("SomethingElse")  # type: ignore[arg-type]


def test_every_metric_has_a_unit():
    assert set(UNITS) == set(get_args(Metric))


def test_bindings_log_from_the_same_list():
    calls = re.compile(r"logger\.\w+\(\s*\"([^\"]*)\"")
    logged = {event for file in PACKAGE.rglob("*.py") for event in calls.findall(file.read_text())}

    assert "doorbell_lost" in logged
    assert logged <= EVENTS


def test_every_line_says_which_request_and_which_function(written):
    handler = entry.worker(scheduled=lambda tick, env: log("job_created", job_id="job_1"))

    handler(read_event("job_pickup/every_minute"), Context(), env=env_without_a_world())

    (line,) = written()
    assert line["message"] == "job_created"
    assert line["level"] == "INFO"
    assert line["job_id"] == "job_1"
    assert line["function"] == "a_function"
    assert line["request_id"] == "lambda-request-1"
    assert line["timestamp"].endswith("+00:00")


def test_an_answered_request_is_logged_by_its_route_and_never_by_its_path(written):
    ask(http_event("GET", "/things/a-token-in-a-path", headers={"x-request-id": "mine-1"}))

    (line,) = written()
    assert line["message"] == "request_answered"
    assert (line["route"], line["status"], line["request_id"]) == ("/things/<thing_id>", 202, "mine-1")
    assert "a-token-in-a-path" not in json.dumps(line)


def test_a_level_hides_what_is_below_it(written):
    set_level("WARNING")
    log("job_created")
    log("caller_refused")
    set_level("DEBUG")
    log("jobs_due")
    set_level("INFO")
    log("jobs_due")

    assert [line["message"] for line in written()] == ["caller_refused", "jobs_due"]


def test_the_level_is_the_configured_one(written):
    quiet = Env(Config(database_url="sqlite:////nowhere.db", log_level="ERROR"))

    ask(http_event("GET"), env=quiet)
    ask(http_event("GET"))

    assert len(lines_of(written(), "request_answered")) == 1


def test_a_long_text_is_cut(written):
    log("job_created", job_id="x" * 10_000)

    (line,) = written()
    assert len(line["job_id"]) == 200


def test_no_line_holds_a_token_a_body_or_a_document(capsys: pytest.CaptureFixture[str]):
    secrets = {"authorization": "Bearer planted-token", "cookie": "planted-cookie", **SITE_AND_PERSON}
    set_level("DEBUG")

    for path in ("/things/thing_1", "/broken", "/nowhere"):
        for body in (
            '{"name": "planted"}',
            '{"name": "planted-planted-planted"}',
            '{"planted": "planted"}',
            "planted",
        ):
            ask(http_event(path=path, body=body, headers=secrets))
    asking = read_event("authorize/known_key") | {"identitySource": ["Bearer planted-token"]}
    entry.worker(authorize=lambda token, env: None)(asking, Context(), env=env_without_a_world())

    out, err = capsys.readouterr()
    assert "request_answered" in out
    assert "caller_refused" in out
    assert "planted" not in out + err
    assert "pay slip" not in out + err


def raise_from_document() -> None:
    try:
        int("4200 a month")
    except ValueError as cause:
        raise KeyError("Robin Example") from cause


def test_a_fault_is_logged_with_its_trace_and_its_cause_but_not_with_what_they_quote(written):
    try:
        raise_from_document()
    except KeyError as error:
        log_fault(error)

    (line,) = written()
    assert line["level"] == "ERROR"
    assert line["error"] == "KeyError"
    assert any(frame.endswith("raise_from_document") for frame in line["trace"])
    assert "caused by ValueError" in line["trace"]
    assert "Robin" not in json.dumps(line)
    assert "4200" not in json.dumps(line)


def test_our_own_errors_are_logged_with_their_words(written):
    log_fault(DatabaseUnavailable("The database is away."))

    (line,) = written()
    assert line["reason"] == "The database is away."


def test_an_unknown_fault_of_a_request_is_logged_under_the_id_the_caller_was_told(written):
    ask(http_event(path="/broken", headers={"x-request-id": "mine-1"}))

    (fault,) = lines_of(written(), "fault")
    assert fault["request_id"] == "mine-1"
    assert fault["error"] == "ValueError"
    assert any("break_down" in frame for frame in fault["trace"])


def test_lines_outside_an_invocation_say_nothing_of_an_earlier_one(written):
    with saying(request_id="request_1"):
        log("job_created")
    log("job_created")

    first, second = written()
    assert first["request_id"] == "request_1"
    assert "request_id" not in second


def metrics_of(written: list[dict[str, Any]]) -> list[tuple[str, Any, Any]]:
    """Name, value and kind of every embedded metric line."""
    return [
        (metric["Name"], line[metric["Name"]], line.get("kind"))
        for line in written
        if "_aws" in line
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    ]


def test_a_metric_is_one_embedded_line(written):
    count("JobDuration", 1.5, kind="evaluation")

    (line,) = written()
    (declared,) = line["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "Millrace"
    assert declared["Dimensions"] == [["kind"]]
    assert declared["Metrics"] == [{"Name": "JobDuration", "Unit": "Seconds"}]
    assert line["JobDuration"] == [1.5]


def test_jobs_created_and_refused_are_counted_and_repeats_are_not(written):
    ask(http_event(headers=SITE_AND_PERSON))
    ask(http_event(path="/spent"))
    ask(http_event())
    ask(http_event(path="/repeated"))

    assert metrics_of(written()) == [
        ("JobsCreated", [1.0], "thing"),
        ("JobsRefused", [1.0], "thing"),
        ("JobsRefused", [1.0], "thing"),
    ]


def test_faults_and_refused_callers_are_counted(written):
    ask(http_event(path="/broken"))
    entry.worker(authorize=lambda token, env: None)(
        read_event("authorize/unknown_key"), Context(), env=env_without_a_world()
    )

    assert metrics_of(written()) == [("Faults", [1.0], None), ("CallersRefused", [1.0], None)]


def test_what_stands_behind_a_503_is_logged(written):
    def lose_the_database(request: entry.Request, env: Env) -> None:
        raise DatabaseUnavailable

    routes = entry.Routes()
    routes.get("/things", public=True)(lose_the_database)
    answer = entry.worker(fetch=routes)(http_event("GET", "/things"), Context(), env=env_without_a_world())

    (fault,) = lines_of(written(), "fault")
    assert answer["statusCode"] == 503
    assert fault["error"] == "DatabaseUnavailable"
    assert any("lose_the_database" in frame for frame in fault["trace"])


def test_each_stack_counts_under_a_name_of_its_own(written):
    refuse = entry.worker(authorize=lambda _token, _env: None)
    config = Config(database_url="sqlite:////nowhere.db", metrics_namespace="Millrace/prod")

    refuse({"type": "REQUEST", "identitySource": ["Bearer x"]}, Context(), env=Env(config))
    set_namespace("Millrace")

    (declared,) = next(line for line in written() if "_aws" in line)["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "Millrace/prod"


def test_a_metric_is_written_in_one_piece_so_that_threads_do_not_tear_it(monkeypatch: pytest.MonkeyPatch):
    pieces: list[str] = []
    monkeypatch.setattr("sys.stdout", SimpleNamespace(write=pieces.append))

    count("JobsCreated", kind="evaluation")

    (piece,) = pieces
    assert piece.endswith("}\n")


def test_where_nobody_collects_metrics_none_are_written(written):
    refuse = entry.worker(authorize=lambda _token, _env: None)
    config = Config(database_url="sqlite:////nowhere.db", metrics_namespace=None)

    refuse({"type": "REQUEST", "identitySource": ["Bearer x"]}, Context(), env=Env(config))
    set_namespace("Millrace")

    lines = written()
    assert lines_of(lines, "caller_refused")
    assert metrics_of(lines) == []
