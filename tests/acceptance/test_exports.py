"""Exports over HTTP, rendered by the real worker: as `make run` rents it, and as one that is named."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.rented import launch
from local.runpod.server import LocalRunpod, Wanted
from tests.acceptance.conftest import System, running
from tests.acceptance.exporting import (
    download,
    files_of,
    final,
    look,
    order,
    processes_of,
    upload,
    wait_until,
)
from tests.gpu.films import make_film, watch

KEYFRAME = {"frame": 0, "x": 40, "y": 0, "width": 100, "height": 180}
FRAMING = {"crop_keyframes": [KEYFRAME], "start_time": 0.2, "output_width": 160, "output_height": 288}
REGION = {"start_frame": 0, "end_frame": 5, "x": 160, "y": 90, "radius_x": 40, "radius_y": 40}
OVERLAY = {"highlight_regions": [REGION], "effect_type": "blur"}
CLIPS = [
    {"start_time": 0, "end_time": 0.2, "name": "The pass", "rating": 4},
    {"start_time": 0.4, "end_time": 0.6, "name": "The goal", "rating": 5, "tags": ["goal"]},
]
# Half a minute of work, so that it can be broken off.
LONG = {"clips": [{"start_time": 0, "end_time": 0.6, "name": f"Clip {number}"} for number in range(200)]}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Fifteen pictures, 320 by 180, with sound."""
    path = make_film(tmp_path_factory.mktemp("film") / "film.mp4", seconds=0.6)
    return bytes(path.read_bytes())


@pytest.mark.parametrize(
    ("export_type", "params", "size", "pictures"),
    [
        ("framing", FRAMING, (160, 288), 10),
        ("overlay", OVERLAY, (1080, 1920), 15),
        ("annotate", {"clips": CLIPS}, (320, 180), 10),
    ],
)
def test_what_was_uploaded_is_rendered_and_can_be_downloaded_and_played(
    system: System, film: bytes, tmp_path: Path, export_type: str, params: Any, size: Any, pictures: int
):
    job_id = order(system, export_type, params=params, key=upload(system, film))

    job = final(system, job_id)

    assert (job["status"], job["progress"], job["retry_count"]) == ("complete", 100, 0), system.said()
    assert job["gpu_seconds"] >= 1
    watched = watch(download(system, job["output_url"], to=tmp_path / "output.mp4"))
    assert (watched.size, len(watched.pictures)) == (size, pictures)
    assert watched.seconds == pytest.approx(pictures / 25, abs=0.05)
    assert len(watched.sound) > 0
    if export_type == "annotate":
        listed = download(system, job["clips_url"], to=tmp_path / "clips.tsv").read_text()
        assert listed.splitlines()[2].split("\t") == ["0.400", "0.600", "The goal", "5", "goal", ""]


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda film: film[: len(film) // 2], "The file is cut off: it ends before the video does."),
        (lambda film: film[:32] + b"\0\0\0\x10free" + bytes(8), "The file is not a video that can be read."),
    ],
)
def test_a_file_that_cannot_be_rendered_ends_the_export_with_a_clear_word_and_no_retry(
    system: System, film: bytes, break_it: Callable[[bytes], bytes], said: str
):
    job = final(system, order(system, "framing", params=FRAMING, key=upload(system, break_it(film))))

    assert (job["status"], job["error_code"], job["error"]) == ("error", "InputUnusable", said)
    assert (job["retry_count"], job["can_retry"]) == (0, False)
    assert files_of(system, job["job_id"]) == []


@pytest.fixture
def named() -> Iterator[LocalRunpod]:
    """A RunPod that somebody else has started."""
    with LocalRunpod(Wanted(launch=launch, endpoint="named", key="of-the-test")) as runpod:
        yield runpod.go_on_by_itself()


@pytest.fixture
def renting(empty_database: Any, tmp_path: Path, named: LocalRunpod) -> Iterator[System]:
    """A system that is told which RunPod to use."""
    told = {"GPU_BASE_URL": named.url, "GPU_ENDPOINT_ID": "named", "GPU_KEY": "of-the-test"}
    with running(System(empty_database.url, tmp_path, variables=told)) as system:
        yield system


def test_an_export_that_is_cancelled_while_it_renders_stops_its_worker_and_leaves_nothing(
    renting: System, named: LocalRunpod, film: bytes
):
    job_id = order(renting, "annotate", params=LONG, key=upload(renting, film))
    wait_until(lambda: look(renting, job_id)["progress"] > 10)
    assert len(named.endpoint.busy()) == 1
    assert processes_of(renting) == []

    answer = renting.client.delete(f"/api/exports/{job_id}")

    assert answer.json()["data"]["status"] == "cancelled"
    wait_until(lambda: named.fleet.counts() == {"idle": 0, "running": 0})
    job = look(renting, job_id)
    assert (job["status"], job.get("output_url")) == ("cancelled", None)
    assert files_of(renting, job_id) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_system_however_that_ends(
    stopped: System, film: bytes, number: signal.Signals
):
    stopped.start()
    job_id = order(stopped, "annotate", params=LONG, key=upload(stopped, film))
    wait_until(lambda: look(stopped, job_id)["progress"] > 10)
    started = processes_of(stopped)
    assert len(started) == 2

    stopped.stop(number)

    assert psutil.wait_procs(started, timeout=30)[1] == []
