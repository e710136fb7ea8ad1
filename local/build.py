"""Builds what is deployed, as `sam build` does, but for this machine: its processor and its Python."""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.settings import ROOT
from local.template import Function, read_template

SAM = ROOT / ".venv-sam"
# What the Lambda runtime has, for the Python of that environment.
RUNTIME = SAM / "runtime"
OUT = ROOT / ".aws-sam" / "here"


class BuildFailed(Exception):
    """There is no `sam` here, or it said no. The message says what to do, or what it said."""


@dataclass(frozen=True, slots=True)
class Build:
    """A folder as `sam build` leaves it, for the processor and the Python of this machine."""

    folder: Path

    @property
    def layer(self) -> Path:
        return self.folder / "SharedLayer" / "python"

    def code_of(self, function: Function) -> Path:
        return self.folder / function.name


def build_here(folder: Path = OUT) -> Build:
    """Build into this folder. Raises BuildFailed."""
    if not (RUNTIME / "awslambdaric").is_dir():
        raise BuildFailed("sam and the Lambda runtime are not installed here: make tools")
    command: list[str | Path] = [
        SAM / "bin" / "sam",
        "build",
        "--build-dir",
        folder,
        "--template",
        ROOT / "template.yaml",
    ]
    variables = {
        "ARCHITECTURE": platform.machine(),
        "PYTHON_VERSION": python_version(),
        "PIP": f"{SAM / 'bin' / 'python'} -m pip",
        "SAM_CLI_TELEMETRY": "0",
        # What was given to our own make, as in PYTHON=…, is not meant for sam's.
        "MAKEFLAGS": "",
    }
    done = subprocess.run(  # noqa: S603  # our own words
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildFailed(done.stdout + done.stderr)
    return Build(folder)


def folder_names() -> dict[str, Function]:
    """Each function of the template by the name of its folder, as in functions/create_job."""
    functions = read_template(ROOT / "template.yaml").functions.values()
    return {function.module.split(".")[-2]: function for function in functions}


def interpreter() -> Path:
    """The Python behind sam's virtual environment, since Lambda's is in none either."""
    return (SAM / "bin" / "python").resolve()


def python_version() -> str:
    (folder,) = (SAM / "lib").glob("python3.*")
    return folder.name.removeprefix("python")
