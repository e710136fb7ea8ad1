"""Every file in events/, given to the built function under the emulator of Lambda's runtime."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.cold_start import zipped_size
from local.build import Build, build_here, folder_names
from local.emulator import Emulator
from local.expectations import differences, event_names, read_event, read_expected, shown
from local.scene import Scene


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return build_here(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def emulators(build: Build, scene: Scene) -> Iterator[dict[str, Emulator]]:
    """Every function that has events, each in a process of its own."""
    functions = folder_names()
    running = {
        folder: Emulator(functions[folder], build=build, variables=scene.variables_of(functions[folder]))
        for folder in {name.partition("/")[0] for name in event_names()}
    }
    entered = []
    try:
        for emulator in running.values():
            entered.append(emulator.__enter__())
        yield running
    finally:
        for emulator in entered:
            emulator.__exit__()


@pytest.mark.parametrize("name", event_names())
def test_the_built_function_answers_as_expected(name: str, emulators: dict[str, Emulator], scene: Scene):
    scene.reset()

    answer = emulators[name.partition("/")[0]].invoke(read_event(name))

    assert list(differences(read_expected().get(name), shown(answer))) == []


def test_no_expectation_is_for_an_event_that_is_gone():
    assert set(read_expected()) == set(event_names())


def test_the_build_holds_what_is_deployed_and_nothing_else(build: Build):
    names = {path.name for path in build.folder.rglob("*")}

    assert {"app.py", "millrace", "pg8000", "pydantic_core"} <= names
    assert names.isdisjoint({"tests", "conftest.py", ".pytest_cache", "Makefile", "boto3", "swagger-ui.css"})


def test_the_layer_is_under_eight_megabytes_as_it_is_uploaded(build: Build):
    assert zipped_size(build.layer) < 8_000_000


def test_every_module_of_the_layer_is_compiled_and_is_not_compared_with_its_source(build: Build):
    sources = list((build.layer / "millrace").rglob("*.py"))
    compiled = list((build.layer / "millrace").rglob("*.pyc"))

    assert len(compiled) == len(sources)
    assert {flags_of(path) for path in compiled} == {0b01}


def flags_of(compiled: Path) -> int:
    """PEP 552: bit 0 says that the file goes by a hash, bit 1 that it is checked."""
    return int.from_bytes(compiled.read_bytes()[4:8], "little")


def test_a_function_without_its_configuration_is_an_error_and_no_answer(build: Build):
    function = folder_names()["create_job"]

    with Emulator(function, build=build, variables={}) as emulator:
        answer: Any = emulator.invoke(read_event("create_job/minimal"))

    assert answer["errorType"] == "ConfigurationInvalid"
    assert "DATABASE_URL is missing" in answer["errorMessage"]
