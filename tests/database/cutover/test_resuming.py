"""An interrupted copy goes on where it stopped, or says why it cannot."""

from contextlib import contextmanager

import pytest

from millrace import migrations
from millrace.errors import CutoverRefused, MigrationInvalid
from tests.cutover_bed import read_rejects
from tests.databases import MIGRATIONS
from tests.factories import NOW


class Killed(BaseException):
    """The process ends here."""


class ProgressUntilKilled:
    """Ends the copy after so many chunks."""

    def __init__(self, chunks):
        self.left = chunks

    @contextmanager
    def of(self, doing, *, total):
        yield self.advance

    def advance(self, rows):
        self.left -= 1
        if self.left < 0:
            raise Killed


@pytest.mark.parametrize("chunks", [0, 1, 5, 40, 100])
def test_an_interrupted_copy_goes_on_where_it_stopped(move, chunks):
    move.fill(rows=10)
    move.spoil("UPDATE leads SET ai_score = 'ninety' WHERE rowid IN (2, 9)")
    with pytest.raises(Killed):
        move.copy(progress=ProgressUntilKilled(chunks))
    assert move.has_marks()

    report = move.copy()

    assert report.differing == []
    assert [reject["rowid"] for reject in read_rejects(move) if reject["table"] == "leads"] == [2, 9]
    assert len(read_rejects(move)) == report.rejected
    assert not move.has_marks()


def test_nobody_migrates_the_target_while_a_copy_has_not_ended(move):
    move.fill(rows=4)
    with pytest.raises(Killed):
        move.copy(progress=ProgressUntilKilled(60))

    with pytest.raises(MigrationInvalid, match="a cutover to this database has begun"):
        migrations.down(move.target.url, folder=MIGRATIONS)

    assert move.copy().differing == []
    assert migrations.up(move.target.url, folder=MIGRATIONS, now=NOW) == []


def test_rows_that_came_after_the_interruption_are_copied_too(move):
    move.fill(rows=4)
    with pytest.raises(Killed):
        move.copy(progress=ProgressUntilKilled(60))
    move.spoil(
        "INSERT INTO tenants (id, name, created_at, updated_at) VALUES ('late', 'Late', ?, ?)",
        *["2025-12-17T10:00:00.000000Z"] * 2,
    )

    move.copy()

    assert move.contents(move.target) == move.contents(move.source)


def test_a_source_that_was_changed_after_the_interruption_is_refused(move):
    move.fill(rows=4)
    with pytest.raises(Killed):
        move.copy(progress=ProgressUntilKilled(60))
    move.spoil("UPDATE tenants SET name = 'Another' WHERE rowid = 1")

    with pytest.raises(CutoverRefused, match="tenants has changed since"):
        move.copy()


def test_a_target_that_is_written_to_while_rows_are_copied_is_found_out(move):
    move.fill(rows=5)
    with pytest.raises(Killed):
        move.copy(progress=ProgressUntilKilled(60))
    move.edit_target("UPDATE tenants SET name = 'Another' WHERE id = 'tenants-3'")

    report = move.copy()

    assert report.differing == ["tenants"]
    assert move.has_marks()
