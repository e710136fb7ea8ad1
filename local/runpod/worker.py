"""`python -m local.runpod.worker MODULE:HANDLER`: what RunPod's SDK does on a worker, without the SDK.

The SDK brings some 90 packages. This is the part of it that a handler with one job at a time has to do with.
"""

import asyncio
import importlib
import inspect
import json
import os
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

Handler = Callable[[Any], Any]

POLL_SECONDS = 90


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    asyncio.run(work(getattr(importlib.import_module(module), name)))


async def work(handler: Handler) -> None:
    """Until it is stopped from outside. An address that is not there ends it, for its server is gone."""
    worker = os.environ["RUNPOD_POD_ID"]
    take = os.environ["RUNPOD_WEBHOOK_GET_JOB"].replace("$ID", worker)
    done = os.environ["RUNPOD_WEBHOOK_POST_OUTPUT"].replace("$RUNPOD_POD_ID", worker)
    while True:
        job = await asyncio.to_thread(ask, take)
        if job is not None:
            result = await handle(handler, job, stop_url=take.replace("/job-take/", "/job-stop/"))
            if result is not None:
                await asyncio.to_thread(ask, f"{done.replace('$ID', job['id'])}&isStream=false", told=result)


async def handle(handler: Handler, job: Any, *, stop_url: str) -> dict[str, Any] | None:
    """What is to be told of the job. None when it was stopped: then nobody wants to know."""
    running = asyncio.create_task(run(handler, job))
    watching = asyncio.create_task(stop(running, job_id=job["id"], url=stop_url))
    try:
        return await running
    except asyncio.CancelledError:
        return None
    finally:
        watching.cancel()


async def run(handler: Handler, job: Any) -> dict[str, Any]:
    try:
        returned = handler(job)
        output = await returned if inspect.isawaitable(returned) else returned
    except Exception as error:  # noqa: BLE001 - whatever it is, the job has failed with it
        return {"error": f"{type(error).__name__}: {error}"}
    failed = isinstance(output, dict) and "error" in output
    return {"output": output, "error": output.pop("error")} if failed else {"output": output}


async def stop(running: "asyncio.Task[Any]", *, job_id: str, url: str) -> None:
    while True:
        told = await asyncio.to_thread(ask, url)
        if told is not None and job_id in told["jobsToStop"]:
            running.cancel()


def ask(url: str, *, told: Any = None) -> Any:
    """The JSON that is answered, or None for nothing. A result that is not wanted is no error."""
    content = None if told is None else json.dumps(told).encode()
    request = urllib.request.Request(url, content, {"Authorization": os.environ["RUNPOD_AI_API_KEY"]})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=POLL_SECONDS) as response:  # noqa: S310 - of this machine
            answer = response.read()
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return None
    return json.loads(answer) if answer else None


if __name__ == "__main__":
    main()
