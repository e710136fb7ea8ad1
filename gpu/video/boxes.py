"""The boxes that an MP4 or MOV file is made of: each says its length, so a file that was cut off shows."""

import struct
from pathlib import Path

KINDS = {
    b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip",
    b"uuid", b"meta", b"udta", b"moof", b"mfra", b"sidx", b"emsg",
}  # fmt: skip
HEADER = struct.Struct(">I4s")
LARGE = struct.Struct(">Q")


def is_cut_off(path: Path) -> bool:
    """A box promises more than the file holds. False for files that are not made of boxes.

    What promises too much and is of no kind we know is no box that was cut off: it is garbage.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        at, kind = 0, b""
        while at + HEADER.size <= size:
            file.seek(at)
            length, kind = HEADER.unpack(file.read(HEADER.size))
            if at == 0 and kind not in KINDS:
                return False
            if length == 0:
                # It reaches to the end, wherever that is.
                return False
            if length == 1 and at + HEADER.size + LARGE.size <= size:
                (length,) = LARGE.unpack(file.read(LARGE.size))
            if length < HEADER.size:
                return False
            at += length
    return at > size and kind in KINDS
