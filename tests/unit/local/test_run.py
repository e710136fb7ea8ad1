"""What `python -m local.run` is asked for."""

import socket
from pathlib import Path

import pytest

from local import run
from local.settings import ROOT, Settings, local_variables, read_links_secret


def test_without_arguments_it_is_sqlite_and_demo_data_on_port_8787(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PORT", raising=False)

    settings, how = run.read_arguments([])

    assert settings == Settings(data=ROOT / ".millrace")
    assert (settings.port, settings.demo_data, settings.doorbell, how.reload) == (8787, True, True, True)
    assert settings.database == f"sqlite://{ROOT}/.millrace/millrace.db"


def test_every_flag_is_taken(tmp_path: Path):
    flags = "--port 9000 --database postgresql://u@h/n --no-demo-data --no-reload --no-doorbell"

    settings, how = run.read_arguments([*flags.split(), "--data", str(tmp_path)])

    assert settings == Settings(
        data=tmp_path, port=9000, database_url="postgresql://u@h/n", demo_data=False, doorbell=False
    )
    assert not how.reload


def test_what_ends_with_its_standard_input_does_not_reload():
    _, how = run.read_arguments(["--until-stdin-ends"])

    assert how == run.How(reload=False, until_stdin_ends=True)


def test_settings_survive_the_way_to_another_process(tmp_path: Path):
    settings = Settings(data=tmp_path, port=9000, doorbell=False)

    assert Settings.of_json(settings.to_json()) == settings


def test_a_taken_port_is_said_and_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(run, "BIND_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("sys.argv", ["run", "--port", str(port)])

        status = run.main()

    assert status == 1
    assert f"Port {port} is taken" in capsys.readouterr().err


def test_a_password_in_the_database_url_is_not_shown(tmp_path: Path):
    settings = Settings(data=tmp_path, database_url="postgresql://me:secret@host:5432/name")

    assert run.shown(settings) == "host:5432/name"


def test_a_function_is_told_of_this_machine_and_not_of_the_cloud(tmp_path: Path):
    cloud = {
        "DATABASE_URL": "postgresql://db/name",
        "DATABASE_IAM": "true",
        "DATABASE_USER": "millrace_api",
        "BUCKET_URL": "s3://bucket",
        "AI_MODELS": "local/rules",
    }
    settings = Settings(data=tmp_path, port=9000)

    told = local_variables(cloud, settings=settings, links_secret="x" * 32, roles=False)

    assert told == {
        "DATABASE_URL": f"sqlite://{tmp_path}/millrace.db",
        "BUCKET_URL": f"file://{tmp_path}/bucket",
        "BUCKET_LINKS_URL": "http://127.0.0.1:9000/__bucket",
        "BUCKET_LINKS_SECRET": "x" * 32,
        "AI_MODELS": "local/rules",
    }


def test_on_a_server_with_the_roles_a_function_logs_in_as_its_role(tmp_path: Path):
    settings = Settings(data=tmp_path, database_url="postgresql://me@host/name")

    told = local_variables({"DATABASE_USER": "millrace_api"}, settings=settings, links_secret="", roles=True)

    assert told == {"DATABASE_USER": "millrace_api", "DATABASE_URL": "postgresql://me@host/name"}


def test_the_secret_of_the_links_is_made_once_and_is_nobody_elses(tmp_path: Path):
    first = read_links_secret(tmp_path)

    assert read_links_secret(tmp_path) == first
    assert (tmp_path / "links.secret").stat().st_mode & 0o077 == 0
