"""What needs no database of a cutover: canonical values, hashes, the tables' order, progress."""

import json
from datetime import UTC, datetime
from io import StringIO

import pytest

from millrace.errors import CutoverRefused
from millrace.migrations.cutover import conversion, copying
from millrace.migrations.cutover.conversion import CONVERT, DEEPEST, Unconvertible, canonical_json
from millrace.migrations.cutover.progress import Progress
from millrace.migrations.cutover.rows import RowReader
from millrace.migrations.cutover.schema import make_tables, order_tables
from millrace.migrations.cutover.tally import Tally
from tests.factories import NOW


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"b": 1, "a": 2}', '{"a":2,"b":1}'),
        ("[1e2]", "[100.0]"),
        ("[1e23]", "[100000000000000000000000]"),
        ("[-0.0]", "[0]"),
        ("[0.10]", "[1e-1]"),
        (r'["\u00e9"]', '["é"]'),
    ],
)
def test_the_same_document_has_one_text(one, other):
    assert canonical_json(one) == canonical_json(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[1]", '["1"]'),
        ("[9007199254740993]", "[9007199254740992]"),
        ("[0.1]", "[0.1000000000000001]"),
        ("[null]", "[]"),
        ("[1, 2]", "[2, 1]"),
    ],
)
def test_different_documents_have_different_texts(one, other):
    assert canonical_json(one) != canonical_json(other)


@pytest.mark.parametrize("text", ["", "{", "[1]]", "[01]", "[Infinity]", "[" * 100_000, "1" * 5_000])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(Unconvertible):
        canonical_json(text)


def nested(depth):
    return f"""{'[{"[{": ' * (depth // 2)}{"[]" * (depth % 2) or 1}{"}]" * (depth // 2)}"""


def with_frames(count, act):
    """What `act` answers with so many calls below it."""
    return with_frames(count - 1, act) if count else act()


@pytest.mark.parametrize("frames", [0, 300])
def test_how_deep_a_document_may_be_does_not_depend_on_who_asks(frames):
    assert with_frames(frames, lambda: canonical_json(nested(DEEPEST)))

    with pytest.raises(Unconvertible, match="deeper than 500"):
        with_frames(frames, lambda: canonical_json(nested(DEEPEST + 1)))


def test_a_broad_document_is_not_a_deep_one():
    document = json.dumps([[], {}, ["]"], {"[": '"[{'}] * DEEPEST)

    assert json.loads(canonical_json(document)) == json.loads(document)


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-17T10:00:00.000000",
        "2025-12-17 10:00",
        "2025-12-17T12:00:00+0200",
        "2025-12-17T10:00:00.0+00:00",
    ],
)
def test_times_are_read_as_utc_and_written_in_one_width(text):
    assert CONVERT["timestamptz"](text)[:17] == "2025-12-17T10:00:00.000000Z"[:17]
    assert len(CONVERT["timestamptz"](text)) == 27


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2025-W51-3T10:00:00.000000Z",
        "20251217",
        "0001-01-01T00:00+05:00",
        "2025-02-30",
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Unconvertible):
        CONVERT["timestamptz"](text)


@pytest.mark.parametrize("text", ["2025-12-17T24:00:00.000000Z", "2025-12-17 24:00", "2025-12-17T24"])
def test_a_day_has_no_hour_24_whatever_python_makes_of_it(monkeypatch, text):
    class Lenient(datetime):
        """Reads what Python 3.14 reads: the hour after the last, as the next day's first."""

        @classmethod
        def fromisoformat(cls, text):
            return datetime(2025, 12, 18, tzinfo=UTC)

    monkeypatch.setattr(conversion, "datetime", Lenient)

    with pytest.raises(Unconvertible):
        CONVERT["timestamptz"](text)


def tally_of(*lines):
    tally = Tally()
    for line in lines:
        tally.add(line)
    return tally


def test_a_hash_does_not_depend_on_the_order_of_rows_but_on_each_of_them():
    whole = tally_of(b"a", b"b", b"c")

    assert tally_of(b"c", b"a", b"b") == whole
    assert Tally.of(whole.rows, whole.digest) == whole
    assert tally_of(b"a", b"b", b"d") != whole
    assert tally_of(b"a", b"b", b"b") != tally_of(b"a", b"a", b"b")
    assert tally_of(b"a", b"a") != tally_of()


def test_parents_come_before_their_children():
    tables = make_tables([(name, "id", "text") for name in "abc"], without=frozenset())

    ordered = order_tables(tables, foreign_keys=[("a", "b"), ("b", "c")])

    assert [table.name for table in ordered] == ["c", "b", "a"]


def test_tables_in_a_circle_are_refused_by_name():
    tables = make_tables([(name, "id", "text") for name in "ab"], without=frozenset())

    with pytest.raises(CutoverRefused, match=r"a -> b -> a|b -> a -> b"):
        order_tables(tables, foreign_keys=[("a", "b"), ("b", "a")])


def test_a_column_of_an_unknown_type_is_refused_by_name():
    with pytest.raises(CutoverRefused, match=r"leads\.place is of type point"):
        make_tables([("leads", "place", "point")], without=frozenset())


def test_rows_that_are_rejected_count_in_the_size_of_a_chunk(monkeypatch):
    monkeypatch.setattr(copying, "CHUNK_BYTES", 1_000)
    [table] = make_tables([("leads", "phone", "text")], without=frozenset()).values()
    raw = [(rowid, value) for rowid in range(4) for value in ("\x00" * 600, b"\x00" * 600)]

    chunks = copying.cut(RowReader(table), raw=iter(raw), most=100)

    assert [len(chunk.rejected) for chunk in chunks] == [2, 2, 2, 2]


def test_a_bar_that_has_come_to_its_end_is_full():
    stream = StringIO()

    with Progress(stream, now=lambda: NOW).of("comparing leads", total=5) as advance:
        advance(3)

    assert "100%  3 of 3 rows" in stream.getvalue()


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "lines"), [(Terminal(), 4), (StringIO(), 2)])
def test_progress_shows_the_rate_and_the_time_left(clock, stream, lines):
    progress = Progress(stream, now=clock.now)

    with progress.of("copying leads", total=4_000) as advance:
        for _ in range(3):
            clock.advance(seconds=5)
            advance(1_000)
        advance(1_000)

    said = stream.getvalue().replace("\r", "\n").strip().splitlines()
    assert len([line for line in said if "copying leads" in line]) == lines
    assert "50%  2,000 of 4,000 rows  200/s  10 s left" in stream.getvalue()
    assert "100%  4,000 of 4,000 rows  267/s" in said[-1]


def test_a_table_without_rows_says_nothing():
    stream = StringIO()

    with Progress(stream, now=lambda: NOW).of("copying leads", total=0):
        pass

    assert stream.getvalue() == ""
