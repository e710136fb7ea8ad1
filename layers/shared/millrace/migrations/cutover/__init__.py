"""From SQLite to PostgreSQL: every row is copied or named, and both sides are shown to be equal."""

from millrace.migrations.cutover.comparing import rehearse, verify
from millrace.migrations.cutover.copying import CHUNK_ROWS, copy, finish
from millrace.migrations.cutover.progress import Progress
from millrace.migrations.cutover.report import Report
from millrace.migrations.cutover.sides import Sides, open_sides

__all__ = ["CHUNK_ROWS", "Progress", "Report", "Sides", "copy", "finish", "open_sides", "rehearse", "verify"]
