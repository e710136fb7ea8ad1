"""PDF files put together by hand: as they should be, and as nobody should send them."""

import zlib
from collections.abc import Sequence

HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def pdf_of(objects: Sequence[bytes], *, trailer: bytes = b"") -> bytes:
    """The first object is the catalog."""
    file, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    size = b"/Size %d /Root 1 0 R %b" % (len(objects) + 1, trailer)
    return file + head + table + b"trailer\n<< %b >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(file))


def stream(content: bytes, *, more: bytes = b"", squeezed: bool = True) -> bytes:
    kept = zlib.compress(content, 9) if squeezed else content
    filtered = b"/Filter /FlateDecode " if squeezed else b""
    return b"<< %b%b /Length %d >>\nstream\n%b\nendstream" % (filtered, more, len(kept), kept)


def page_of(
    content: bytes, *, resources: bytes = b"", squeezed: bool = True, more: Sequence[bytes] = ()
) -> bytes:
    """One page with this on it, in Helvetica called F1; `more` are objects from number 6 on."""
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> %b >> >>" % resources,
            stream(content, squeezed=squeezed),
            HELVETICA,
            *more,
        ]
    )


def many_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % (4 + 2 * number) for number in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, count),
        HELVETICA,
    ]
    for number in range(count):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number)
        )
        objects.append(stream(b"BT /F1 10 Tf 50 700 Td (page %d) Tj ET" % (number + 1)))
    return pdf_of(objects)


def many_fonts(count: int, *, table: bytes) -> bytes:
    """A page that uses so many fonts, each with a table that says which of its codes is which sign."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"",
        stream(b"".join(b"BT /F%d 10 Tf (x) Tj ET " % number for number in range(count))),
    ]
    fonts, signs = b"", stream(table)
    for number in range(count):
        fonts += b"/F%d %d 0 R " % (number, len(objects) + 1)
        objects.append(
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode %d 0 R >>" % (len(objects) + 2)
        )
        objects.append(signs)
    objects[2] = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << %b >> >> >>" % fonts
    return pdf_of(objects)
