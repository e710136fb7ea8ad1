"""The RunPod of this machine, misbehaving, with machines on which the real worker pretends to render."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import unquote

import httpx

from gpu.failures import NotAVideo, RenderFault
from gpu.renders.scene import Rendered, Tell
from gpu.reports import World
from gpu.work import work
from local.runpod.jobs import Endpoint, Job
from local.runpod.mischief import Fault
from local.runpod.operations import Answer, Request
from local.runpod.orders import Order
from local.runpod.posting import post
from local.runpod.relay import DELAY_SECONDS, Relay
from millrace.bindings.folder import FolderBucket
from millrace.domain.framing import Size
from millrace.domain.rendering import RenderOrder
from millrace.errors import LinkRefused
from tests.clock import Clock
from tests.export_bed import VIDEO
from tests.misbehaving.stage import Actor, Gone, Stage
from tests.runpod_bed import Bed

FAULTS = {
    Fault.ANSWER_429: 0.03,
    Fault.ANSWER_500: 0.03,
    Fault.ANSWER_404: 0.03,
    Fault.ANSWER_NULL: 0.04,
    Fault.CUT: 0.03,
    Fault.HANG: 0.003,
    Fault.LOSE_WEBHOOK: 0.2,
    Fault.DOUBLE_WEBHOOK: 0.1,
    Fault.DELAY_WEBHOOK: 0.1,
    Fault.REORDER_WEBHOOK: 0.1,
    Fault.LOSE_CALLBACK: 0.1,
    Fault.LOSE_CALLBACK_ANSWER: 0.1,
    Fault.DOUBLE_CALLBACK: 0.1,
    Fault.DELAY_CALLBACK: 0.05,
    Fault.REORDER_CALLBACK: 0.05,
    Fault.KILL_WORKER: 0.05,
}
# What becomes of a render that nobody disturbs: a pack of cards that is shuffled again when all are dealt.
FATES = 13 * ("done",) + 2 * ("broken", "unreadable") + ("crashed", "stuck", "slow")
LONG = 100_000


class Wire(httpx.BaseTransport):
    """From a machine to the bucket, and over HTTP to whom it reports. An answer may come too late."""

    def __init__(self, stage: Stage, *, bucket: FolderBucket, clock: Clock):
        self._stage = stage
        self._bucket = bucket
        self._clock = clock
        # The provider's ids of those that said so.
        self.failed: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        if request.url.host == "bucket.test":
            return self._serve(request, body)
        report = json.loads(body)
        if report["event"] == "error":
            self.failed.add(report["provider_job_id"])
        letter = self._stage.enter(lambda: send(str(request.url), body))
        self._stage.resume(letter)
        if not letter.is_over:
            self._stage.pause(request.extensions["timeout"]["read"])
        if not letter.is_over:
            raise httpx.ReadTimeout("no answer in time")
        if letter.result is None:
            raise httpx.ConnectError("the line was cut")
        return httpx.Response(letter.result.status, content=letter.result.body)

    def _serve(self, request: httpx.Request, body: bytes) -> httpx.Response:
        key = unquote(request.url.path.lstrip("/"))
        try:
            self._bucket.check_link(
                request.method,
                key=key,
                query=request.url.query.decode(),
                content_type=request.headers.get("Content-Type"),
                content_length=len(body),
                now=self._clock.now(),
            )
        except LinkRefused:
            return httpx.Response(403)
        if request.method == "PUT":
            self._bucket.put(key, body, content_type=request.headers["Content-Type"])
        elif request.method == "DELETE":
            self._bucket.delete(key)
        content = self._bucket.get(key) if request.method == "GET" else b""
        return httpx.Response(404 if content is None else 200, content=content)


def send(url: str, body: bytes) -> Any:
    """None when the line was cut."""
    try:
        return post(url, body)
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class Accepted:
    """An order that the provider has taken. `job` is the provider's, as it is now."""

    job_id: str
    attempt: int
    job: Job

    def is_alive(self, now: float) -> bool:
        return self.job.ended_at is None and now < self.job.forgotten_at


@dataclass
class Provider:
    """What it has taken, what its workers made of it, and how it was asked about each."""

    bed: Bed
    stage: Stage
    wire: Wire
    luck: random.Random
    accepted: list[Accepted] = field(default_factory=list)
    fates: Counter[str] = field(default_factory=Counter)
    # By the provider's id, what the worker returned.
    outputs: dict[str, Any] = field(default_factory=dict)
    # What was answered with 404: the operation, and the provider's id.
    denied: set[tuple[str, str]] = field(default_factory=set)
    # Orders beside one that was alive, which nobody had said to be over.
    twice: list[tuple[Accepted, Accepted]] = field(default_factory=list)
    _cards: list[str] = field(default_factory=list)
    _actors: dict[str, Actor] = field(default_factory=dict)
    _stopping: defaultdict[str, Event] = field(default_factory=lambda: defaultdict(Event))

    def __post_init__(self) -> None:
        self.http = httpx.Client(transport=self.wire)

    def watch(self) -> None:
        """See what it takes and what it answers, which the platform may never hear of."""
        runpod = self.bed.runpod
        endpoint, run, answer = runpod.endpoint, runpod.endpoint.run, runpod.operations.answer

        def take(order: Order) -> dict[str, Any]:
            told = run(order)
            self._note(endpoint, told["id"], order=order)
            return told

        def say(request: Request, **more: Any) -> Answer:
            said = answer(request, **more)
            match request.path:
                case ["v2", _, operation, provider_job_id] if said.status == 404:
                    self.denied.add((operation, provider_job_id))
            return said

        endpoint.run, runpod.operations.answer = take, say

    def _note(self, endpoint: Endpoint, provider_job_id: str, *, order: Order) -> None:
        job = endpoint._jobs[provider_job_id]
        new = Accepted(order.input["job_id"], order.input["attempt"], job)
        earlier = [one for one in self.accepted if one.job_id == new.job_id and not self._is_over(one)]
        self.twice += [(one, new) for one in earlier]
        self.accepted.append(new)

    def _is_over(self, order: Accepted) -> bool:
        """Or was said to be: by its worker, or twice by its provider, who was asked and told to stop it."""
        denied = {("status", order.job.id), ("cancel", order.job.id)} <= self.denied
        return not order.is_alive(self.stage.now()) or order.job.id in self.wire.failed or denied

    def go_on(self) -> None:
        """Time has passed: machines start and stop, renders go on, webhooks are told."""
        self.bed.runpod.tend()
        endpoint = self.bed.runpod.endpoint
        for worker, machine in self.bed.machines.items():
            actor = self._actors.get(worker)
            if machine.over:
                continue
            for _ in endpoint.jobs_to_stop(worker, wait_seconds=0):
                self._stopping[worker].set()
            if (actor is None or actor.is_over) and endpoint.counts()["inQueue"]:
                self._begin(worker)
        self.stage.go_on()

    def _begin(self, worker: str) -> None:
        answer = self.bed.ask_as(worker, "GET", f"job-take/{worker}?gpu=none")
        if answer.status_code == 200:
            machine, job = self.bed.machines[worker], answer.json()
            actor = self._actors[worker] = self.stage.enter(lambda: self._play(worker, job=job))
            machine.kill = switch_off(machine, actor=actor, stage=self.stage)

    def _play(self, worker: str, *, job: dict[str, Any]) -> None:
        """As RunPod's SDK does it."""
        stopping = self._stopping[worker]
        world = World(http=self.http, now=self.stage.now, wait=self.stage.pause, stopping=stopping)
        try:
            output = work(RenderOrder.model_validate(job["input"]), provider_job_id=job["id"], world=world)
        except Gone:
            self.bed.machines[worker].over = True
            raise
        self.outputs[job["id"]] = output
        if not stopping.is_set():
            told = {"output": output, "error": output.get("error")}
            self.bed.finish(worker, job["id"], **{name: said for name, said in told.items() if said})

    def render(self, assignment: Any, *, source: Path, target: Path, tell: Tell) -> Rendered:
        """Only as long as it takes."""
        fate = self._deal()
        seconds = {"stuck": LONG, "slow": 200}.get(fate, self.luck.uniform(10, 60))
        for part in range(1, 5):
            self.stage.pause(seconds / 4)
            tell(part / 4)
            if part == 2:
                break_off(fate)
        target.write_bytes(VIDEO)
        return Rendered(Size(1080, 1920), frames=100, seconds=4.0, encoder="none")

    def _deal(self) -> str:
        if not self._cards:
            self._cards = self.luck.sample(FATES, k=len(FATES))
        self.fates[self._cards[-1]] += 1
        return self._cards.pop()

    def let_another_pass(self, relay: Relay) -> None:
        """How a callback of which the relay thinks so waits, by the test's clock."""
        before, until = relay._passes, self.stage.now() + DELAY_SECONDS
        while relay._passes == before and self.stage.now() < until:
            self.stage.pause(1)


def break_off(fate: str) -> None:
    match fate:
        case "broken":
            raise RenderFault("The render broke.")
        case "unreadable":
            raise NotAVideo("Not a video.")
        case "crashed":
            raise Gone


def switch_off(machine: Any, *, actor: Actor, stage: Stage) -> Callable[[], None]:
    def kill() -> None:
        machine.killed = machine.over = True
        stage.kill(actor)

    return kill
