"""Who meets whom on PostgreSQL's rows: one of two in a deadlock is repeated, and a claim waits for nobody."""

import threading

import pytest

from millrace.bindings.postgres import PostgresDatabase
from tests.database.test_waiting import wait_until
from tests.databases import on_postgres
from tests.factories import accept_job, add_house, add_lead, claim_job

pytestmark = on_postgres

GATE = 71
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
    gate = Rival(database.url)
    gate.do(f"SELECT pg_advisory_lock({GATE})")
    rival.do("UPDATE pair SET told = told || 'rival ' WHERE id = 'b'")

    def meet():
        waiting = watcher.prepare(WAITING)
        wait_until(lambda: waiting.first("n") == 1)
        other = threading.Thread(target=end_rival)
        other.start()
        wait_until(lambda: waiting.first("n") == 2)
        gate.do(f"SELECT pg_advisory_unlock({GATE})")
        other.join()

    def end_rival():
        rival.do("UPDATE pair SET told = told || 'rival ' WHERE id = 'a'")
        rival.do("COMMIT")

    meeting = threading.Thread(target=meet)
    meeting.start()
    tell = db.prepare("UPDATE pair SET told = told || 'ours ' WHERE id = ?1")
    pass_gate = db.prepare(f"SELECT pg_advisory_xact_lock({GATE})::text")
    db.batch([tell.bind("a"), pass_gate, tell.bind("b")])
    meeting.join()
    gate.close()

    assert set(db.prepare("SELECT told FROM pair").raw()) == {("rival ours ",)}


def test_a_claim_takes_the_next_job_while_a_rival_has_its_hand_on_the_oldest(database, rival):
    db = database.open()
    add_house(db)
    oldest, next_one = (accept_job(db, add_lead(db)) for _ in range(2))
    rival.do(f"SELECT id FROM ai_evaluation_jobs WHERE id = '{oldest}' FOR UPDATE")

    assert claim_job(db).id == next_one
