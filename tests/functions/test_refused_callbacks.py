"""Callbacks that come too late, are somebody else's or make no sense: nothing changes."""

import base64
import json
from datetime import timedelta

import pytest

from functions.gpu_callback.app import MOST_BYTES
from millrace.domain.callbacks import Link, make_token
from millrace.errors import DatabaseUnavailable
from tests.export_bed import KEYS, ExportBed
from tests.factories import NOW
from tests.functions.calling_back import GO_ON, STOP, completed, failed, post, said, upload, webhook


@pytest.fixture
def bed(db, clock, tmp_path):
    """Handed over to the provider, which has told its id."""
    bed = ExportBed(db, clock=clock, folder=tmp_path)
    assert bed.run().state == "submitted"
    return bed


ENDINGS = {
    "complete": lambda bed: (upload(bed), post(bed, completed())),
    "error": lambda bed: post(bed, failed(should_retry=False)),
    "retry": lambda bed: post(bed, failed()),
    "cancel": lambda bed: bed.cancel(),
}
WORDS = {
    "started": said("started"),
    "progress": said("progress", progress=99, message="late"),
    "complete": completed(),
    "error": failed(),
    "webhook of the end": webhook("COMPLETED", output=completed()),
    "webhook of a failure": webhook("FAILED"),
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_comes_after_the_end_changes_nothing_and_is_told_to_stop(bed, ending, word):
    post(bed, said("progress", progress=50, message="Rendering"))
    ENDINGS[ending](bed)
    upload(bed)
    ended = bed.job
    bed.clock.advance(seconds=10)

    status, answer = post(bed, WORDS[word])

    # What a job that is done has written is not to be deleted by whoever repeats himself.
    stop = ending != "complete" or word == "started"
    assert (status, answer["data"]) == (200, {"stop": stop})
    assert bed.job == ended


def test_an_older_attempt_is_told_to_stop_while_a_later_one_runs(bed):
    old = bed.token
    post(bed, failed())
    bed.clock.advance(minutes=15)
    bed.run()
    upload(bed)
    before = bed.job

    for body in WORDS.values():
        assert post(bed, body, token=old) == STOP
    assert bed.job == before
    assert (before["attempt"], before["runpod_job_id"]) == (2, "gpu-2")


def test_of_a_job_that_is_gone_nothing_more_is_wanted(bed):
    bed.db.prepare("DELETE FROM export_jobs").run()

    for body in WORDS.values():
        assert post(bed, body) == STOP


def test_a_link_lives_as_long_as_the_provider_may_keep_the_job(bed):
    bed.clock.at = bed.job["provider_deadline_at"] - timedelta(seconds=1)
    assert post(bed, said("progress", progress=1, message="")) == GO_ON
    bed.clock.advance(seconds=1)

    assert post(bed, said("progress", progress=2, message=""))[0] == 401


@pytest.mark.parametrize("path", ["x", "export_a.1.1765969200." + "A" * 43])
def test_without_a_link_of_ours_nothing_is_taken(bed, path):
    status, answer = post(bed, said("started"), token=path)

    assert (status, answer["error"]) == (401, "CallbackRefused")


def test_a_link_to_another_attempt_does_not_speak_for_this_one(bed):
    token = make_token(Link("export_a", 2), until=NOW + timedelta(hours=1), keys=KEYS)

    assert post(bed, said("progress", progress=9, message=""), token=token)[0] == 400
    assert post(bed, webhook("FAILED"), token=token) == STOP


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "started"},
        said("stared"),
        said("started", more=1),
        said("progress", progress=101, message=""),
        said("progress", progress="40", message=""),
        said("progress", progress=4.5, message=""),
        said("progress", progress=True, message=""),
        said("progress", progress=1, message="x" * 501),
        said("started") | {"attempt": 2},
        said("started") | {"job_id": "export_b"},
        said("started") | {"provider_job_id": ""},
        said("started") | {"provider_job_id": "gpu\x1b[2J"},
        {"id": "gpu-1"},
        {"id": "gpu-1", "status": "DONE"},
        {"id": 7, "status": "FAILED"},
        {"status": "FAILED"},
        webhook("FAILED", executionTime="long"),
        webhook("FAILED", executionTime=-1),
    ],
)
def test_what_is_malformed_changes_nothing(bed, body):
    before = bed.job

    status, _ = post(bed, body)

    assert (status, bed.job) == (400, before)


@pytest.mark.parametrize(
    "raw", ["", "null", "[]", "{", '{"event": "started", "event": "started"}', '"\\ud800"']
)
def test_what_is_no_json_object_changes_nothing(bed, raw):
    before = bed.job

    status, _ = post(bed, None, raw=raw)

    assert (status, bed.job) == (400, before)


def test_an_execution_time_beyond_all_reason_is_not_believed(bed):
    post(bed, webhook("FAILED", executionTime=2**52))

    assert bed.job["gpu_seconds"] == 10_800


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_has_at_most_64_kb(bed, encoded):
    def posted(size):
        text = json.dumps(said("progress", progress=1, message="")).ljust(size)
        raw = base64.b64encode(text.encode()).decode() if encoded else text
        return post(bed, None, raw=raw, base64=encoded)[0]

    assert (posted(MOST_BYTES + 1), posted(MOST_BYTES)) == (413, 200)


def test_with_the_database_away_the_worker_is_to_call_again(bed):
    class Away:
        def __getattr__(self, name):
            raise DatabaseUnavailable

    status, answer = post(bed, said("started"), env=bed.make_env(DB=Away()))

    assert status == 503
    # It takes no Idempotency-Key.
    assert answer["message"].endswith("at the moment. Repeat the request.")


def test_no_line_of_the_log_holds_the_link_or_a_presigned_one(bed, capsys):
    post(bed, said("started"))
    post(bed, said("started"), token=bed.token[:-1])
    post(bed, failed())

    printed = capsys.readouterr().out
    assert bed.token.rpartition(".")[2] not in printed
    assert "signature=" not in printed
    assert "/api/runpod/callback/<token>" in printed
