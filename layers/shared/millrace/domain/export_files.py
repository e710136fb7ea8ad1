"""Where the files of exports lie in the bucket, under their tenant."""

from collections.abc import Iterator


def video_key(tenant_id: str, *, secret: int) -> str:
    """Of an input, where nobody guesses it."""
    return f"tenants/{tenant_id}/videos/{secret:064x}"


def output_key(tenant_id: str, *, job_id: str, attempt: int) -> str:
    """Of what an attempt renders: no attempt writes over another's."""
    return f"tenants/{tenant_id}/exports/{job_id}/{attempt}.mp4"


def clips_key(output_video_key: str) -> str:
    """Of the list of clips that stands beside a compiled video."""
    return output_video_key.removesuffix(".mp4") + ".tsv"


def list_outputs(tenant_id: str, *, job_id: str, attempts: int, kept: str | None = None) -> Iterator[str]:
    """All that so many attempts of a job may have written, but for the attempt whose video is `kept`."""
    for attempt in range(1, attempts + 1):
        video = output_key(tenant_id, job_id=job_id, attempt=attempt)
        if video != kept:
            yield from (video, clips_key(video))
