"""Exports by the hundred on a provider that does everything wrong, while Millrace's own functions are killed.

`make races` runs the long form: 1,000 of them on each database. MILLRACE_SEED repeats a run.
"""

import os
import random
from collections import Counter, defaultdict
from contextlib import ExitStack

import pytest

from local.runpod.mischief import Fault, Mischief
from local.runpod.relay import Relay
from millrace.bindings.calls import Api
from millrace.bindings.gpu.runpod import Runpod
from millrace.domain.jobs import EXPORT
from tests.bindings.gpu_asking import FixedKey
from tests.export_orders import add_footage
from tests.misbehaving import books
from tests.misbehaving.platform import Millrace, stock
from tests.misbehaving.provider import FATES, FAULTS, Provider, Wire
from tests.misbehaving.stage import Stage
from tests.misbehaving.troubles import Troubles
from tests.runpod_bed import ENDPOINT, runpod_bed

COUNT = 1_000 if "MILLRACE_RACE_SECONDS" in os.environ else 40
SEED = int(os.environ.get("MILLRACE_SEED", "6"))
# How many wait and run at most, and how many are asked about at a time.
MOST_LIVE, AT_A_TIME = 40, 5
# So few that orders wait in its queue for longer than a lease.
MACHINES = 4
# Nobody hears of a question that hangs before this has passed; only that is waited for.
PATIENCE_SECONDS = 0.5
MOST_HOURS = 24
MOVES = {"create", "claim", "submit", "adopt", "complete", "fail", "cancel", "retry", "remove"}
TENANTS = {"tenant_demo": "enterprise", "tenant_other": "free"}


class Storm:
    """Somebody asks for exports, and the world goes on until all have ended."""

    def __init__(self, world, *, stack, monkeypatch):
        self.world = world
        self.luck = random.Random(SEED)
        self.troubles = Troubles(random.Random(SEED + 1))
        self.mischief = Mischief(FAULTS, seed=SEED + 2)
        self.stage = Stage(world.clock)
        stack.callback(self.stage.close)
        bed = stack.enter_context(
            runpod_bed(
                mischief=self.mischief, clock=self.stage.now, wait=self.stage.pause, most_workers=MACHINES
            )
        )
        wire = Wire(self.stage, bucket=world.bucket, clock=world.clock)
        self.provider = Provider(bed, self.stage, wire, random.Random(SEED + 3))
        self.provider.watch()

        def let_another_pass(relay: Relay) -> None:
            self.provider.let_another_pass(relay)

        monkeypatch.setattr("gpu.work.render", self.provider.render)
        monkeypatch.setattr(Relay, "_let_another_pass", let_another_pass)
        api = Api(f"{bed.runpod.url}/{ENDPOINT}", key=FixedKey())
        gpu = Runpod(api, time_limit_seconds=PATIENCE_SECONDS)
        self.millrace = Millrace(world, gpu, luck=random.Random(SEED + 4), troubles=self.troubles)
        stack.enter_context(self.millrace.listening())
        self.troubles.meanwhile = {
            "pickup within a pickup": self.millrace.tick,
            "run within another function": self.millrace.run,
            "cancel within another function": self.cancel_meanwhile,
        }
        self.videos = {tenant_id: self.add_video(tenant_id) for tenant_id in TENANTS}
        self.asked = 0
        self.live: dict[str, str] = {}
        self.ended: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.decided: Counter[str] = Counter()

    def add_video(self, tenant_id):
        key = add_footage(self.world.owner, tenant_id=tenant_id, project_id=f"project_of_{tenant_id}")
        stock(self.world, tenant_id=tenant_id, tier=TENANTS[tenant_id], video_key=key)
        return key

    @property
    def accepted(self):
        return len(self.millrace.seen)

    def ask(self):
        self.asked += 1
        tenant_id = "tenant_other" if self.asked % 10 == 0 else "tenant_demo"
        # Of the longest ones not one fits into a free month.
        seconds = 1_300 if self.asked % 20 == 0 else 500 if tenant_id == "tenant_other" else 60
        order = {"video_key": self.videos[tenant_id], "tenant_id": tenant_id, "seconds": seconds}
        if job_id := self.millrace.order(self.asked, **order):
            self.live[job_id] = tenant_id

    def poll(self):
        for job_id in self.luck.sample(list(self.live), k=min(len(self.live), AT_A_TIME)):
            tenant_id = self.live[job_id]
            state = self.millrace.poll(job_id, tenant_id=tenant_id)
            if state not in EXPORT.live:
                del self.live[job_id]
                self.ended[state][job_id] = tenant_id

    def decide(self):
        """What people do besides: end what runs, run again what failed, take away what is over."""
        if self.is_time("ended", share=0.05):
            self.cancel_one()
        if self.is_time("run again", share=0.2) and (failed := self.draw("error")):
            self.retry(*failed)
        if self.is_time("deleted", share=0.05) and (over := self.draw("complete") or self.draw("cancelled")):
            self.remove(*over)

    def is_time(self, decision, *, share):
        return self.luck.random() < share or (self.troubles.hurried and not self.decided[decision])

    def draw(self, state):
        """One that has ended so, and its tenant."""
        one = self.luck.choice(list(self.ended[state].items())) if self.ended[state] else None
        return one and (one[0], self.ended[state].pop(one[0]))

    def retry(self, job_id, tenant_id):
        """Whatever is answered: a repeat finds what was done before it."""
        self.millrace.retry(job_id, tenant_id=tenant_id)
        self.decided["run again"] += 1
        self.live[job_id] = tenant_id

    def remove(self, job_id, tenant_id):
        self.millrace.delete(job_id, tenant_id=tenant_id)
        assert self.millrace.poll(job_id, tenant_id=tenant_id) == "deleted"
        self.decided["deleted"] += 1

    def cancel_one(self):
        if self.live:
            job_id = self.luck.choice(list(self.live))
            self.millrace.delete(job_id, tenant_id=self.live[job_id])
            self.decided["ended"] += 1

    def cancel_meanwhile(self):
        if self.live:
            self.millrace.end(self.luck.choice(list(self.live)))

    def act(self):
        """What people do in some seconds."""
        while self.accepted < COUNT and len(self.live) < MOST_LIVE and self.luck.random() < 0.6:
            self.ask()
        self.decide()
        self.poll()

    def go_on(self, **span):
        """What the machines do, then so much time passes."""
        self.millrace.ring()
        self.provider.go_on()
        self.millrace.tick_each_minute()
        self.world.clock.advance(**span)

    def hurry(self):
        """What has never happened yet does so at its first occasion."""
        self.troubles.hurried = True
        self.mischief.do_next(*(fault for fault in Fault if not self.mischief.done[fault]))

    def rage(self):
        begin = self.stage.now()
        while self.accepted < COUNT or self.live or any(map(self.is_alive, self.provider.accepted)):
            if not self.troubles.hurried and self.accepted >= COUNT // 2:
                self.hurry()
            self.act()
            self.go_on(seconds=self.luck.uniform(2, 12) if self.accepted < COUNT else 20)
            assert self.stage.now() < begin + MOST_HOURS * 3_600, self.live
        # Until nobody has a link any more, and what was left has been swept.
        for _ in range(10):
            self.go_on(hours=1)

    def is_alive(self, order):
        return order.is_alive(self.stage.now())


@pytest.fixture
def storm(world, monkeypatch):
    with ExitStack() as stack:
        yield Storm(world, stack=stack, monkeypatch=monkeypatch)


def test_whatever_goes_wrong_each_export_ends_once_and_no_gpu_job_is_unknown(storm):
    storm.rage()

    db, provider = storm.world.owner, storm.provider
    assert storm.millrace.faults == []
    books.check_exports(db)
    books.check_outputs(db, storm.world.bucket)
    books.check_charges(db)
    books.check_views(storm.millrace.seen)
    assert provider.twice == []
    became = books.sort_orders(db, provider, now=storm.stage.now())
    assert became.keys() <= {"known", "stopped", "past its deadline"}, became
    check_that_it_was_a_storm(storm)


def check_that_it_was_a_storm(storm):
    """All that could go wrong has."""
    assert [fault for fault in Fault if not storm.mischief.done[fault]] == []
    assert storm.troubles.missing() == set()
    assert storm.provider.fates.keys() == set(FATES)
    moves = storm.world.owner.prepare("SELECT DISTINCT move FROM job_events").raw()
    assert {move for (move,) in moves} >= MOVES
    assert storm.decided.keys() == {"ended", "run again", "deleted"}
    answers = storm.millrace.answers
    assert storm.accepted >= COUNT and answers["GpuQuotaExceeded"] > 0
    assert not answers.keys() & {"InternalError", "callback 500"}, answers
