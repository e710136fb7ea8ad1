import pytest

from millrace.domain.gpu import STATES, GpuStatus, read_runpod_status

WHOLE = {
    "id": "e1-u1",
    "status": "COMPLETED",
    "output": {"said": "hello"},
    "delayTime": 824,
    "executionTime": 3391,
    "workerId": "abc",
}


def test_a_status_is_read_in_words_of_ours():
    assert read_runpod_status(WHOLE) == GpuStatus(
        "e1-u1", "completed", output={"said": "hello"}, delay_ms=824, execution_ms=3391
    )


def test_what_is_not_said_is_none():
    status = read_runpod_status({"id": "e1", "status": "IN_QUEUE"})

    assert status == GpuStatus("e1", "queued")
    assert (status.output, status.error, status.delay_ms, status.execution_ms) == (None,) * 4


@pytest.mark.parametrize("said", STATES)
def test_every_documented_state_is_known(said):
    status = read_runpod_status({"id": "e1", "status": said})

    assert status.has_ended == (said not in ("IN_QUEUE", "IN_PROGRESS", "RUNNING"))


def test_an_error_is_a_text_of_bounded_length():
    assert read_runpod_status({**WHOLE, "error": {"code": 7}}).error == "{'code': 7}"
    assert len(read_runpod_status({**WHOLE, "error": "x" * 1_000_000}).error or "") == 2_000


def test_times_are_whole_milliseconds():
    assert read_runpod_status({**WHOLE, "executionTime": 1.6}).execution_ms == 2


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        "COMPLETED",
        {},
        {**WHOLE, "id": ""},
        {**WHOLE, "id": 1},
        {**WHOLE, "id": "x" * 129},
        {**WHOLE, "id": "a\nb"},
        {**WHOLE, "status": None},
        {**WHOLE, "status": "completed"},
        {**WHOLE, "status": ["COMPLETED"]},
        {**WHOLE, "delayTime": "824"},
        {**WHOLE, "delayTime": True},
        {**WHOLE, "executionTime": -1},
        {**WHOLE, "executionTime": float("nan")},
        {**WHOLE, "executionTime": float("inf")},
        {**WHOLE, "executionTime": 2**53},
    ],
)
def test_what_is_no_status_is_refused(said):
    with pytest.raises(ValueError, match="must be"):
        read_runpod_status(said)


def test_what_a_worker_returned_stands_in_no_repr():
    shown = repr(read_runpod_status({**WHOLE, "output": "hidden", "error": "hidden"}))

    assert "hidden" not in shown
