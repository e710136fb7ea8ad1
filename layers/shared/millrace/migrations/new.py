"""Beginning a new migration file."""

import re
from pathlib import Path

from millrace.errors import MigrationInvalid
from millrace.migrations.files import FILE_NAME

SKELETON = """\
-- migrate:up

-- migrate:down
"""
FOLDERS = (".", "postgres", "sqlite")


def create(name: str, *, folder: Path, only_for: str = ".") -> Path:
    """An empty file with the next number. `only_for`: the folder of the one database that needs it."""
    words = "_".join(re.findall(r"[a-z0-9]+", name.lower()))
    if not words:
        raise MigrationInvalid("name the migration by what it does: add_rent_to_leads")
    used = [int(found[1]) for place in FOLDERS for found in _numbered(folder / place)]
    path = folder / only_for / f"{max(used, default=0) + 1:04d}_{words}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SKELETON, encoding="utf-8")
    return path


def _numbered(place: Path) -> list[re.Match[str]]:
    return [found for path in place.glob("*.sql") if (found := FILE_NAME.fullmatch(path.name))]
