"""Fetching the input and delivering the output by links, through files and piece by piece."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from gpu.failures import (
    InputMissing,
    InputUnavailable,
    Passing,
    RenderFailure,
    UploadFailed,
    UploadRefused,
    VideoTooLarge,
)
from gpu.reports import World
from millrace.domain.rendering import SignedRequest

CHUNK_BYTES = 1 << 20
# What one PUT to S3 may hold.
MOST_BYTES = 5 << 30
WAITS_SECONDS = (1, 4, 16)
TIMEOUT = httpx.Timeout(60, connect=10)
MISSING = {404, 410}

# Called for each piece. It raises Stopped or Interrupted when no more is wanted.
Tick = Callable[[], None]


def download(request: SignedRequest, target: Path, *, world: World, tick: Tick) -> None:
    """Raises InputMissing or VideoTooLarge for good, InputUnavailable when it may pass."""
    persist(lambda: fetch(request, target, world=world, tick=tick), world=world)


def fetch(request: SignedRequest, target: Path, *, world: World, tick: Tick) -> None:
    try:
        with world.http.stream("GET", request.url, headers=request.headers, timeout=TIMEOUT) as response:
            check_download(response)
            with target.open("wb") as file:
                for chunk in response.iter_bytes(CHUNK_BYTES):
                    if file.tell() + len(chunk) > MOST_BYTES:
                        raise VideoTooLarge("The file is larger than 5 GB.")
                    file.write(chunk)
                    tick()
    except httpx.HTTPError as error:
        raise InputUnavailable(f"The input could not be fetched ({type(error).__name__}).") from None


def check_download(response: httpx.Response) -> None:
    if response.status_code in MISSING:
        raise InputMissing("The input video is not in the bucket any more.")
    if not response.is_success:
        raise InputUnavailable(f"The input could not be fetched (status {response.status_code}).")
    if int(response.headers.get("Content-Length", 0)) > MOST_BYTES:
        raise VideoTooLarge("The file is larger than 5 GB.")


def upload(request: SignedRequest, source: Path, *, world: World, tick: Tick) -> None:
    """Raises VideoTooLarge, UploadRefused or UploadFailed."""
    if source.stat().st_size > MOST_BYTES:
        raise VideoTooLarge("The output would be larger than 5 GB.")
    persist(lambda: send(request, source, world=world, tick=tick), world=world)


def send(request: SignedRequest, source: Path, *, world: World, tick: Tick) -> None:
    # The length goes first: a bucket takes no upload of unknown length.
    headers = {**request.headers, "Content-Length": str(source.stat().st_size)}
    pieces = read_pieces(source, tick=tick)
    try:
        response = world.http.put(request.url, content=pieces, headers=headers, timeout=TIMEOUT)
    except httpx.HTTPError as error:
        raise UploadFailed(f"The output could not be uploaded ({type(error).__name__}).") from None
    if response.is_client_error:
        raise UploadRefused(f"The bucket refused the output (status {response.status_code}).")
    if not response.is_success:
        raise UploadFailed(f"The output could not be uploaded (status {response.status_code}).")


def read_pieces(source: Path, *, tick: Tick) -> Iterator[bytes]:
    with source.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
            tick()


def discard(request: SignedRequest, *, world: World) -> bool:
    """Take back what was uploaded. False when that did not work; nobody waits for it."""
    try:
        response = world.http.delete(request.url, headers=request.headers, timeout=TIMEOUT)
    except httpx.HTTPError:
        return False
    return response.is_success or response.status_code in MISSING


def persist(attempt: Callable[[], None], *, world: World) -> None:
    """Again after each wait, as long as it fails by what may pass. A refusal is final for this link."""
    for seconds in WAITS_SECONDS:
        try:
            return attempt()
        except RenderFailure as failure:
            if not isinstance(failure, Passing) or isinstance(failure, UploadRefused):
                raise
        world.wait(seconds)
    return attempt()
