"""Who meets whom on PostgreSQL's rows: one of two in a deadlock is repeated, and a claim waits for nobody."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from millrace.bindings.postgres import PostgresDatabase
from millrace.errors import InsufficientDocuments, LeadNotFound
from millrace.store import erasure, evaluations, judgements
from millrace.store.leads import Which
from tests.database.test_waiting import wait_until
from tests.databases import on_postgres
from tests.factories import (
    BY,
    NOW,
    accept_job,
    add_house,
    add_lead,
    claim_job,
    ledger_sum,
    new_id,
    recount,
    used,
)

pytestmark = on_postgres

GATE, TURNSTILE = 71, 72
WAITING = """
SELECT COUNT(*) AS n FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'
"""


class Rival:
    """Somebody else's transaction, one statement at a time."""

    def __init__(self, url):
        self._connection = PostgresDatabase(url).connect()
        # It never looks for a deadlock, so that the other one always does.
        self.do("SET deadlock_timeout = '1h'")
        self.do("BEGIN")

    def do(self, sql):
        self._connection.execute_simple(sql)

    def close(self):
        self._connection.close()


@pytest.fixture
def rival(database):
    rival = Rival(database.url)
    yield rival
    rival.close()


def test_the_batch_that_a_deadlock_undid_is_repeated(database, rival):
    db, watcher = database.open(role=None), database.open(role=None)
    db.prepare("CREATE TABLE pair (id TEXT, told TEXT NOT NULL DEFAULT '')").run()
    db.prepare("INSERT INTO pair (id) VALUES ('a'), ('b')").run()
    gate, turnstile = Rival(database.url), Rival(database.url)
    gate.do(f"SELECT pg_advisory_lock({GATE})")
    rival.do("UPDATE pair SET told = told || 'rival ' WHERE id = 'b'")

    def meet():
        waiting = watcher.prepare(WAITING)
        wait_until(lambda: waiting.first("n") == 1)
        other = threading.Thread(target=end_rival)
        other.start()
        wait_until(lambda: waiting.first("n") == 2)
        # Whoever repeats is kept out until the rival is done, or they might meet like this once more.
        keeper = threading.Thread(target=turnstile.do, args=(f"SELECT pg_advisory_lock({TURNSTILE})",))
        keeper.start()
        wait_until(lambda: waiting.first("n") == 3)
        gate.do(f"SELECT pg_advisory_unlock({GATE})")
        other.join()
        keeper.join()
        turnstile.do(f"SELECT pg_advisory_unlock({TURNSTILE})")

    def end_rival():
        rival.do("UPDATE pair SET told = told || 'rival ' WHERE id = 'a'")
        rival.do("COMMIT")

    meeting = threading.Thread(target=meet)
    meeting.start()
    tell = db.prepare("UPDATE pair SET told = told || 'ours ' WHERE id = ?1")
    enter, pass_gate = (
        db.prepare(f"SELECT pg_advisory_xact_lock({lock})::text") for lock in (TURNSTILE, GATE)
    )
    db.batch([enter, tell.bind("a"), pass_gate, tell.bind("b")])
    meeting.join()
    gate.close()
    turnstile.close()

    assert set(db.prepare("SELECT told FROM pair").raw()) == {("rival ours ",)}


def test_a_claim_takes_the_next_job_while_a_rival_has_its_hand_on_the_oldest(database, rival):
    db = database.open()
    add_house(db)
    oldest, next_one = (accept_job(db, add_lead(db)) for _ in range(2))
    rival.do(f"SELECT id FROM ai_evaluation_jobs WHERE id = '{oldest}' FOR UPDATE")

    assert claim_job(db).id == next_one


def failed_job(db, lead_id):
    job_id = accept_job(db, lead_id)
    error = InsufficientDocuments("none")
    judgements.fail(db, claim_job(db), error=error, calls=(), move_id=new_id("move"), now=NOW, jitter=0.0)
    return job_id


def retry(db, job_id):
    return evaluations.retry(db, job_id, tenant_id="tenant_a", move_id=new_id("move"), now=NOW)


def delete(db, lead_id):
    which = Which(lead_id, tenant_id="tenant_a", site_id="site_a")
    return erasure.delete_lead(db, which, move_id=new_id("move"), by=BY, now=NOW)


def meanwhile(database, rival, work):
    """Begin it, and let the rival end once it waits for them. What it came to."""
    watcher = database.open(role=None)
    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(work)
        wait_until(lambda: watcher.prepare(WAITING).first("n") == 1)
        rival.do("COMMIT")
        return working.exception() or working.result()


@pytest.mark.parametrize("again", [False, True])
def test_a_job_is_not_accepted_for_a_lead_that_is_being_deleted(database, rival, again):
    db = database.open(role=None)
    add_house(db)
    lead_id = add_lead(db)
    job_id = failed_job(db, lead_id) if again else None
    rival.do(f"UPDATE leads SET status = 'deleted', deleted_at = now() WHERE id = '{lead_id}'")

    refused = meanwhile(database, rival, lambda: retry(db, job_id) if again else accept_job(db, lead_id))

    assert isinstance(refused, LeadNotFound)
    assert db.prepare("SELECT id FROM ai_evaluation_jobs WHERE completed_at IS NULL").raw() == []
    assert used(db) == ledger_sum(db) == recount(db) == 0


def test_a_job_that_is_being_accepted_is_cancelled_when_its_lead_is_deleted(database, rival):
    """Whoever accepts one makes it a job of the lead, and then holds the lead."""
    db = database.open(role=None)
    add_house(db)
    lead_id = add_lead(db)
    job_id = accept_job(db, add_lead(db))
    rival.do(f"UPDATE ai_evaluation_jobs SET lead_id = '{lead_id}' WHERE id = '{job_id}'")
    rival.do(f"SELECT id FROM leads WHERE id = '{lead_id}' FOR SHARE")

    deleted = meanwhile(database, rival, lambda: delete(db, lead_id))

    assert deleted.deleted_at == NOW
    job = db.prepare("SELECT status FROM ai_evaluation_jobs WHERE id = ?1").bind(job_id)
    assert job.first("status") == "cancelled"
    assert used(db) == ledger_sum(db) == recount(db) == 0
