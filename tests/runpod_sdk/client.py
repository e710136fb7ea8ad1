"""RunPod's own SDK, as a client of the address in RUNPOD_ENDPOINT_BASE_URL: what it makes of it, as JSON."""

import asyncio
import json
import os
import sys
import time

import runpod

ENDPOINT = os.environ["RUNPOD_ENDPOINT_ID"]
WAITING = {"wait": True}


def ask_in_turn():
    """Each thing that the SDK's synchronous client can ask of a queue."""
    endpoint = runpod.Endpoint(ENDPOINT, api_key=os.environ["RUNPOD_API_KEY"])
    done = endpoint.run({"say": "hello"})
    failed = endpoint.run({"input": {"fail": "no such file"}, "policy": {"executionTimeout": 60_000}})
    told = {
        "output": done.output(timeout=60),
        "completed": done.status(),
        "failed": wait_for_end(failed),
    }
    running = endpoint.run(WAITING)
    waiting = endpoint.run(WAITING)
    wait_until(lambda: running.status() == "IN_PROGRESS")
    told["queued"] = waiting.status()
    told["purged"] = endpoint.purge_queue()
    told["cancelled"] = [running.cancel()["status"], running.status()]
    told["health"] = endpoint.health()["jobs"]
    return told


def ask_without_the_key():
    try:
        runpod.Endpoint(ENDPOINT, api_key="wrong").run({"say": "hello"})
    except RuntimeError as error:
        return str(error)


async def ask_at_once():
    """The same by the SDK's other client."""
    runpod.api_key = os.environ["RUNPOD_API_KEY"]
    async with runpod.http_client.AsyncClientSession() as session:
        endpoint = runpod.AsyncioEndpoint(ENDPOINT, session)
        done = await endpoint.run({"say": "hello again"})
        output = await done.output(timeout=60)
        hanging = await endpoint.run(WAITING)
        return {"output": output, "cancelled": (await hanging.cancel())["status"]}


def wait_for_end(job):
    wait_until(lambda: job.status() not in ("IN_QUEUE", "IN_PROGRESS"))
    return job.status()


def wait_until(condition):
    give_up_at = time.monotonic() + 60
    while not condition():
        if time.monotonic() > give_up_at:
            sys.exit("it did not come to that")
        time.sleep(0.05)


if __name__ == "__main__":
    told = {**ask_in_turn(), "refused": ask_without_the_key(), "asyncio": asyncio.run(ask_at_once())}
    sys.stdout.write(json.dumps(told))
