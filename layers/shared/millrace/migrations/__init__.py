"""The schema's history: what is to be applied, what has been, applying it and rolling it back."""

from millrace.migrations.backups import backup, last_backup_at, path_of, restore
from millrace.migrations.drawing import draw
from millrace.migrations.new import create
from millrace.migrations.runner import Status, check, down, read_plan, status, up
from millrace.migrations.verify import compare, read_schema, to_text, verify

__all__ = [
    "Status",
    "backup",
    "check",
    "compare",
    "create",
    "down",
    "draw",
    "last_backup_at",
    "path_of",
    "read_plan",
    "read_schema",
    "restore",
    "status",
    "to_text",
    "up",
    "verify",
]
