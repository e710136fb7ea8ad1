"""The schema's history: what is to be applied, what has been, and applying it."""

from millrace.migrations.runner import Status, status, up

__all__ = ["Status", "status", "up"]
