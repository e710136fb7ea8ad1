"""How a test asks `env.GPU`, and what it makes of its failures."""

import traceback

import pytest

from millrace.bindings.calls import Api
from millrace.bindings.gpu.runpod import Runpod
from millrace.errors import GpuUnavailable, GpuUnknown, MillraceError
from tests.runpod_bed import ENDPOINT, KEY

# For servers that answer. Those that never do are given up soon: only the end of the time can end that.
ENOUGH, SOON = 60, 0.2
ORDER = {"job_id": "export_1", "attempt": 1}
HOOK = "http://127.0.0.1/callback/hidden-token"


class FixedKey:
    forgotten = 0

    def __call__(self):
        return KEY

    def forget(self):
        self.forgotten += 1


def gpu_at(url, *, seconds=ENOUGH, **limits):
    return Runpod(Api(f"{url}/v2/{ENDPOINT}", key=FixedKey(), **limits), time_limit_seconds=seconds)


def submit(gpu, payload=ORDER, *, webhook_url=HOOK):
    return gpu.submit(payload, webhook_url=webhook_url, execution_seconds=900, ttl_seconds=3_600)


ACTIONS = {
    "submit": submit,
    "status": lambda gpu: gpu.status("e1-u1"),
    "cancel": lambda gpu: gpu.cancel("e1-u1"),
}


def failure_of(action, gpu):
    """What it raises, in which neither the key nor the webhook's address stands."""
    with pytest.raises(MillraceError) as failed:
        ACTIONS[action](gpu)
    told = "".join(traceback.format_exception(failed.value)) + repr(failed.value)
    assert KEY not in told
    assert "hidden" not in told
    assert failed.value.__cause__ is None
    return failed.value


def unanswered(action):
    """An order of which nobody knows is another thing than a question that can be asked again."""
    return GpuUnknown if action == "submit" else GpuUnavailable
