"""Callbacks as a worker and its provider send them."""

import json

from functions.gpu_callback.app import handler
from tests.events import Context, http_event
from tests.export_bed import VIDEO

KEY = "tenants/tenant_a/exports/export_a/1.mp4"
GO_ON = (200, {"success": True, "data": {"stop": False}})
STOP = (200, {"success": True, "data": {"stop": True}})


def post(bed, body, *, token=None, raw=None, env=None, **given):
    token = bed.token if token is None else token
    text = json.dumps(body) if raw is None else raw
    event = http_event("POST", f"/api/runpod/callback/{token}", body=text, caller=None, **given)
    answer = handler(event, Context(), env=env or bed.env)
    return answer["statusCode"], json.loads(answer["body"])


def said(event, **more):
    about = {"job_id": "export_a", "attempt": 1, "provider_job_id": "gpu-1"}
    return {"event": event, **about, **more}


def completed(**more):
    facts = {
        "output_video_key": KEY,
        "output_bytes": len(VIDEO),
        "frames": 10,
        "duration_seconds": 0.5,
        "width": 1080,
        "height": 1920,
        "encoder": "libx264",
    }
    return said("complete", **facts | more)


def failed(*, should_retry=True, message="The upload failed."):
    return said("error", code="UploadFailed", message=message, should_retry=should_retry)


def webhook(status, **more):
    return {"id": "gpu-1", "status": status, "delayTime": 2_100, "executionTime": 12_300, **more}


def upload(bed, content=VIDEO, *, key=KEY):
    bed.bucket.put(key, content, content_type="video/mp4")
