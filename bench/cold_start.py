"""`make bench`: what a cold start costs, function by function, under the emulator of Lambda's runtime."""

import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from local.build import Build, build_here, folder_names, python_version
from local.emulator import Emulator
from local.expectations import event_names, read_event
from local.scene import Scene
from local.settings import ROOT
from local.template import Function

STARTS = 9
WARM_REQUESTS = 15
REPORT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end -->\n"
# What any function costs: the interpreter, AWS's client of the runtime, and a handler that does nothing.
NOTHING = "def handler(event, context):\n    return {}\n"


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians, in milliseconds and bytes."""

    name: str
    init: float
    init_and_first: float
    warm: float
    zipped: int


@dataclass(frozen=True, slots=True)
class Start:
    """One fresh process: how long it took to be ready, to answer first, and to answer again."""

    init: float
    init_and_first: float
    warm: float


def main() -> int:
    build = build_here()
    print(f"Measuring: {STARTS} fresh processes for each function ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measure_all(build, scene=Scene(Path(folder))))
        nothing = measure_nothing(Path(folder) / "nothing")
    text = report(rows, nothing=nothing, layer=zipped_size(build.layer))
    print(text)
    if "--write" in sys.argv:
        write(text)
    return 0


def measure_all(build: Build, *, scene: Scene) -> Iterator[Measured]:
    """Each function that has events, with the first of them."""
    functions = folder_names()
    for folder in sorted({name.partition("/")[0] for name in event_names()}):
        function, event = functions[folder], read_event(event_names(folder)[0])
        variables = scene.variables_of(function)
        starts = [
            start(function, build=build, variables=variables, event=event, before=scene.reset)
            for _ in range(STARTS)
        ]
        yield summed_up(folder, starts, zipped=zipped_size(build.code_of(function)))


def measure_nothing(folder: Path) -> Measured:
    function = Function("Nothing", "nothing.app", "handler", 10, 512, {})
    build = Build(folder)
    build.code_of(function).mkdir(parents=True)
    (build.code_of(function) / "app.py").write_text(NOTHING)
    starts = [
        start(function, build=build, variables={}, event={}, before=lambda: None) for _ in range(STARTS)
    ]
    return summed_up("(a function that does nothing)", starts, zipped=len(NOTHING))


def start(
    function: Function,
    *,
    build: Build,
    variables: Mapping[str, str],
    event: Mapping[str, Any],
    before: Callable[[], None],
) -> Start:
    with Emulator(function, build=build, variables=variables) as emulator:
        first, *warm = [timed(emulator, event=event, before=before) for _ in range(1 + WARM_REQUESTS)]
        return Start(emulator.init_milliseconds(), first, median(warm))


def timed(emulator: Emulator, *, event: Mapping[str, Any], before: Callable[[], None]) -> float:
    """Milliseconds from the request to its answer, over HTTP on this machine."""
    before()
    began = time.perf_counter()
    answer = emulator.invoke(event)
    milliseconds = (time.perf_counter() - began) * 1000
    if isinstance(answer, dict) and "errorType" in answer:
        raise RuntimeError(f"an error is nothing to measure: {json.dumps(answer)}")
    return milliseconds


def summed_up(name: str, starts: list[Start], *, zipped: int) -> Measured:
    return Measured(
        name,
        median(one.init for one in starts),
        median(one.init_and_first for one in starts),
        median(one.warm for one in starts),
        zipped,
    )


def zipped_size(folder: Path) -> int:
    """What is uploaded, in bytes."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return len(content.getvalue())


def report(rows: list[Measured], *, nothing: Measured, layer: int) -> str:
    """Milliseconds depend on the machine and its day; the last column much less."""
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    lines = [
        f"{day}, Python {python_version()}, {machine()}; medians of {STARTS} fresh processes each.",
        "",
        "| function | init | init + first request | warm request | zipped | init, times nothing |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in (*rows, nothing):
        times = f"{row.init:.0f} ms | {row.init_and_first:.0f} ms | {row.warm:.1f} ms"
        ratio = f"{row.init / nothing.init:.1f}"
        lines.append(f"| {row.name} | {times} | {row.zipped / 1024:.1f} KB | {ratio} |")
    return "\n".join([*lines, "", f"The layer: {layer / 1e6:.1f} MB zipped."]) + "\n"


def machine() -> str:
    """The processor's name where the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} processors, {names[0]}" if names else platform.machine()


def write(text: str) -> None:
    """Put the numbers into the report, in place of those from before."""
    old = REPORT.read_text(encoding="utf-8")
    head, _, rest = old.partition(BEGIN)
    REPORT.write_text(head + BEGIN + text + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
