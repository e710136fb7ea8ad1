"""An operator's commands, as the command line sends them."""

import json
import re
from typing import Any

from functions.operate.app import handler
from millrace import operations
from millrace.domain.jobs import EVALUATION
from millrace.errors import InsufficientDocuments, QueueUnavailable
from millrace.operations import doorbells
from millrace.operations import jobs as operator_jobs
from millrace.store import jobs
from tests.events import Context
from tests.factories import NOW, new_id
from tests.functions.conftest import Doorbell, World
from tests.functions.test_create_job import create


def command(world: World, name: str, /, **arguments: Any) -> dict[str, Any]:
    answer = handler({"command": name, "arguments": arguments}, Context(), env=world.engine)
    return json.loads(json.dumps(answer))


def end(world: World, status: str) -> str:
    """A job that ended like this. Its id."""
    create(world)
    job_id = world.job()["id"]
    world.clock.advance(seconds=1)
    if status == "cancelled":
        command(world, "jobs cancel", job_id=job_id)
    if status == "failed":
        fail_next(world)
    return job_id


def fail_next(world: World) -> None:
    db, now = world.owner, world.clock.now()
    job = jobs.claim(db, EVALUATION, worker_id="w", move_id=new_id("move"), now=now)
    error = InsufficientDocuments("nothing to read")
    jobs.fail(db, EVALUATION, job, error=error, move_id=new_id("move"), now=now, jitter=0.0)


def test_a_tenant_and_a_site_are_added_once(world: World):
    added = command(world, "tenants add", tenant_id="acme", name="Acme", tier="enterprise")
    site = command(world, "sites add", site_id="site_acme", tenant_id="acme", name="Main", tier="free")
    again = command(world, "tenants add", tenant_id="acme", name="Acme", tier="free")

    assert added["facts"] == {"tenant_id": "acme", "name": "Acme", "tier": "enterprise"}
    assert site["facts"]["tenant_id"] == "acme"
    assert again == {"refused": "There is a tenant acme already."}


def test_a_site_has_the_tier_of_its_tenant_unless_it_is_given_one(world: World):
    command(world, "tenants add", tenant_id="acme", name="Acme", tier="pro")

    like_its_tenant = command(world, "sites add", site_id="site_1", tenant_id="acme", name="One", tier=None)
    its_own = command(world, "sites add", site_id="site_2", tenant_id="acme", name="Two", tier="enterprise")

    assert (like_its_tenant["facts"]["tier"], its_own["facts"]["tier"]) == ("pro", "enterprise")


def test_a_site_that_cannot_be_added_is_refused_with_the_reason(world: World):
    site = {"site_id": "site_abc", "tenant_id": "tenant_demo", "name": "Again", "tier": None}

    refused = [
        command(world, "sites add", **site | change)["refused"]
        for change in ({}, {"site_id": "site_new", "tenant_id": "nobody"}, {"tier": "gold"})
    ]

    assert [words.split(".")[0] for words in refused] == [
        "There is a site site_abc already",
        "There is no tenant nobody",
        "There is no tier gold",
    ]


def test_lists_go_on_where_they_ended(world: World):
    for name in ("tenants", "sites"):
        given = {"tenant_id": None} if name == "sites" else {}
        first = command(world, f"{name} list", limit=1, cursor=None, **given)["facts"]
        second = command(world, f"{name} list", limit=1, cursor=first["next_cursor"], **given)["facts"]

        assert first[name][0]["id"] != second[name][0]["id"]
        assert second["next_cursor"] is None
    strange = command(world, "tenants list", limit=1, cursor="x")
    assert strange["refused"] == "cursor is not one that a list has given."


def test_jobs_are_listed_the_newest_first_and_by_state(world: World):
    job_id = end(world, "cancelled")
    world.clock.advance(minutes=1)
    create(world)

    everything = command(world, "jobs list", kind="evaluation", status=None, limit=10)["facts"]["jobs"]
    cancelled = command(world, "jobs list", kind="evaluation", status="cancelled", limit=10)["facts"]["jobs"]

    assert [job["status"] for job in everything] == ["pending", "cancelled"]
    assert [job["id"] for job in cancelled] == [job_id]
    assert "There is no kind x" in command(world, "jobs list", kind="x", status=None, limit=1)["refused"]


def test_a_job_is_shown_with_all_that_happened_to_it(world: World):
    job_id = end(world, "cancelled")

    facts = command(world, "jobs show", job_id=job_id)["facts"]

    assert (facts["job"]["id"], facts["job"]["requested_at"]) == (job_id, NOW.isoformat())
    assert [event["move"] for event in facts["events"]] == ["create", "cancel"]


def test_a_failed_job_is_retried_and_rung_for(world: World):
    job_id = end(world, "failed")
    rung = len(world.doorbell.rung)

    answer = command(world, "jobs retry", job_id=job_id)

    assert answer["facts"] == {"job_id": job_id, "status": "pending"}
    assert world.job()["status"] == "pending"
    assert len(world.doorbell.rung) == rung + 1


def test_who_comes_second_is_told_how_the_job_stands_then(world: World, monkeypatch):
    job_id = end(world, "pending")
    find = operator_jobs.find
    first_look = iter([find(world.engine, job_id)])
    command(world, "jobs cancel", job_id=job_id)
    monkeypatch.setattr(operator_jobs, "find", lambda *given: next(first_look, None) or find(*given))

    second = command(world, "jobs cancel", job_id=job_id)

    assert second["refused"] == "The job is cancelled, and that is final."


def test_what_cannot_be_done_to_a_job_is_refused_with_its_state(world: World):
    job_id = end(world, "pending")

    retried = command(world, "jobs retry", job_id=job_id)
    command(world, "jobs cancel", job_id=job_id)
    cancelled = command(world, "jobs cancel", job_id=job_id)
    retried_then = command(world, "jobs retry", job_id=job_id)

    assert retried["refused"] == "The job is pending. Only a failed job is retried."
    assert cancelled["refused"] == "The job is cancelled, and that is final."
    assert retried_then["refused"] == "The job is cancelled. Only a failed job is retried."
    assert command(world, "jobs show", job_id="job_none")["refused"] == "There is no job job_none."


class DeadLetters(Doorbell):
    """A queue of whose kinds some have dead letters, and some cannot be asked."""

    def __init__(self, **letters: int | Exception):
        super().__init__()
        self._letters = letters

    def redrive(self, kind: str) -> int:
        count = self._letters[kind]
        if isinstance(count, Exception):
            raise count
        return count


def redrive(world: World, monkeypatch, **letters: int | Exception) -> dict[str, Any]:
    monkeypatch.setattr(doorbells, "JOB_TABLES", dict.fromkeys(letters))
    monkeypatch.setattr(world.engine, "QUEUE", DeadLetters(**letters))
    return command(world, "redrive")["facts"]


def test_dead_letters_are_told_by_kind_and_one_kind_is_not_in_the_way_of_the_others(
    world: World, monkeypatch
):
    closed = QueueUnavailable("SQS refused: closed")

    facts = redrive(world, monkeypatch, evaluation=3, export=closed, story=0)

    assert facts == {
        "put_back": {"evaluation": 3, "story": 0},
        "not_put_back": {"export": "SQS refused: closed"},
    }


def test_where_there_are_no_queues_there_are_no_dead_letters(world: World):
    answer = handler({"command": "redrive"}, Context(), env=world.engine_without_queue)

    assert answer["facts"] == {"put_back": {}, "not_put_back": {}}


def test_a_command_of_another_version_is_refused_and_not_guessed_at(world: World):
    unknown = command(world, "jobs explode")
    misfit = command(world, "jobs show", job="job_1")

    assert unknown["refused"].startswith("This installation knows no command 'jobs explode'.")
    # Python 3.13 says what kind of argument it is.
    assert re.match(r"jobs show: missing a required (keyword-only )?argument: 'job_id'", misfit["refused"])


def test_every_operation_takes_env_and_names():
    assert all(operations.OPERATIONS[name].__kwdefaults__ is None for name in operations.OPERATIONS)
