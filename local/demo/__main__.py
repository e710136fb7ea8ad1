"""`make demo`: takes jobs through their whole life over HTTP, as any client would, and shows the results."""

import argparse
import os
import sys
from pathlib import Path

from local.demo.client import Client, DemoFailed, running_system
from local.demo.evaluations import show_evaluations
from local.demo.exports import show_exports
from local.settings import PORT, ROOT

FOLDER = ROOT / ".millrace" / "demo"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m local.demo", description="Take jobs through their whole life."
    )
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("PORT") or PORT), help=f"default {PORT}"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where videos go; default .millrace/demo")
    given = parser.parse_args()
    try:
        with running_system(given.port) as url:
            refuse_strangers(url)
            show_evaluations(url)
            show_exports(url, folder=given.folder)
    except DemoFailed as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\nEverything went as it should.")
    return 0


def refuse_strangers(url: str) -> None:
    """Without a key nobody is let in, and with the wrong one neither."""
    for client, status in ((Client(url, {}), 401), (Client.of(url, token="wrong"), 403)):  # noqa: S106
        client.call("GET", "/api/ops/ai-evaluation-jobs/job_none", expect={status})
    print("No key: 401. A wrong key: 403.")


if __name__ == "__main__":
    sys.exit(main())
