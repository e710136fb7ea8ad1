"""One attempt from its first report to its last: fetch, render, deliver."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gpu.failures import (
    CallbackRefused,
    Ended,
    Interrupted,
    PlatformUnreachable,
    RenderFailure,
    RenderFault,
    Stopped,
)
from gpu.renders.annotate import list_clips, render_annotate
from gpu.renders.framing import render_framing
from gpu.renders.overlay import render_overlay
from gpu.renders.scene import Rendered, Tell
from gpu.reports import Reporter, World
from gpu.transfer import discard, download, upload
from millrace.domain.exports import AnnotateParams, FramingParams, OverlayParams
from millrace.domain.rendering import Assignment, OutputLinks, RenderOrder

log = logging.getLogger(__name__)

DOWNLOADING = 5
RENDERING = 10
RENDERING_SHARE = 80
UPLOADING = 95


@dataclass(slots=True)
class Attempt:
    """`written`: what was put into the bucket so far."""

    reporter: Reporter
    world: World
    written: list[OutputLinks] = field(default_factory=list)

    def deliver(self, links: OutputLinks, path: Path) -> None:
        # Before, not after: of an upload whose answer was lost nobody knows.
        self.written.append(links)
        upload(links.upload, path, world=self.world, tick=self.tell_upload)

    def tell_upload(self) -> None:
        self.reporter.progress(UPLOADING, message="Uploading")

    def discard(self) -> None:
        for links in self.written:
            if links.discard and not discard(links.discard, world=self.world):
                log.warning("what was uploaded could not be deleted")


def work(order: RenderOrder, *, provider_job_id: str, world: World) -> dict[str, Any]:
    """Returns the last report, as the provider's output of the job: with `error` when there is no result.

    What was written is deleted when the platform says so, and else never: the provider may run an order
    twice, and then it may be the result. What nobody wants is swept by the platform.
    """
    attempt = Attempt(Reporter(order, provider_job_id=provider_job_id, world=world), world)
    try:
        return carry_out_or_fail(attempt)
    except PlatformUnreachable as ended:
        return {"error": f"The platform could not be reached: {ended}."}
    except CallbackRefused:
        return {"error": "The callback was refused: this attempt is over."}
    except Interrupted:
        return {"event": "stopped"}
    except Stopped:
        attempt.discard()
        return {"event": "stopped"}


def carry_out_or_fail(attempt: Attempt) -> dict[str, Any]:
    """Whatever goes wrong is told. Only that nobody listens, or wants more of it, comes out."""
    try:
        with TemporaryDirectory(prefix="render-") as folder:
            return carry_out(attempt, Path(folder))
    except Ended:
        raise
    except RenderFailure as failure:
        return end_in_failure(attempt, failure)
    except Exception:
        log.exception("the render broke")
        return end_in_failure(attempt, RenderFault("The render broke. It is tried again."))


def carry_out(attempt: Attempt, folder: Path) -> dict[str, Any]:
    assignment = attempt.reporter.start()
    source, target = folder / "input", folder / "output.mp4"
    attempt.reporter.progress(DOWNLOADING, message="Downloading")
    download(
        assignment.input,
        source,
        world=attempt.world,
        tick=lambda: attempt.reporter.progress(DOWNLOADING, message="Downloading"),
    )
    rendered = render(assignment, source=source, target=target, tell=rendering(attempt.reporter))
    attempt.tell_upload()
    attempt.deliver(assignment.video, target)
    if isinstance(assignment.params, AnnotateParams) and assignment.clips:
        listed = folder / "clips.tsv"
        listed.write_text(list_clips(assignment.params.clips), encoding="utf-8")
        attempt.deliver(assignment.clips, listed)
    return complete(attempt, assignment, rendered=rendered, size=target.stat().st_size)


def complete(attempt: Attempt, assignment: Assignment, *, rendered: Rendered, size: int) -> dict[str, Any]:
    facts = {
        "output_video_key": assignment.output_video_key,
        "output_bytes": size,
        "frames": rendered.frames,
        "duration_seconds": round(rendered.seconds, 3),
        "width": rendered.size.width,
        "height": rendered.size.height,
        "encoder": rendered.encoder,
    }
    return attempt.reporter.complete(**facts).model_dump()


def rendering(reporter: Reporter) -> Tell:
    def tell(share: float) -> None:
        reporter.progress(RENDERING + int(RENDERING_SHARE * share), message="Rendering")

    return tell


def render(assignment: Assignment, *, source: Path, target: Path, tell: Tell) -> Rendered:
    """Raises RenderFailure."""
    match assignment.params:
        case FramingParams() as params:
            return render_framing(params, source=source, target=target, tell=tell)
        case OverlayParams() as params:
            return render_overlay(params, source=source, target=target, tell=tell)
        case AnnotateParams() as params:
            return render_annotate(params, source=source, target=target, tell=tell)


def end_in_failure(attempt: Attempt, failure: RenderFailure) -> dict[str, Any]:
    log.warning("the render failed: %s", failure.code)
    return {**attempt.reporter.fail(failure).model_dump(), "error": failure.message}
