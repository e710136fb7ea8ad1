"""A crowd on the same few leads: creators, retriers, cancellers, deleters, runners and rescuers."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from millrace.bindings.database import Database
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EVALUATION, Job
from millrace.domain.questions import ModelAnswer, PaidCall
from millrace.errors import (
    InsufficientDocuments,
    JobFailure,
    ModelAnswerInvalid,
    ModelTimeout,
    Refusal,
    ResourceNotFound,
)
from millrace.store import erasure, evaluations, jobs, judgements
from millrace.store.leads import Which
from tests.factories import BY, NOW, accept_job, add_lead, begin_paid_work, claim_job, evaluation_of, new_id

FAILURES = (ModelTimeout("slow"), InsufficientDocuments("none"), ModelAnswerInvalid("nonsense"))


class Crowd:
    """Each of its workers has its own seeded luck. `outcomes` counts what they brought about."""

    def __init__(self, db: Database):
        self.db = db
        self.leads = [add_lead(db) for _ in range(6)]
        self.outcomes: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._clock = 0

    def now(self) -> datetime:
        """Time runs fast here, so that leases and backoffs run out."""
        with self._lock:
            self._clock += 1
            return NOW + timedelta(seconds=self._clock * 3)

    def run(self, worker: int, *, rounds: int, seconds: float) -> None:
        luck = random.Random(worker)
        acts = [self.create] * 10 + [self.retry] * 5 + [self.work] * 20 + [self.cancel] * 4
        acts += [self.rescue] * 6 + [self.delete]
        ends_at = time.monotonic() + seconds
        done = 0
        while done < rounds or time.monotonic() < ends_at:
            try:
                self.note(luck.choice(acts)(luck))
            except Refusal as refusal:
                self.note(refusal.code)
            done += 1

    def note(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1

    def create(self, luck: random.Random) -> str:
        key = IdempotencyKey(f"key-{luck.randrange(50)}", "same") if luck.random() < 0.3 else None
        accept_job(self.db, luck.choice(self.leads), now=self.now(), force_refresh=True, key=key)
        return "created"

    def retry(self, luck: random.Random) -> str:
        failed = (
            "SELECT id FROM ai_evaluation_jobs WHERE status = 'failed' ORDER BY completed_at DESC LIMIT 5"
        )
        found = self.db.prepare(failed).raw()
        if not found:
            return "nothing to retry"
        (job_id,) = luck.choice(found)
        move = {"tenant_id": "tenant_a", "move_id": new_id("move"), "now": self.now()}
        evaluations.retry(self.db, job_id, **move)
        return "retried"

    def cancel(self, luck: random.Random) -> str:
        newest = "SELECT id FROM ai_evaluation_jobs WHERE lead_id = ?1 ORDER BY requested_at DESC LIMIT 1"
        job_id = self.db.prepare(newest).bind(luck.choice(self.leads)).first("id")
        moved = job_id and jobs.cancel(
            self.db, EVALUATION, job_id, tenant_id="tenant_a", move_id=new_id("move"), now=self.now()
        )
        return "cancelled" if moved else "nothing to cancel"

    def delete(self, luck: random.Random) -> str:
        """Its place is taken by another lead."""
        place = luck.randrange(len(self.leads))
        which = Which(self.leads[place], tenant_id="tenant_a", site_id="site_a")
        self.leads[place] = add_lead(self.db)
        erasure.delete_lead(self.db, which, move_id=new_id("move"), by=BY, now=self.now())
        return "deleted"

    def rescue(self, luck: random.Random) -> str:
        move = {"now": self.now(), "new_id": lambda: new_id("move"), "jitter": luck.random}
        return "rescued" if list(jobs.rescue(self.db, EVALUATION, **move)) else "nobody to rescue"

    def work(self, luck: random.Random) -> str:
        job = claim_job(self.db, now=self.now())
        if job is None:
            return "nothing due"
        if luck.random() < 0.1:
            return "died"
        if luck.random() < 0.1:
            given_back = jobs.release(self.db, EVALUATION, job, move_id=new_id("move"), now=self.now())
            return "released" if given_back else "late"
        try:
            return self.judge(job, luck)
        except ResourceNotFound as gone:
            return self.fail(job, gone, luck=luck)

    def judge(self, job: Job, luck: random.Random) -> str:
        judgements.load_case(self.db, job, most_documents=1)
        if luck.random() < 0.1:
            return self.fail(job, luck.choice(FAILURES), luck=luck)
        if not begin_paid_work(self.db, job, now=self.now(), most_microusd=100):
            return "lost before paying"
        if luck.random() < 0.1:
            return "died"
        answer = ModelAnswer("{}", model_version="test/model", cost_microusd=42)
        calls = [PaidCall(new_id("call"), answer=answer, ended_at=self.now())]
        self.note("paid")
        if luck.random() < 0.3:
            return self.fail(job, luck.choice(FAILURES), calls=calls, luck=luck)
        return self.complete(job, calls=calls)

    def complete(self, job: Job, *, calls: Sequence[PaidCall]) -> str:
        now = self.now()
        move = {"evaluation": evaluation_of(now=now), "calls": calls, "move_id": new_id("move"), "now": now}
        return "completed" if judgements.complete(self.db, job, **move) else "late"

    def fail(
        self, job: Job, failure: JobFailure, *, luck: random.Random, calls: Sequence[PaidCall] = ()
    ) -> str:
        move = {"calls": calls, "move_id": new_id("move"), "now": self.now(), "jitter": luck.random()}
        return "failed" if judgements.fail(self.db, job, error=failure, **move) else "late"
