"""Millrace: slow work behind a fast API. The rooms and who may import whom are in docs/architecture.md."""
