"""docs/cutover.md taken literally: one shell knows both databases, so each command says which it is for."""

import re
import shlex
from pathlib import Path

import pytest

from millrace.command.line import build_parser

PAGE = (Path(__file__).parents[3] / "docs/cutover.md").read_text()
STEPS = PAGE.partition("## The tunnel")[2]
COMMANDS = re.findall(r"^ *bin/millrace (.+)$", STEPS, re.MULTILINE)
ON_SQLITE = ("jobs", "backup")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_names_its_databases(command):
    given = vars(build_parser().parse_args(shlex.split(command)))

    if command.startswith("copy"):
        assert given["source"] == "$SOURCE"
        assert given["target"].startswith(("$AURORA", "${AURORA%/*}/"))
    else:
        assert given["database"].startswith("$SOURCE" if command.startswith(ON_SQLITE) else "$")


def test_each_step_has_its_command_in_the_order_in_which_it_can_be_run():
    said = [command.split(" ")[0] for command in COMMANDS]

    assert said.index("migrations") < said.index("jobs") < said.index("backup")
    assert STEPS.index("Open the tunnel") < STEPS.index("bin/millrace")
    assert "export DATABASE_URL" not in PAGE
    assert "`bin/millrace" not in STEPS
