"""`make describe`: writes the description anew, for reading and as it is served."""

import json
import sys
from pathlib import Path

from local.openapi.document import describe, read_routes
from local.openapi.page import render_page
from local.openapi.scopes import render_scopes
from local.settings import ROOT

SERVED = ROOT / "functions" / "describe_api"


def render_all() -> dict[Path, str]:
    """Each file that is written, with what belongs in it."""
    routes = read_routes()
    document = describe(routes)
    return {
        ROOT / "docs" / "scopes.md": render_scopes(routes),
        ROOT / "docs" / "openapi.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        SERVED / "openapi.json": json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n",
        SERVED / "docs.html": render_page(document),
    }


def main() -> int:
    for path, text in render_all().items():
        path.write_text(text, encoding="utf-8")
        print(f"Written: {path.relative_to(ROOT)} ({len(text) / 1024:.0f} KB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
