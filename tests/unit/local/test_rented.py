"""The GPU that `make run` rents."""

import os
from collections.abc import Mapping

import pytest

from local import rented
from local.settings import gpu_variables
from millrace.bindings.gpu.runpod import Runpod
from millrace.domain.configuration import read_config

NAMED = {"GPU_ENDPOINT_ID": "endpoint", "GPU_KEY": "opens nothing", "GPU_PRICE": "0.1"}


def environment(monkeypatch: pytest.MonkeyPatch, said: Mapping[str, str]) -> None:
    monkeypatch.setattr(os, "environ", dict(said))


def test_without_a_word_it_is_one_of_this_machine_with_a_key_of_its_own(monkeypatch: pytest.MonkeyPatch):
    environment(monkeypatch, {"GPU_PRICE": "0.1", "GPU_KEY_SECRET": "of-another-program"})

    with rented.rented_gpu():
        variables = gpu_variables(os.environ)
        config = read_config({"DATABASE_URL": "sqlite:///tmp/none.db", **variables})
        access = config.gpu_access
        # Asked with the key, and not refused.
        unknown = Runpod.of(access).status("nobody")

    assert access.url.startswith("http://127.0.0.1:")
    assert len(access.key.value) > 16
    assert unknown is None
    assert config.gpu_second_microusd == 100_000


def test_the_one_that_the_environment_names_is_used_instead(monkeypatch: pytest.MonkeyPatch):
    environment(monkeypatch, NAMED)
    monkeypatch.setattr(rented, "LocalRunpod", None)

    with rented.rented_gpu():
        assert gpu_variables(os.environ) == NAMED
