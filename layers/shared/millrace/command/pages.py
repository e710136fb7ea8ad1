"""Lists at the command line: so many of the newest, and how to go on."""

from typing import Any

from millrace.command.arms import show_table
from millrace.command.options import at_least_one


def add_page(parser: Any) -> None:
    parser.add_argument("--limit", type=at_least_one, default=20, metavar="N", help="default 20, at most 100")
    parser.add_argument("--cursor", metavar="CURSOR", help="go on where the list before it ended")


def show_page(facts: dict[str, Any], name: str, *, columns: tuple[str, ...]) -> int:
    """The table under this name, and after it what the next page is asked for with."""
    show_table(facts[name], columns=columns)
    if facts["next_cursor"] is not None:
        print(f"\nThere are more: --cursor {facts['next_cursor']}")
    return 0
