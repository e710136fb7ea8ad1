"""What must hold once all is over, whatever happened: of each export, of its charges, of each GPU job."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from millrace.bindings.database import Database
from millrace.domain.export_files import clips_key
from millrace.domain.gpu_times import GRACE_SECONDS
from millrace.env import Config, Env
from millrace.operations import quotas
from tests.misbehaving.provider import Accepted, Provider

# A retry by a person opens an export anew, so it then ends once more.
ENDED_OTHER_THAN_ONCE = """
SELECT job_id FROM job_events WHERE kind = 'export' GROUP BY job_id
HAVING SUM(CASE WHEN move IN ('create', 'retry') THEN 1
                WHEN move IN ('complete', 'cancel') THEN -1
                WHEN move = 'fail' AND detail ->> 'status' = 'error' THEN -1 ELSE 0 END) <> 0
"""
CHARGES_ENDED_OTHER_THAN_ONCE = """
SELECT job_id, charge_round FROM quota_entries WHERE meter = 'gpu_seconds' AND call = ''
GROUP BY job_id, charge_round
HAVING COUNT(*) <> 2 OR SUM(CASE WHEN kind = 'reserve' THEN 1 ELSE 0 END) <> 1
"""
NOT_FINAL = "SELECT id FROM export_jobs WHERE status NOT IN ('complete', 'error', 'cancelled')"
TRIED_TOO_OFTEN = "SELECT id FROM export_jobs WHERE retry_count > 3"
KNOWN = """
SELECT runpod_job_id AS known FROM export_jobs WHERE runpod_job_id IS NOT NULL
UNION SELECT detail ->> 'provider_job_id' FROM job_events WHERE detail ->> 'provider_job_id' IS NOT NULL
"""
COUNTED = """
SELECT usage.tenant_id, usage.used,
       (SELECT CAST(SUM(entry.amount) AS BIGINT) FROM quota_entries AS entry
        WHERE entry.meter = 'gpu_seconds' AND entry.subject = usage.tenant_id
          AND entry.period = usage.month) AS entered,
       (SELECT CAST(COALESCE(SUM(job.gpu_seconds), 0) AS BIGINT) FROM export_jobs AS job
        WHERE job.tenant_id = usage.tenant_id AND job.charged_period = usage.month
          AND job.status = 'complete') AS rendered
FROM monthly_usage AS usage WHERE usage.meter = 'gpu_seconds'
"""


def check_exports(db: Database) -> None:
    for wrong in (NOT_FINAL, ENDED_OTHER_THAN_ONCE, CHARGES_ENDED_OTHER_THAN_ONCE, TRIED_TOO_OFTEN):
        assert db.prepare(wrong).raw() == [], wrong


def check_outputs(db: Database, bucket: Any) -> None:
    """Who was told to stop has taken nothing away that was complete; of all else nothing is left."""
    complete = db.prepare("SELECT output_video_key AS key FROM export_jobs WHERE status = 'complete'")
    videos = {row["key"] for row in complete.all().results}
    assert set(list_outputs(bucket)) == videos | {clips_key(key) for key in videos}


def list_outputs(bucket: Any) -> Iterator[str]:
    cursor = None
    while True:
        listing = bucket.list("tenants/", cursor=cursor)
        yield from (one.key for one in listing.objects if "/exports/" in one.key)
        if (cursor := listing.cursor) is None:
            return


def check_charges(db: Database) -> None:
    found = quotas.verify(Env(Config(database_url="sqlite:////nowhere.db"), DB=db))
    assert [meter["drifting"] for meter in found["meters"]] == [0] * len(found["meters"]), found
    for row in db.prepare(COUNTED).all().results:
        assert row["used"] == row["entered"] >= row["rendered"], dict(row)


def check_views(seen: dict[str, list[str]]) -> None:
    """To nobody was an export complete that was cancelled, or anything else once it was either."""
    for job_id, states in seen.items():
        for before, after in pairwise(states):
            assert before not in ("complete", "cancelled") or after == "deleted", (job_id, states)


def sort_orders(db: Database, provider: Provider, *, now: float) -> Counter[str]:
    """What became of what we have started, of which nothing may be left."""
    known = {row["known"] for row in db.prepare(KNOWN).all().results}
    return Counter(sort(order, known=known, provider=provider, now=now) for order in provider.accepted)


def sort(order: Accepted, *, known: set[str], provider: Provider, now: float) -> str:
    output = provider.outputs.get(order.job.id) or {}
    if order.job.id in known:
        return "known"
    if order.job.state == "CANCELLED" or output.get("event") == "stopped":
        return "stopped"
    deadline = order.job.submitted_at + order.job.order.ttl_seconds + GRACE_SECONDS
    return "past its deadline" if now >= deadline and not order.is_alive(now) else "nobody knows"
