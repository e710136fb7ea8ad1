"""Callbacks that are forged, mutated or told again, by the thousand: no row changes, and nothing breaks.

`make races` runs the long form: 100,000 of them.
"""

import json
import os
import random

import pytest

from functions.gpu_callback.app import handler
from millrace.domain.callbacks import Link, make_token
from tests.events import Context, http_event
from tests.export_bed import PARAMS, VIDEO, ExportBed
from tests.valid_rows import add_row

COUNT = 100_000 if "MILLRACE_RACE_SECONDS" in os.environ else 3_000
OTHER_KEYS = (b"a key that this platform never had",)
TABLES = ("export_jobs", "job_events", "quota_entries", "monthly_usage")
ABOUT = {"job_id": "export_a", "attempt": 2, "provider_job_id": "gpu-1"}
STARTED = {"event": "started", **ABOUT}
PROGRESS = {"event": "progress", **ABOUT, "message": "Rendering"}
LETTERS = 'abcXYZ019-_.{}[]:,"\\ \x00ü\ud800'
THINGS = (
    None,
    True,
    -1,
    0,
    4.5,
    2**80,
    "",
    "x",
    "\x00",
    "\ud800",
    [],
    {},
    [[[]]],
    "complete",
    "FAILED",
    "y" * 600,
)


@pytest.fixture
def bed(db, clock, tmp_path):
    """One export that runs, in its second attempt, and others that have ended."""
    bed = ExportBed(db, clock=clock, folder=tmp_path)
    db.prepare("UPDATE export_jobs SET attempt = 1, retry_count = 1").run()
    bed.run()
    for number, status in enumerate(("complete", "error", "cancelled", "pending")):
        ended = {"completed_at": None if status == "pending" else clock.now()}
        add_row(
            db, "export_jobs", id=f"export_{status}", type="overlay", params=PARAMS["overlay"], attempt=2,
            status=status, output_video_key=key_of(f"export_{status}"), runpod_job_id=f"gpu-{number}",
            **ended,
        )  # fmt: skip
    for job_id in ("export_a", "export_complete", "export_error", "export_cancelled", "export_pending"):
        bed.bucket.put(key_of(job_id), VIDEO, content_type="video/mp4")
    return bed


def key_of(job_id):
    return f"tenants/tenant_a/exports/{job_id}/2.mp4"


class Forger:
    """Makes callbacks that nobody should take. Seeded: what fails, fails again."""

    def __init__(self, bed, *, seed):
        self.luck = random.Random(seed)
        self.until = bed.job["provider_deadline_at"]
        self.keys = bed.env.CALLBACK_KEYS()
        self.ids = [
            "export_a",
            "export_complete",
            "export_error",
            "export_cancelled",
            "export_pending",
            "gone",
        ]

    def make(self):
        """A token and a body."""
        return self.luck.choice(
            (self.forged, self.mutated_token, self.mutated_body, self.mutated_text, self.replayed)
        )()

    def token(self, job_id, attempt=2, *, keys=None):
        return make_token(Link(job_id, attempt), until=self.until, keys=keys or self.keys)

    def forged(self):
        """Signed by somebody else, or not at all."""
        job_id = self.luck.choice(self.ids)
        noise = "".join(self.luck.choices(LETTERS[:12], k=self.luck.randrange(1, 140)))
        return self.luck.choice((self.token(job_id, keys=OTHER_KEYS), noise)), self.text(self.report(job_id))

    def mutated_token(self):
        job_id = self.luck.choice(self.ids)
        return self.mutate(self.token(job_id), letters=LETTERS[:12]), self.text(self.report(job_id))

    def mutated_body(self):
        """With something in it that cannot be, or of another attempt, for a job that runs."""
        body = self.report("export_a")
        match self.luck.randrange(5):
            case 0:
                body.pop(self.luck.choice(("event", "job_id", "attempt", "provider_job_id")))
            case 1:
                body[self.luck.choice(("job_id", "attempt"))] = self.luck.choice(THINGS)
            case 2:
                body["provider_job_id"] = "gpu-of-another"
            case 3:
                body["more"] = self.luck.choice(THINGS)
            case _:
                body |= {"event": "complete", "output_video_key": self.luck.choice(THINGS)}
        return self.token("export_a"), self.text(body)

    def mutated_text(self):
        """Whatever it has become, for a job that has ended."""
        job_id = self.luck.choice(self.ids[1:])
        body = self.report(job_id)
        body[self.luck.choice(list(body))] = self.luck.choice(THINGS)
        return self.token(job_id), self.mutate(self.text(body), letters=LETTERS)

    def replayed(self):
        """True once: of an attempt that is over, or for the one that runs what it has said already."""
        job_id, attempt = self.luck.choice(self.ids), self.luck.choice((1, 2))
        body = self.report(job_id, attempt=attempt)
        if (job_id, attempt) == ("export_a", 2):
            # All that it has said so far, of which the last word was 100.
            body = self.luck.choice((STARTED, PROGRESS | {"progress": self.luck.randrange(101)}))
        return self.token(job_id, attempt), self.text(body)

    def report(self, job_id, *, attempt=2):
        about = {"job_id": job_id, "attempt": attempt, "provider_job_id": "gpu-1"}
        done = {
            "event": "complete", **about, "output_video_key": key_of(job_id), "output_bytes": len(VIDEO),
            "frames": 1, "duration_seconds": 0.1, "width": 1080, "height": 1920, "encoder": "x",
        }  # fmt: skip
        said = [
            {"event": "started", **about},
            {"event": "progress", **about, "progress": self.luck.randrange(101), "message": "Rendering"},
            {"event": "error", **about, "code": "X", "message": "broke", "should_retry": True},
            done,
        ]
        if job_id != "export_a" or attempt != 2:
            said.append({"id": "gpu-1", "status": "COMPLETED", "output": done, "executionTime": 10})
        return dict(self.luck.choice(said))

    def text(self, body):
        return json.dumps(body)

    def mutate(self, text, *, letters):
        """One to three letters changed, left out or put in; never the same as before."""
        changed = text
        while changed == text:
            for _ in range(self.luck.randrange(1, 4)):
                place = self.luck.randrange(len(changed))
                more = self.luck.choice(("", self.luck.choice(letters), self.luck.choice(letters) * 2))
                changed = changed[:place] + more + changed[place + 1 :]
        return changed


def post(bed, token, body):
    event = http_event("POST", f"/api/runpod/callback/{token}", body=body, caller=None)
    return handler(event, Context(), env=bed.env)["statusCode"]


def rows_of(bed):
    tables = (bed.db.prepare(f"SELECT * FROM {table}").all().results for table in TABLES)
    return [sorted(map(str, rows)) for rows in tables]


def test_no_callback_that_is_forged_mutated_or_told_again_changes_a_row_or_breaks_anything(bed):
    forger = Forger(bed, seed=6)
    for body in (STARTED, PROGRESS | {"progress": 100}):
        assert post(bed, bed.token, json.dumps(body)) == 200
    before = rows_of(bed)
    statuses = set()

    for number in range(COUNT):
        token, body = forger.make()
        status = post(bed, token, body)
        statuses.add(status)
        assert status < 500, (number, token, body)
        if number % 500 == 0:
            assert rows_of(bed) == before, number

    assert rows_of(bed) == before
    assert {200, 400, 401} <= statuses <= {200, 400, 401, 404}
    assert bed.gpu.cancelled == []
