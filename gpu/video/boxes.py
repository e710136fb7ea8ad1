"""The boxes that an MP4 or MOV file is made of: each says its length, so a file that was cut off shows."""

import struct
from pathlib import Path

FIRST_KINDS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp"}
HEADER = struct.Struct(">I4s")
LARGE = struct.Struct(">Q")


def is_cut_off(path: Path) -> bool:
    """A box promises more than the file holds. False for files that are not made of boxes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + HEADER.size <= size:
            file.seek(at)
            length, kind = HEADER.unpack(file.read(HEADER.size))
            if at == 0 and kind not in FIRST_KINDS:
                return False
            if length == 0:
                # It reaches to the end, wherever that is.
                return False
            if length == 1 and at + HEADER.size + LARGE.size <= size:
                (length,) = LARGE.unpack(file.read(LARGE.size))
            if length < HEADER.size:
                return False
            at += length
    return at > size
