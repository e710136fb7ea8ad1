"""A batch is all or nothing, says what it was refused for, and has its limits, on both databases."""

import pytest

from millrace.errors import ConstraintBroken, StatementInvalid
from tests.database.things import AT, add, ids, make_things
from tests.databases import on_postgres


@pytest.fixture
def db(database):
    """As its owner, who may make tables."""
    return database.open(role=None)


@pytest.fixture
def things(db):
    return make_things(db)


def test_a_batch_answers_each_statement_in_turn_and_each_sees_the_ones_before(things):
    results = things.batch(
        [add(things, "a"), things.prepare("SELECT COUNT(*) AS n FROM things"), add(things, "b")]
    )

    assert [result.meta.changes for result in results] == [1, 0, 1]
    assert results[1].first()["n"] == 1


def test_a_batch_is_all_or_nothing(things):
    with pytest.raises(ConstraintBroken):
        things.batch([add(things, "a"), add(things, "b"), add(things, "a")])

    assert ids(things) == []


def test_a_batch_after_a_failed_one_works(things):
    with pytest.raises(StatementInvalid):
        things.batch([add(things, "a"), things.prepare("SELECT nothing FROM nowhere")])

    things.batch([add(things, "a")])

    assert ids(things) == ["a"]


@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("INSERT INTO things (id, size) VALUES ('b', 10)", "size_is_small"),
        ("INSERT INTO things (id) VALUES ('a')", "things_pkey"),
        ("INSERT INTO things (id, whole, yes) VALUES ('b', 1, TRUE)", "one_thing_per_whole"),
        ("INSERT INTO things (id, size) VALUES ('b', NULL)", "things.size"),
    ],
)
def test_a_broken_constraint_says_its_name_its_statement_and_what_was_answered_before(
    things, sql, constraint
):
    add(things, "a", whole=1, yes=True).run()

    with pytest.raises(ConstraintBroken) as broken:
        things.batch([things.prepare("SELECT 7 AS seven"), things.prepare(sql)])

    assert broken.value.constraint == constraint
    assert broken.value.statement == 1
    assert broken.value.results[0].first()["seven"] == 7


def test_a_deferred_foreign_key_is_checked_when_the_batch_ends(things):
    things.prepare(
        "CREATE TABLE children (id TEXT, thing TEXT REFERENCES things(id) DEFERRABLE INITIALLY DEFERRED)"
    ).run()
    child = things.prepare("INSERT INTO children VALUES ('c', 'a')")

    with pytest.raises(ConstraintBroken):
        things.batch([child])
    things.batch([child, add(things, "a")])

    assert things.prepare("SELECT thing FROM children").raw() == [("a",)]


def test_foreign_keys_are_enforced(db):
    site = db.prepare(
        "INSERT INTO sites (id, tenant_id, name, created_at, updated_at) VALUES ('s', 'nobody', 's', ?1, ?1)"
    )

    with pytest.raises(ConstraintBroken):
        site.bind(AT).run()


def test_an_error_never_repeats_the_values_it_was_about(things):
    with pytest.raises(ConstraintBroken) as broken:
        things.batch([add(things, "a secret"), add(things, "a secret")])

    trace = [str(broken.value), repr(broken.value), str(broken.value.__cause__)]
    assert not any("a secret" in text for text in trace)


@pytest.mark.parametrize("statements", [0, 1001])
def test_a_batch_of_none_or_of_too_many_statements_is_refused(db, statements):
    with pytest.raises(StatementInvalid, match="1 to 1000"):
        db.batch([db.prepare("SELECT 1")] * statements)


def test_a_tenant_s_batch_has_the_same_limit(db):
    tenant = db.for_tenant("tenant_a")

    assert len(tenant.batch([tenant.prepare("SELECT 1")] * 1000)) == 1000
    with pytest.raises(StatementInvalid, match="1 to 1000 statements, not 1001"):
        tenant.batch([tenant.prepare("SELECT 1")] * 1001)


def test_in_a_tenant_s_batch_statements_are_counted_from_the_tenant_s_first(things):
    tenant = things.for_tenant("tenant_a")

    with pytest.raises(ConstraintBroken) as broken:
        tenant.batch([tenant.prepare("SELECT 7 AS seven"), add(tenant, "a", size=10)])

    assert (broken.value.constraint, broken.value.statement) == ("size_is_small", 1)
    assert [result.first()["seven"] for result in broken.value.results] == [7]


@on_postgres
def test_in_a_tenant_s_batch_what_is_said_of_a_wrong_statement_counts_likewise(db):
    tenant = db.for_tenant("tenant_a")

    with pytest.raises(StatementInvalid, match=r"statement 1 of its batch"):
        tenant.batch([tenant.prepare("SELECT 1"), tenant.prepare("SELECT nothing FROM nowhere")])


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN",
        "begin immediate",
        "START TRANSACTION",
        "COMMIT",
        "END",
        "ROLLBACK",
        "ABORT",
        "SAVEPOINT a",
        "RELEASE a",
        "-- first\n /* then */ COMMIT",
    ],
)
def test_no_statement_begins_or_ends_the_transaction_that_its_batch_is(db, sql):
    with pytest.raises(StatementInvalid, match="the batch is the transaction"):
        db.prepare(sql)


def test_a_batch_of_more_than_a_megabyte_is_refused(db):
    with pytest.raises(StatementInvalid, match="COPY"):
        db.prepare("SELECT ?1").bind("x" * (1 << 20)).run()


def test_a_batch_as_large_as_it_may_be_goes_through(things):
    batch = [add(things, f"{number:03}", facts={"text": "é" * 450}) for number in range(900)]

    things.batch(batch)

    assert len(ids(things)) == 900


def test_a_wide_answer_comes_back_whole(things):
    things.batch([add(things, f"{number:03}", raw=b"\xab" * 40_000) for number in range(8)])

    rows = things.prepare("SELECT raw FROM things").raw()

    assert rows == [(b"\xab" * 40_000,)] * 8
