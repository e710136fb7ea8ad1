"""That no PDF breaks, blocks or fills the one who reads it."""

import json
import random
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from local.demo_pdf import write_pdf
from millrace.bindings.ai.pdf import Unreadable, text_of_pdf
from millrace.bindings.stopwatch import Deadline
from tests.pdfs import many_fonts, many_pages, page_of

PLAIN = page_of(b"BT /F1 10 Tf 50 700 Td (Net pay $1,579.45) Tj ET", squeezed=False)


def read(content, *, seconds=60):
    text, _ = text_of_pdf(content, deadline=Deadline(seconds))
    return text


def mangle(content, *, chance):
    """The same file with some bytes lost, doubled, moved or changed."""
    mangled = bytearray(content)
    for _ in range(chance.randint(1, 10)):
        place = chance.randrange(len(mangled))
        length = chance.randint(1, 30)
        match chance.randrange(4):
            case 0:
                mangled[place] = chance.randrange(256)
            case 1:
                del mangled[place : place + length]
            case 2:
                mangled[place:place] = mangled[place : place + length]
            case _:
                other = chance.randrange(len(mangled))
                mangled[place : place + length] = mangled[other : other + length]
    return bytes(mangled)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_bytes_there_is_a_text_or_a_reason(seed):
    chance = random.Random(seed)
    whole = [
        write_pdf("Net pay $1,579.45\nGross pay $2,000.00"),
        PLAIN,
        many_pages(3),
        many_fonts(2, table=b"x"),
    ]
    read_all = 0
    for _ in range(150):
        try:
            assert isinstance(read(mangle(chance.choice(whole), chance=chance)), str)
        except Unreadable:
            continue
        read_all += 1

    assert read_all > 10


def repeated(piece, *, size=1_900_000):
    return piece * (size // len(piece))


HOSTILE = {
    "a page that inflates": page_of(repeated(b" ", size=60_000_000)),
    "many texts": page_of(b"BT /F1 10 Tf " + repeated(b"(x)Tj ")),
    "texts all over": page_of(
        b"".join(b"BT/F1 900 Tf %d %d Td(x)Tj ET " % (n, n // 2) for n in range(60_000))
    ),
    "states that nest": page_of(repeated(b"q ")),
    "a long string": page_of(b"BT /F1 10 Tf (" + repeated(b"x") + b")Tj ET"),
    "parentheses": page_of(b"BT (" + repeated(b"(")),
    "arrays": page_of(repeated(b"[")),
    "dictionaries": page_of(repeated(b"<<")),
    "comments": page_of(repeated(b"%\n")),
    "images in the page": page_of(repeated(b"BI /W 1 ID xx ")),
    "numbers": page_of(repeated(b"1 ")),
    "tables of signs": many_fonts(60, table=repeated(b"1 beginbfchar <01> <0041> endbfchar\n")),
    "empty tables": many_fonts(1_500, table=repeated(b" ")),
    "objects without end": b"%PDF-1.4\n" + repeated(b"1 0 obj ", size=4_900_000),
    "beginnings of tables": b"%PDF-1.4\n" + repeated(b"xref ", size=4_900_000),
    "ends of files": b"%PDF-1.4\n" + repeated(b"startxref\n1\n", size=4_900_000),
    "trailers": b"%PDF-1.4\n"
    + repeated(b"trailer<</Root 1 0 R>>", size=4_900_000)
    + b"\nstartxref\n9\n%%EOF",
    "nothing but lines": b"%PDF-1.4\n" + b"\n" * 4_900_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_pdf_takes_long(content):
    started = time.process_time()

    with suppress(Unreadable):
        read(content, seconds=1)

    assert time.process_time() - started < 20


def test_no_pdf_takes_much_memory(tmp_path):
    """A thousand streams of two megabytes each, squeezed to a few bytes."""
    path = tmp_path / "bomb.pdf"
    path.write_bytes(HOSTILE["empty tables"])
    code = f"""
import json, resource
from pathlib import Path
from millrace.bindings.ai.pdf import Unreadable, text_of_pdf
from millrace.bindings.stopwatch import Deadline
# A process begins with the mark of the one that started it.
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    text_of_pdf(Path({str(path)!r}).read_bytes(), deadline=Deadline(None))
    why = None
except Unreadable as fault:
    why = str(fault)
print(json.dumps([why, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    why, before, kilobytes = json.loads(done.stdout)
    assert why == "it takes too long to read"
    assert kilobytes < max(before + 1, 700_000)
