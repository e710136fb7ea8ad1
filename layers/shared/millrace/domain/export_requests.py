"""What a request for an export comes to: its fingerprint, how much is rendered, when that will be done."""

import hashlib
import json
from datetime import datetime, timedelta
from math import ceil

from millrace.domain.estimates import SOON
from millrace.domain.exports import (
    AnnotateParams,
    CreateExport,
    ExportParams,
    FramingParams,
    canonical_params,
)

# A GPU that has to be started, and to fetch the video.
STARTING_SECONDS = 20
# A processor paints each picture before it is encoded: two of them rendered 9 to 22 pictures a second of 720p
# and 1080p, which have 30. And how many bytes a second of a telephone's footage has.
GPU_SECONDS_A_VIDEO_SECOND = 2
BYTES_A_SECOND = 1_000_000
# How long an export may stand in the provider's queue on a usual day.
QUEUEING = timedelta(minutes=2)


def hash_request(wanted: CreateExport) -> str:
    """Two requests that come to the very same video have the same."""
    asked = [wanted.project_id, wanted.type, wanted.input_video_key, canonical_params(wanted.params)]
    return hashlib.sha256(json.dumps(asked, separators=(",", ":")).encode()).hexdigest()


def count_video_seconds(params: ExportParams) -> int | None:
    """How many seconds of video are rendered. None: the whole input, however long that is."""
    if isinstance(params, AnnotateParams):
        # A begun second each: the shortest clip must be looked for too.
        return sum(ceil(clip.end_time - clip.start_time) for clip in params.clips)
    if isinstance(params, FramingParams) and params.end_time is not None:
        return ceil(params.end_time - params.start_time)
    return None


def estimate_end(*, due_at: datetime, gpu_seconds: int, now: datetime) -> datetime:
    """Never in the past."""
    expected = due_at + QUEUEING + timedelta(seconds=gpu_seconds)
    return expected if expected > now else now + SOON
