"""`make invoke`: builds the functions and gives them the files in events/, without AWS or Docker."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from local.build import Build, BuildFailed, build_here, folder_names, python_version
from local.emulator import Emulator, EmulatorFailed
from local.expectations import differences, event_names, read_event, read_expected, shown
from local.scene import Scene


def main() -> int:
    """Answer one event, or compare the answers to all of them with what is expected. The exit code."""
    function, event = read_arguments(sys.argv[1:])
    try:
        print("Building ...", file=sys.stderr, flush=True)
        build = build_here()
        print(
            f"Built for Python {python_version()}, with which .venv-sam was made.",
            file=sys.stderr,
            flush=True,
        )
        with tempfile.TemporaryDirectory() as folder:
            if event:
                return answer_one(f"{function}/{event}", build=build, folder=Path(folder))
            return compare_all(event_names(function), build=build, folder=Path(folder))
    except (BuildFailed, EmulatorFailed) as error:
        print(error, file=sys.stderr)
        return 1


def read_arguments(arguments: Sequence[str]) -> tuple[str | None, str | None]:
    parser = argparse.ArgumentParser(prog="make invoke", description="Run built functions.")
    parser.add_argument("function", nargs="?", choices=sorted(folder_names()), help="such as create_job")
    parser.add_argument("event", nargs="?", help="a file in events/FUNCTION, such as minimal")
    given = parser.parse_args([argument for argument in arguments if argument])
    if given.event and f"{given.function}/{given.event}" not in event_names(given.function):
        known = ", ".join(name.partition("/")[2] for name in event_names(given.function))
        parser.error(f"events/{given.function} has no {given.event}. It has: {known}")
    return given.function, given.event


def answer_one(name: str, *, build: Build, folder: Path) -> int:
    """Print what the function answers, and on standard error what it logs."""
    scene = Scene(folder, database_url=os.environ.get("DATABASE_URL") or None)
    function = folder_names()[name.partition("/")[0]]
    with Emulator(function, build=build, variables=scene.variables_of(function)) as emulator:
        answer = emulator.invoke(read_event(name))
        print("\n".join(own_lines(emulator.printed())), file=sys.stderr, flush=True)
    print(json.dumps(shown(answer), indent=2, ensure_ascii=False))
    return 1 if isinstance(answer, dict) and "errorType" in answer else 0


def own_lines(printed: str) -> Iterator[str]:
    """What the function wrote, without the emulator's account of itself."""
    return (line for line in printed.splitlines() if " (rapid) " not in line)


def compare_all(names: Sequence[str], *, build: Build, folder: Path) -> int:
    wrong = 0
    expected = read_expected()
    for name, answer in answers_to(names, build=build, scene=Scene(folder)):
        faults = list(differences(expected.get(name, "an entry in events/expected.json"), shown(answer)))
        wrong += bool(faults)
        print("\n    ".join([f"{'wrong' if faults else 'right'}  {name}", *faults]), flush=True)
    print(f"{len(names)} events, {wrong} of them answered wrongly.")
    return 1 if wrong else 0


def answers_to(names: Sequence[str], *, build: Build, scene: Scene) -> Iterator[tuple[str, Any]]:
    """Each event's answer. One process for each function, and for each event the scene as it was."""
    functions = folder_names()
    for folder, events in groupby(names, key=lambda name: name.partition("/")[0]):
        function = functions[folder]
        with Emulator(function, build=build, variables=scene.variables_of(function)) as emulator:
            for name in events:
                scene.reset()
                yield name, emulator.invoke(read_event(name))


if __name__ == "__main__":
    sys.exit(main())
