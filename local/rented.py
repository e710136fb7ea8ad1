"""The GPU that `make run` rents: the one the environment names, else RunPod as played on this machine."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.runpod.server import LocalRunpod, Wanted
from local.runpod.workers import Process
from local.settings import ROOT

WORKER = (sys.executable, "-m", "local.runpod.worker", "gpu.handler:handle")
# Each takes all the cores that it finds; the second fetches and delivers meanwhile.
MOST_WORKERS = 2


@contextmanager
def rented_gpu() -> Iterator[None]:
    """Meanwhile the environment says how a GPU is reached, for this process and for those that it starts."""
    if os.environ.get("GPU_ENDPOINT_ID"):
        yield
        return
    wanted = Wanted(launch=launch, most_workers=MOST_WORKERS)
    with LocalRunpod(wanted) as runpod:
        runpod.go_on_by_itself()
        os.environ |= {
            "GPU_BASE_URL": runpod.url,
            "GPU_ENDPOINT_ID": wanted.endpoint,
            "GPU_KEY": wanted.key,
            "GPU_KEY_SECRET": "",
        }
        yield


def launch(_worker: str, variables: Mapping[str, str]) -> Process:
    """The render worker as it is in its image, on the Python of this process."""
    path = os.pathsep.join(map(str, (ROOT / "layers" / "shared", ROOT)))
    return Process(WORKER, variables={**variables, "PYTHONPATH": path})
