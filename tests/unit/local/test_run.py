"""What `python -m local.run` is asked for."""

import errno
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import run
from local.settings import ROOT, Settings, local_variables, model_variables, read_links_secret


def test_without_arguments_it_is_sqlite_and_demo_data_on_port_8787(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PORT", raising=False)

    settings, how = run.read_arguments([])

    assert settings == Settings(data=ROOT / ".millrace")
    assert (settings.port, settings.demo_data, how.reload) == (8787, True, True)
    assert (settings.doorbell, settings.schedule) == (True, True)
    assert settings.database == f"sqlite://{ROOT}/.millrace/millrace.db"


def test_every_flag_is_taken(tmp_path: Path):
    flags = "--port 9000 --database postgresql://u@h/n --no-demo-data --no-reload --no-doorbell --no-schedule"
    places = ["--data", str(tmp_path), "--public-url", "https://tunnel.example/"]

    settings, how = run.read_arguments([*flags.split(), *places])

    assert settings == Settings(
        data=tmp_path,
        port=9000,
        public_url="https://tunnel.example",
        database_url="postgresql://u@h/n",
        demo_data=False,
        doorbell=False,
        schedule=False,
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

    assert settings.database_shown == "host:5432/name"


@pytest.mark.parametrize("port", ["abc", "", "0", "-1", "65536", "1e3", "9" * 5000])
def test_what_is_no_port_is_said(port: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        run.read_arguments([f"--port={port}"])

    assert "is no port: say a number from 1 to 65535" in capsys.readouterr().err


def test_a_port_of_the_environment_is_held_to_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PORT", "abc")

    with pytest.raises(SystemExit):
        run.read_arguments([])

    assert "abc is no port" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["postgresql://h:notaport/x", "postgresql://h", "mysql://h/x"])
def test_what_is_no_database_url_is_said(url: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        run.read_arguments([f"--database={url}"])

    assert "postgresql://user:password@host:port/name" in capsys.readouterr().err.partition("error:")[2]


def test_a_port_that_may_not_be_used_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refuse(port: int) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(run, "listen", refuse)
    monkeypatch.setattr("sys.argv", ["run", "--port", "80"])

    assert run.main() == 1
    assert "Port 80 cannot be used: Permission denied" in capsys.readouterr().err


def test_a_function_is_told_of_this_machine_and_not_of_the_cloud(tmp_path: Path):
    cloud = {
        "DATABASE_URL": "postgresql://db/name",
        "DATABASE_IAM": "true",
        "DATABASE_USER": "millrace_api",
        "BUCKET_URL": "s3://bucket",
        "AI_MODELS": "local/rules",
        "SEAL_KEY": "kms:alias/millrace",
        "MAX_WAIT_SECONDS": "0",
        "METRICS_NAMESPACE": "Millrace/prod",
    }
    settings = Settings(data=tmp_path, port=9000)

    told = local_variables(cloud, settings=settings, links_secret="x" * 32, roles=False)

    assert told == {
        "DATABASE_URL": f"sqlite://{tmp_path}/millrace.db",
        "BUCKET_URL": f"file://{tmp_path}/bucket",
        "BUCKET_LINKS_URL": "http://127.0.0.1:9000/__bucket",
        "BUCKET_LINKS_SECRET": "x" * 32,
        "AI_MODELS": "local/rules",
        "SEAL_KEY": f"file://{tmp_path}/seal.key",
        "MAX_WAIT_SECONDS": "20",
        "METRICS_NAMESPACE": "none",
    }


def test_whoever_is_elsewhere_is_given_links_that_lead_here(tmp_path: Path):
    cloud = {"BUCKET_URL": "s3://bucket", "CALLBACK_URL": "https://api.example"}
    settings = Settings(data=tmp_path, public_url="https://tunnel.example")

    told = local_variables(cloud, settings=settings, links_secret="", roles=False)

    assert told["BUCKET_LINKS_URL"] == "https://tunnel.example/__bucket"
    assert told["CALLBACK_URL"] == "https://tunnel.example"


def test_what_is_no_public_address_is_said(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        run.read_arguments(["--public-url=tunnel"])

    assert "must be an http:// or https:// address" in capsys.readouterr().err


def test_who_starts_it_chooses_the_models_and_how_they_are_reached():
    chosen = {
        "AI_MODELS": "openai/own",
        "AI_PRICES": "openai/own=0/0",
        "OPENAI_BASE_URL": "http://127.0.0.1/v1",
    }

    assert model_variables({**chosen, "PATH": "/bin"}) == chosen
    assert model_variables({"OPENAI_API_KEY": "of-another-program"}) == {}


def test_on_a_server_with_the_roles_a_function_logs_in_as_its_role(tmp_path: Path):
    settings = Settings(data=tmp_path, database_url="postgresql://me@host/name")

    told = local_variables({"DATABASE_USER": "millrace_api"}, settings=settings, links_secret="", roles=True)

    assert (told["DATABASE_USER"], told["DATABASE_URL"]) == ("millrace_api", "postgresql://me@host/name")


def test_a_function_that_seals_nothing_is_given_no_key(tmp_path: Path):
    told = local_variables({}, settings=Settings(data=tmp_path), links_secret="", roles=False)

    assert "SEAL_KEY" not in told


def test_the_secret_of_the_links_is_made_once_and_is_nobody_elses(tmp_path: Path):
    first = read_links_secret(tmp_path)

    assert read_links_secret(tmp_path) == first
    assert (tmp_path / "links.secret").stat().st_mode & 0o077 == 0


def test_an_empty_secret_that_somebody_who_was_killed_has_left_is_made_anew(tmp_path: Path):
    (tmp_path / "links.secret").touch()

    made = read_links_secret(tmp_path)

    assert len(made) == 64
    assert read_links_secret(tmp_path) == made


def test_who_starts_at_the_same_time_has_the_same_secret(tmp_path: Path):
    with ThreadPoolExecutor(8) as threads:
        secrets = set(threads.map(lambda _: read_links_secret(tmp_path), range(32)))

    assert len(secrets) == 1


def test_the_arguments_are_read_before_anything_slow_is_imported():
    # So that a Ctrl-C of the first moment ends it without a word.
    slow = "{'uvicorn', 'watchfiles', 'aws_lambda_powertools', 'pydantic'}"

    subprocess.run(
        [sys.executable, "-c", f"import sys, local.run; assert not {slow} & sys.modules.keys()"],
        cwd=ROOT,
        check=True,
    )
