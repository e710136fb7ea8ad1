"""A small cloud of our own, served over a real socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from local.cloud import Cloud
from local.serve import Server
from local.settings import Settings
from local.template import Template, read_template

TEMPLATE = Path(__file__).parent / "cloud" / "template.yaml"


@dataclass(frozen=True)
class Served:
    cloud: Cloud
    client: httpx.Client
    server: Server


class Stopwatch:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="session")
def template() -> Template:
    return read_template(TEMPLATE)


@contextmanager
def serving(template: Template, data: Path) -> Iterator[Served]:
    listener = socket.create_server(("127.0.0.1", 0))
    settings = Settings(data=data, port=listener.getsockname()[1], template=TEMPLATE)
    cloud = Cloud(template, settings=settings)
    server = Server(cloud, on_started=lambda: None)
    thread = threading.Thread(target=server.run, args=[[listener]])
    thread.start()
    with httpx.Client(base_url=settings.url) as client:
        yield Served(cloud, client, server)
    server.end()
    thread.join()


@pytest.fixture(scope="module")
def served(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(template, tmp_path_factory.mktemp("data")) as served:
        yield served


@pytest.fixture
def client(served: Served) -> httpx.Client:
    return served.client
