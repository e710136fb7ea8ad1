"""Plain lines of text as a PDF: what a typewriter would have made of them, the same bytes each time."""

from collections.abc import Iterable, Sequence

# US Letter, in points.
WIDTH, HEIGHT, MARGIN = 612, 792, 54
FONT_SIZE, LEADING = 9, 12
LINES_PER_PAGE = (HEIGHT - 2 * MARGIN) // LEADING
ESCAPES = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})


def write_pdf(text: str) -> bytes:
    """Valid PDF 1.4. Signs that Windows-1252 does not know become question marks."""
    lines = text.expandtabs().splitlines() or [""]
    pages = [lines[first : first + LINES_PER_PAGE] for first in range(0, len(lines), LINES_PER_PAGE)]
    return assemble(list(objects_of(pages)))


def objects_of(pages: Sequence[Sequence[str]]) -> Iterable[bytes]:
    """Catalog, page tree, font, and then each page with what is on it."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    yield b"<< /Type /Catalog /Pages 2 0 R >>"
    yield f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()
    yield b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"
    for number, lines in enumerate(pages):
        yield (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}]"
            f" /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>"
        ).encode()
        content = page_content(lines)
        yield b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)


def page_content(lines: Iterable[str]) -> bytes:
    shown = "\n".join(f"({line.translate(ESCAPES)}) Tj T*" for line in lines)
    start = f"BT /F1 {FONT_SIZE} Tf {LEADING} TL {MARGIN} {HEIGHT - MARGIN - FONT_SIZE} Td"
    return f"{start}\n{shown}\nET".encode("cp1252", errors="replace")


def assemble(objects: Sequence[bytes]) -> bytes:
    """The file: a header, the objects, where each of them is, and where that is said."""
    # Four bytes above 127 tell programs that move files that this one is not text.
    file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return file + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(file))
    )
