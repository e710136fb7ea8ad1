"""The API described: docs/openapi.json and the page at /docs, written from the code."""
