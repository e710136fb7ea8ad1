"""What worker and platform say to each other."""

import pytest
from pydantic import TypeAdapter, ValidationError

from millrace.domain.exports import AnnotateParams
from millrace.domain.rendering import Assignment, Failed, RenderOrder, ReportAnswer, WorkerReport

ABOUT = {"job_id": "j1", "attempt": 2, "provider_job_id": "r1"}
REPORTS = TypeAdapter(WorkerReport)
ASSIGNMENT = {
    "type": "annotate",
    "params": {"clips": [{"start_time": 0, "end_time": 1, "name": "A"}]},
    "input": {"url": "http://127.0.0.1/in"},
    "output_video_key": "t/out.mp4",
    "video": {"upload": {"url": "http://127.0.0.1/out", "headers": {"Content-Type": "video/mp4"}}},
}


def test_a_report_is_read_by_its_event():
    said = Failed(**ABOUT, code="NotAVideo", message="This is no video.", should_retry=False)

    assert REPORTS.validate_json(said.model_dump_json()) == said


@pytest.mark.parametrize(
    "report",
    [
        {},
        {**ABOUT, "event": "paused"},
        {**ABOUT, "event": "progress", "progress": 101, "message": ""},
        {**ABOUT, "event": "progress", "progress": "5", "message": ""},
        {**ABOUT, "event": "error", "code": "A", "message": "", "should_retry": "no"},
        {**ABOUT, "event": "started", "attempt": 0},
        {**ABOUT, "event": "started", "more": 1},
    ],
)
def test_anything_else_is_no_report(report):
    with pytest.raises(ValidationError):
        REPORTS.validate_python(report)


def test_an_assignment_brings_the_params_of_its_type():
    answer = ReportAnswer.model_validate({"assignment": ASSIGNMENT})

    assert isinstance(answer.assignment.params, AnnotateParams)
    assert answer.stop is False
    with pytest.raises(ValidationError):
        Assignment.model_validate(ASSIGNMENT | {"type": "overlay"})


def test_links_do_not_show_when_a_message_is_printed():
    order = RenderOrder(job_id="j1", attempt=1, callback_url="http://127.0.0.1/callback/token")

    assert "token" not in repr(order)
    assert "127.0.0.1" not in repr(Assignment.model_validate(ASSIGNMENT))
