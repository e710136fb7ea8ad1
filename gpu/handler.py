"""The entry on RunPod: one job of its queue, done in a thread so that the provider can stop it."""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from threading import Event
from typing import Any

import httpx
from pydantic import ValidationError

from gpu.reports import World
from gpu.work import work
from millrace.domain.rendering import RenderOrder

# Its lines name the links that they ask, and a link is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


async def handle(job: Mapping[str, Any]) -> dict[str, Any]:
    """What the SDK calls. When it cancels, the work ends at its next step."""
    stopping = Event()
    try:
        return await asyncio.to_thread(run, job, stopping=stopping)
    except asyncio.CancelledError:
        stopping.set()
        raise


def run(job: Mapping[str, Any], *, stopping: Event) -> dict[str, Any]:
    try:
        order = RenderOrder.model_validate(job["input"])
    except (ValidationError, KeyError):
        # Nobody to tell it to. What was sent stays out of the log: it may be a link.
        return {"error": "The input is no render order: job_id, attempt and callback_url."}
    with httpx.Client(trust_env=False, follow_redirects=False) as http:
        world = World(http=http, now=time.monotonic, wait=time.sleep, stopping=stopping)
        return work(order, provider_job_id=str(job["id"]), world=world)


if __name__ == "__main__":
    # Below it the SDK logs the input of each job, and with it the callback's link.
    os.environ["RUNPOD_LOG_LEVEL"] = "INFO"
    import runpod

    runpod.serverless.start({"handler": handle})
