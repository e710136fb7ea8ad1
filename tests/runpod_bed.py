"""RunPod on this machine with a clock that stands still, workers that are only said to be, and a webhook."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from local.runpod.mischief import Mischief
from local.runpod.server import LocalRunpod, Wanted
from tests.bindings.loopback import QuietHandler, serving

KEY = "key-of-the-test"
ENDPOINT = "renders"


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Machine:
    """A worker without a program: what it does, the test does in its name."""

    variables: dict[str, str]
    over: bool = False
    killed: bool = False

    def is_over(self) -> bool:
        return self.over

    def kill(self) -> None:
        self.killed = self.over = True


@dataclass
class Bed:
    runpod: LocalRunpod
    clock: Seconds
    mischief: Mischief
    machines: dict[str, Machine]
    waits: list[float] = field(default_factory=list)

    def client(self, *, key: str = f"Bearer {KEY}", **given: Any) -> httpx.Client:
        base = f"{self.runpod.url}/{ENDPOINT}/"
        return httpx.Client(base_url=base, headers={"Authorization": key}, timeout=30, verify=False, **given)

    def run(self, given: dict[str, Any] | None = None, **more: Any) -> str:
        """Submit, and the id of what was accepted."""
        with self.client() as client:
            answer = client.post("run", json={"input": given or {"say": "hello"}, **more}).raise_for_status()
            return str(answer.json()["id"])

    def status(self, job_id: str) -> httpx.Response:
        with self.client() as client:
            return client.get(f"status/{job_id}")

    def cancel(self, job_id: str) -> httpx.Response:
        with self.client() as client:
            return client.post(f"cancel/{job_id}")

    def take(self) -> tuple[str, dict[str, Any]]:
        """Let a worker be started and have it fetch the next job: its id, and the job."""
        self.runpod.tend()
        for worker in [worker for worker, machine in self.machines.items() if not machine.over]:
            answer = self.ask_as(worker, "GET", f"job-take/{worker}?gpu=none")
            if answer.status_code == 200:
                return worker, answer.json()
        raise AssertionError("there is no job to be taken")

    def finish(self, worker: str, job_id: str, **told: Any) -> httpx.Response:
        path = f"job-done/{worker}/{job_id}?gpu=none&isStream=false"
        return self.ask_as(worker, "POST", path, content=json.dumps(told))

    def ask_as(self, worker: str, method: str, path: str, **given: Any) -> httpx.Response:
        with self.client(key=self.machines[worker].variables["RUNPOD_AI_API_KEY"]) as client:
            return client.request(method, path, **given)


@contextmanager
def runpod_bed(**given: Any) -> Iterator[Bed]:
    clock, mischief, machines, waits = Seconds(), Mischief(seed=1), {}, []

    def launch(worker: str, variables: dict[str, str]) -> Machine:
        return machines.setdefault(worker, Machine(dict(variables)))

    wanted = Wanted(
        **{
            "launch": launch,
            "endpoint": ENDPOINT,
            "key": KEY,
            "mischief": mischief,
            "clock": clock,
            "wait": waits.append,
            **given,
        }
    )
    with LocalRunpod(wanted) as runpod:
        yield Bed(runpod, clock, wanted.mischief, machines, waits)


@dataclass
class Receiver:
    """Who is told: `statuses` are answered one after the other, then 200."""

    url: str = ""
    told: list[Any] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def receiver(*statuses: int) -> Iterator[Receiver]:
    made = Receiver(statuses=list(statuses))

    class Handler(QuietHandler):
        def respond(self) -> None:
            made.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = json.dumps({"success": True, "data": {"stop": False}}).encode()
            self.answer(made.statuses.pop(0) if made.statuses else 200, body=answer)

    with serving(Handler) as root:
        made.url = f"{root}/hook/t0ken?once=1"
        yield made
