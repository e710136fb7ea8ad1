"""What a request for an export comes to: whether it is the same as another, and how much is rendered."""

from datetime import timedelta

import pytest

from millrace.domain.export_files import clips_key, list_outputs, output_key, video_key
from millrace.domain.export_requests import count_video_seconds, estimate_end, hash_request
from millrace.domain.exports import CreateExport
from tests.factories import NOW

CROP = {"frame": 0, "x": 0, "y": 0, "width": 100, "height": 100}
REGION = {"start_frame": 0, "end_frame": 9, "x": 1, "y": 1, "radius_x": 1, "radius_y": 1}
ASKED = {"project_id": "p", "type": "framing", "input_video_key": "v", "params": {"crop_keyframes": [CROP]}}


def wanted(**changes):
    return CreateExport.model_validate(ASKED | changes)


def test_the_same_request_has_the_same_hash_however_it_is_written():
    written_out = {"end_time": None, "start_time": 0, "clip_index": 0, "crop_keyframes": [CROP | {"x": 0.0}]}

    assert hash_request(wanted(params=written_out)) == hash_request(wanted())


@pytest.mark.parametrize(
    "changes",
    [
        {"project_id": "q"}, {"input_video_key": "w"},
        {"params": {"crop_keyframes": [CROP], "end_time": 9.0}},
        {"type": "overlay", "params": {"highlight_regions": [REGION], "effect_type": "blur"}},
    ],
)  # fmt: skip
def test_another_request_has_another_hash(changes):
    assert hash_request(wanted(**changes)) != hash_request(wanted())


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, None),
        ({"params": {"crop_keyframes": [CROP], "start_time": 1.5, "end_time": 4.0}}, 3),
        ({"type": "overlay", "params": {"highlight_regions": [REGION], "effect_type": "blur"}}, None),
        (
            {"type": "annotate", "params": {"clips": [
                {"start_time": 0, "end_time": 10, "name": "a"},
                {"start_time": 5, "end_time": 7.5, "name": "b"},
                {"start_time": 5, "end_time": 5.01, "name": "c"},
            ]}},
            14,
        ),
    ],
)  # fmt: skip
def test_how_much_is_rendered_is_counted_where_the_params_say_it(changes, seconds):
    assert count_video_seconds(wanted(**changes).params) == seconds


def test_an_end_is_expected_after_the_queue_and_the_work_and_never_in_the_past():
    due = {"due_at": NOW, "gpu_seconds": 70}

    assert estimate_end(**due, now=NOW) == NOW + timedelta(minutes=2, seconds=70)
    much_later = NOW + timedelta(hours=2)
    assert estimate_end(**due, now=much_later) == much_later + timedelta(minutes=1)


def test_files_lie_under_their_tenant_and_no_attempt_writes_over_another_s():
    assert video_key("t", secret=255) == f"tenants/t/videos/{'0' * 62}ff"
    first = output_key("t", job_id="job_1", attempt=1)
    assert first == "tenants/t/exports/job_1/1.mp4"
    assert list(list_outputs("t", job_id="job_1", attempts=2)) == [
        first,
        clips_key(first),
        "tenants/t/exports/job_1/2.mp4",
        "tenants/t/exports/job_1/2.tsv",
    ]
