"""Exports in the demo: a clip is uploaded, rendered in three ways, downloaded and played to its end."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.demo.client import Client, DemoFailed, send
from local.demo.film import PICTURE, PICTURES, SECONDS, Seen, ball_at, make_film, watch
from local.demo.table import print_table
from local.demo_data import STUDIO_TOKEN
from millrace.domain.framing import Size

PROJECT = "project_demo_reel"
RENDER_SECONDS = 180.0
POLL_SECONDS = 0.3
FINAL = {"complete", "error", "cancelled"}
UPRIGHT = Size(PICTURE.height * 9 // 16, PICTURE.height)
# Drawn and played, a picture more or less at the end is a container's rounding.
TOLERATED_SECONDS = 0.05
HEADINGS = ("export", "status", "after", "picture", "pictures", "lasts", "sound", "GPU", "what it shows")


@dataclass(slots=True)
class Film:
    """What is to be rendered, what must come of it, and how far it is."""

    type: str
    story: str
    params: dict[str, Any]
    expected: Seen
    job_id: str = ""
    status: str = "-"
    progress: int = 0
    asked_at: float = 0.0
    seconds: float = 0.0
    gpu_seconds: int = 0


def films() -> list[Film]:
    regions = [region_at(number, lasts=2) for number in range(0, PICTURES, 2)]
    clips = [
        {"start_time": 0, "end_time": 1, "name": "The run", "rating": 4, "tags": ["build-up"]},
        {"start_time": 2, "end_time": 3, "name": "The shot", "rating": 5, "notes": "From far out."},
    ]
    return [
        Film(
            "framing",
            "two seconds, upright, after the ball",
            {
                "crop_keyframes": crops(25, PICTURES),
                "start_time": 1,
                "end_time": 3,
                "output_width": 360,
                "output_height": 640,
            },
            Seen(Size(360, 640), 50, 2.0, has_sound=True),
        ),
        Film(
            "overlay",
            "the ball in a spotlight",
            {"highlight_regions": regions, "effect_type": "spotlight", "crop_keyframes": crops(0, PICTURES)},
            Seen(Size(1080, 1920), PICTURES, float(SECONDS), has_sound=True),
        ),
        Film(
            "annotate",
            "two clips with title and stars",
            {"clips": clips},
            Seen(PICTURE, 50, 2.0, has_sound=True),
        ),
    ]


def crops(first: int, end: int) -> list[dict[str, Any]]:
    """Upright, with the ball in the middle; frames count from where the cut begins."""
    numbers = range(first, end, 5)
    size = {"width": UPRIGHT.width, "height": UPRIGHT.height}
    return [
        {"frame": number - first, "x": ball_at(number)[0] - UPRIGHT.width / 2, "y": 0, **size}
        for number in numbers
    ]


def region_at(number: int, *, lasts: int) -> dict[str, Any]:
    x, y = ball_at(number + lasts // 2)
    last = number + lasts - 1
    return {"start_frame": number, "end_frame": last, "x": x, "y": y, "radius_x": 45, "radius_y": 45}


def show_exports(url: str, *, folder: Path) -> None:
    """What is rendered is put into the folder. DemoFailed when one is not what was asked for."""
    client = Client.of(url, token=STUDIO_TOKEN)
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / "clip.mp4"
    print(f"\nDrawing a clip of {SECONDS} seconds, {PICTURE.width} by {PICTURE.height}, with sound ...")
    make_film(clip)
    key = upload(client, clip)
    client.call("PUT", f"/api/projects/{PROJECT}", body={"name": "The demo's reel"}, expect={200, 201})
    todo = films()
    print(f"Uploaded. Asking for {len(todo)} exports of it ...")
    for film in todo:
        order(client, film, input_video_key=key)
        print(f"  {film.type:<20} accepted as {film.job_id}")
    follow(client, todo=todo)
    played = [download(client, film, folder=folder) for film in todo]
    print_table(HEADINGS, [row_of(film, seen) for film, seen in zip(todo, played, strict=True)])
    print(f"\nLook at them: {folder}")
    print("  " + "  ".join(sorted(path.name for path in folder.iterdir())))
    compare(todo, played)


def upload(client: Client, path: Path) -> str:
    """By a link, past the API, as large files go. The key by which exports name it."""
    wanted = {"filename": path.name, "content_type": "video/mp4", "size": path.stat().st_size}
    _, answer = client.call("POST", "/api/videos/uploads", body=wanted, expect={201})
    video = answer["data"]
    link = video["upload"]
    send(link["method"], link["url"], content=path.read_bytes(), headers=link["headers"], expect={200})
    client.call("POST", f"/api/videos/uploads/{video['video_id']}/complete", expect={200})
    return str(video["input_video_key"])


def order(client: Client, film: Film, *, input_video_key: str) -> None:
    film.asked_at = time.monotonic()
    wanted = {
        "project_id": PROJECT,
        "type": film.type,
        "input_video_key": input_video_key,
        "params": film.params,
    }
    _, answer = client.call("POST", "/api/exports", body=wanted, expect={201})
    film.job_id = answer["data"]["job_id"]


def follow(client: Client, *, todo: Sequence[Film]) -> None:
    """Ask until all are final, and show on one line how far they are."""
    give_up_at = time.monotonic() + RENDER_SECONDS
    shown = ""
    while any(film.status not in FINAL for film in todo):
        if time.monotonic() > give_up_at:
            raise DemoFailed(f"not rendered after {RENDER_SECONDS:g} s: {line_of(todo)}")
        time.sleep(POLL_SECONDS)
        look(client, todo=todo)
        shown = draw(todo, over=shown)
    if sys.stdout.isatty():
        print()


def look(client: Client, *, todo: Sequence[Film]) -> None:
    _, answer = client.call("GET", f"/api/exports?project_id={PROJECT}", expect={200})
    jobs = {job["job_id"]: job for job in answer["data"]}
    for film in todo:
        job = jobs[film.job_id]
        if film.status not in FINAL:
            film.seconds = time.monotonic() - film.asked_at
        film.status, film.progress = job["status"], job["progress"]
        if film.status in FINAL and film.status != "complete":
            raise DemoFailed(f"{film.type} ended as {film.status}: {job.get('error')}")


def draw(todo: Sequence[Film], *, over: str) -> str:
    """On a terminal the line is drawn over that of before; elsewhere only news are printed."""
    line = line_of(todo)
    if sys.stdout.isatty():
        print(f"\r\x1b[2K{line}", end="", flush=True)
    elif line != over:
        print(line, flush=True)
    return line


def line_of(todo: Sequence[Film]) -> str:
    return "  " + "   ".join(f"{film.type} {bar(film.progress)} {film.progress:>3}%" for film in todo)


def bar(percent: int) -> str:
    """Short enough that three of them stand on a line of eighty characters."""
    filled = percent * 8 // 100
    return "[" + "#" * filled + "." * (8 - filled) + "]"


def download(client: Client, film: Film, *, folder: Path) -> Seen:
    """By the links in the answer; then the file is played to its end."""
    _, answer = client.call("GET", f"/api/exports/{film.job_id}", expect={200})
    job = answer["data"]
    film.gpu_seconds = job["gpu_seconds"]
    path = folder / f"{film.type}.mp4"
    path.write_bytes(send("GET", job["output_url"], headers={}, expect={200})[1])
    if clips_url := job.get("clips_url"):
        (folder / "clips.tsv").write_bytes(send("GET", clips_url, headers={}, expect={200})[1])
    return watch(path)


def row_of(film: Film, seen: Seen) -> tuple[str, ...]:
    return (
        film.type,
        film.status,
        f"{film.seconds:.1f} s",
        f"{seen.size.width} x {seen.size.height}",
        str(seen.pictures),
        f"{seen.seconds:.2f} s",
        "yes" if seen.has_sound else "no",
        f"{film.gpu_seconds} s",
        film.story,
    )


def compare(done: Sequence[Film], played: Sequence[Seen]) -> None:
    for film, seen in zip(done, played, strict=True):
        exactly = (seen.size, seen.pictures, seen.has_sound)
        wanted = (film.expected.size, film.expected.pictures, film.expected.has_sound)
        if exactly != wanted or abs(seen.seconds - film.expected.seconds) > TOLERATED_SECONDS:
            raise DemoFailed(f"{film.type} is {seen} instead of {film.expected}")
