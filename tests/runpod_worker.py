"""A handler that renders nothing: it says what it is told to, fails, waits, hangs or dies."""

import asyncio
import os
import signal


async def handle(job):
    match job["input"]:
        case {"hang": True}:
            signal.pause()
        case {"wait": True}:
            await asyncio.Event().wait()
        case {"die": int(status)}:
            os._exit(status)
        case {"fail": str(message)}:
            return {"error": message}
        case {"raise": str(message)}:
            raise ValueError(message)
        case {"tell": "variables"}:
            return dict(os.environ)
    return job["input"]
