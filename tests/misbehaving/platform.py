"""Millrace under trouble: its functions as they are deployed, people who use it, and its doorbell."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import HTTPServer
from threading import Thread
from typing import Any

from functions.gpu_callback.app import handler as take_callback
from functions.job_pickup.app import handler as pick_up
from functions.run_job.app import handler as run_job
from millrace.env import EPOCH, Env
from millrace.errors import CommandRefused, Refusal
from millrace.operations import jobs
from tests.bindings.loopback import QuietHandler
from tests.events import Context, http_event, read_event, said
from tests.export_bed import KEYS
from tests.functions.conftest import World
from tests.functions.rendering import ASKED, FILM, Studio
from tests.misbehaving.troubles import Killed, TroubledDatabase, TroubledGpu, Troubles

BELL = read_event("run_job/doorbell")
BELL = {"Records": [BELL["Records"][0] | {"body": '{"kind": "export"}'}]}
TICK = read_event("job_pickup/every_minute")


class SeededEnv(Env):
    """Its ids are a matter of the seed too."""

    luck: random.Random

    def new_id(self, prefix: str | None = None) -> str:
        milliseconds = (self.now() - EPOCH) // timedelta(milliseconds=1)
        digits = f"{milliseconds:012x}{self.luck.getrandbits(80):020x}"
        return f"{prefix}_{digits}" if prefix else digits


@dataclass
class Millrace(Studio):
    """`seen` is what each export was shown to be, one after the other, without repeats."""

    luck: random.Random = field(default_factory=random.Random)
    troubles: Troubles = field(default_factory=lambda: Troubles(random.Random()))
    url: str = ""
    seen: dict[str, list[str]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    # Of callbacks, which no one else would see.
    faults: list[Exception] = field(default_factory=list)
    _rings: list[float] = field(default_factory=list)
    _last_tick: float = 0.0

    @property
    def env(self) -> Env:
        return self.make_env(self.world.api.DB)

    def make_env(self, db: Any) -> Env:
        world = self.world
        env = SeededEnv(
            replace(world.api.config, callback_url=self.url, gpu_second_microusd=200, max_wait_seconds=0),
            DB=TroubledDatabase(db, troubles=self.troubles),
            BUCKET=world.bucket,
            QUEUE=world.doorbell,
            GPU=TroubledGpu(self.gpu, troubles=self.troubles),
            CALLBACK_KEYS=lambda: KEYS,
            now=world.clock.now,
            random=self.luck.random,
            wait=lambda seconds: None,
        )
        env.luck = self.luck
        return env

    @property
    def engine(self) -> Env:
        return self.make_env(self.world.engine.DB)

    def survive(self, name: str, work: Callable[[], Any]) -> Any:
        """What came of it. None when it was killed, or has failed because the database was away."""
        before = self.troubles.outages
        with self.troubles.playing(name):
            try:
                return work()
            except Killed:
                return None
            except Exception:
                if self.troubles.outages > before:
                    return None
                raise

    def ask(self, function: str, *given: Any, **more: Any) -> Any:
        """As a person does it, who repeats what was not answered."""
        name = {"create": "create_job", "read": "manage"}.get(function, function)
        answer = None
        while answer is None or answer["statusCode"] == 503:
            answer = self.survive(name, lambda: Studio.ask(self, function, *given, **more))
        self.answers[said(answer).get("error", str(answer["statusCode"]))] += 1
        return answer

    def order(self, number: int, *, video_key: str, tenant_id: str, seconds: int = 60) -> str | None:
        """The id of what was accepted. The very same is asked for twice at times."""
        body = ASKED | {"input_video_key": video_key, "project_id": f"project_of_{tenant_id}"}
        body |= {"params": {"clips": [{"start_time": 0, "end_time": seconds, "name": f"Clip {number}"}]}}
        order = ("create", "POST", "exports", body)
        answer = self.ask(*order, key=f"order-{number}", tenant_id=tenant_id)
        if answer["statusCode"] != 201:
            return None
        if self.luck.random() < 0.1:
            assert said(self.ask(*order, tenant_id=tenant_id))["error"] == "ExportAlreadyRunning"
        job_id = said(answer)["data"]["job_id"]
        self.seen[job_id] = []
        return str(job_id)

    def end(self, job_id: str) -> None:
        """As an operator does."""
        with suppress(CommandRefused):
            self.survive("manage", lambda: jobs.cancel(self.engine, job_id=job_id))

    def retry(self, job_id: str, **whose: Any) -> Any:
        """Where a person may not, an operator does."""
        answer = super().retry(job_id, **whose)
        if said(answer).get("error") == "JobNotRetryable":
            with suppress(Refusal):
                self.survive("manage", lambda: jobs.retry(self.engine, job_id=job_id))
        return answer

    def poll(self, job_id: str, *, tenant_id: str) -> str:
        answer = self.show(job_id, tenant_id=tenant_id)
        shown = said(answer).get("data", {})
        state = shown.get("status", "deleted")
        assert (state == "complete") == ("output_url" in shown), shown
        if self.seen[job_id][-1:] != [state]:
            self.seen[job_id].append(state)
        return state

    def ring(self) -> None:
        """What was rung for since, runs: once, twice, later, or not at all."""
        now = self.world.clock.now().timestamp()
        for kind, count, delay in self.world.doorbell.rung:
            if kind == "export" and not self.troubles.pick("bell lost"):
                self._rings += [now + delay] * (count + (self.luck.random() < 0.1))
        self.world.doorbell.rung.clear()
        due = [at for at in self._rings if at <= now]
        self._rings = [at for at in self._rings if at > now]
        for _ in due:
            self.run()

    def run(self) -> None:
        before = self.troubles.outages
        answer = self.survive("run_job", lambda: run_job(BELL, Context(), env=self.engine))
        assert answer in (None, {"batchItemFailures": []}) or self.troubles.outages > before

    def tick(self) -> None:
        self.survive("job_pickup", lambda: pick_up(TICK, Context(milliseconds_left=120_000), env=self.engine))

    def tick_each_minute(self) -> None:
        now = self.world.clock.now().timestamp()
        if now - self._last_tick >= 60:
            self._last_tick = now
            self.tick()

    def take(self, path: str, body: str) -> tuple[int, str]:
        """A callback, as API Gateway hands it over. A function that is killed is a 502."""
        event = http_event("POST", path, body=body, caller=None)
        over = self.is_over(path)
        answer = self.survive("gpu_callback", lambda: take_callback(event, Context(), env=self.engine))
        if answer is None:
            return 502, json.dumps({"message": "Bad Gateway"})
        self.answers[f"callback {answer['statusCode']}"] += 1
        assert not over or said(answer).get("data", {"stop": True})["stop"], (path, body)
        return answer["statusCode"], answer["body"]

    def is_over(self, path: str) -> bool:
        """Whether the attempt that calls here has no job any more, and has not completed it either."""
        job_id, attempt, *_ = path.rpartition("/")[2].split(".")
        found = self.world.owner.prepare("SELECT status, attempt FROM export_jobs WHERE id = ?1")
        row = found.bind(job_id).first()
        return not row or row["attempt"] != int(attempt) or row["status"] not in ("processing", "complete")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes callbacks over HTTP, one after the other."""
        platform = self

        class Handler(QuietHandler):
            protocol_version = "HTTP/1.0"

            def respond(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                try:
                    status, text = platform.take(self.path, body)
                except Exception as fault:
                    platform.faults.append(fault)
                    raise
                self.answer(status, body=text.encode(), headers={"Content-Type": "application/json"})

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_port}"
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


def stock(world: World, *, tenant_id: str, tier: str, video_key: str) -> None:
    """A tenant of this tier gets its film."""
    world.owner.prepare("UPDATE tenants SET tier = ?2 WHERE id = ?1").bind(tenant_id, tier).run()
    world.bucket.put(video_key, FILM, content_type="video/mp4")
