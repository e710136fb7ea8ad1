import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from millrace import env as env_module
from millrace.bindings.bucket import Link
from millrace.bindings.folder import FolderBucket
from millrace.bindings.queue import NoQueue, SqsQueue
from millrace.env import Config, Env, Late
from millrace.errors import ConfigurationInvalid

NOW = datetime(2025, 12, 17, 10, 0, 0, 123_456, tzinfo=UTC)
SQLITE = "sqlite:///var/millrace.db"


def make_env(**given) -> Env:
    return Env(Config(database_url=SQLITE), **given)


def test_importing_it_imports_nothing_that_costs_a_cold_start():
    heavy = (
        "{'boto3', 'botocore', 'pg8000', 'pydantic', 'sqlite3', 'aws_lambda_powertools', 'uuid', 'random'}"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", f"import millrace.env, sys; print({heavy} & set(sys.modules))"],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert loaded.stdout.strip() == "set()"


def test_touching_the_queue_and_the_bucket_does_not_import_boto3_before_they_are_used():
    touched = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, millrace.env as env\n"
            "env.current().BUCKET, env.current().QUEUE, env.current().DB\n"
            "print({'boto3', 'botocore', 'sqlite3'} & set(sys.modules))",
        ],
        env={
            "PYTHONPATH": ":".join(sys.path),
            "DATABASE_URL": "postgresql://user@127.0.0.1/millrace",
            "DATABASE_PASSWORD_SECRET": "arn:of:a:secret",
            "BUCKET_URL": "s3://millrace-documents",
            "QUEUE_URL_EVALUATION": "https://sqs.example/1/evaluation",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert touched.stdout.strip() == "set()"


def test_a_binding_is_built_once_even_when_threads_meet():
    meeting = threading.Barrier(8)
    built = []
    found = []

    def build(_env: Env) -> object:
        built.append(object())
        # Long enough for the others to arrive while this one builds.
        threading.Event().wait(0.05)
        return built[-1]

    class SlowEnv(Env):
        QUEUE = Late(build)

    env = SlowEnv(Config(database_url=SQLITE))

    def touch() -> None:
        meeting.wait()
        found.append(env.QUEUE)

    threads = [threading.Thread(target=touch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == built * 8
    assert len(built) == 1


def test_a_given_binding_is_used_instead_of_a_built_one():
    queue = NoQueue()

    assert make_env(QUEUE=queue).QUEUE is queue


def test_a_binding_that_does_not_exist_cannot_be_given():
    with pytest.raises(TypeError, match="QUUEUE"):
        make_env(QUUEUE=NoQueue())


def test_bindings_follow_the_configuration(tmp_path):
    env = Env.from_variables(
        {
            "DATABASE_URL": f"sqlite://{tmp_path}/a%20b.db",
            "BUCKET_URL": f"file://{tmp_path}/the%20bucket",
            "QUEUE_URL_EVALUATION": "https://sqs.example/1/evaluation",
        }
    )

    assert env.DB.dialect == "sqlite"
    assert isinstance(env.BUCKET, FolderBucket)
    assert env.BUCKET.folder == tmp_path / "the bucket"
    assert isinstance(env.QUEUE, SqsQueue)
    assert env.AI.default == "local/rules"
    env.close()


def test_without_queue_urls_nobody_listens():
    assert not make_env().QUEUE.configured


def test_a_function_without_a_bucket_learns_so_when_it_touches_one():
    with pytest.raises(ConfigurationInvalid, match="BUCKET_URL is missing"):
        _ = make_env().BUCKET


def test_a_function_without_a_gpu_learns_so_when_it_touches_one():
    with pytest.raises(ConfigurationInvalid, match="GPU"):
        _ = make_env().GPU


def test_closing_does_not_open_the_database_first():
    env = make_env()

    env.close()

    assert "DB" not in vars(env)


def test_the_bucket_goes_by_the_clock_of_env(tmp_path):
    config = Config(database_url=SQLITE, bucket_url=f"file://{tmp_path}")
    env = Env(config, now=lambda: NOW)

    env.BUCKET.put("a", b"body", content_type="text/plain")

    facts = env.BUCKET.head("a")
    assert facts is not None
    assert facts.uploaded_at == NOW


def test_now_is_aware_and_utc():
    assert make_env().now().tzinfo is UTC
    assert abs(make_env().now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_chance_is_never_one(monkeypatch):
    monkeypatch.setattr("os.urandom", lambda size: b"\xff" * size)

    assert 0.999 < make_env().random() < 1.0


def test_an_id_is_a_uuid_version_7_of_the_time():
    made = uuid.UUID(make_env(now=lambda: NOW).new_id())

    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == int(NOW.timestamp() * 1000)


def test_ids_keep_their_layout_whatever_chance_brings(monkeypatch):
    # The example of RFC 9562, appendix A.6.
    example = uuid.UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
    chance = 0xCC3 << 68 | 0x18C4DC0C0C07398F
    at = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    monkeypatch.setattr("os.urandom", lambda size: chance.to_bytes(size, "big"))

    assert make_env(now=lambda: at).new_id() == str(example)


def test_all_74_bits_of_an_id_are_chance(monkeypatch):
    env = make_env(now=lambda: NOW)
    patterns = []
    for byte in (b"\x00", b"\xff"):
        monkeypatch.setattr("os.urandom", lambda size, byte=byte: byte * size)
        patterns.append(uuid.UUID(env.new_id()).int)

    assert (patterns[0] ^ patterns[1]).bit_count() == 74


def test_an_id_with_a_prefix_is_plain_hexadecimal():
    prefix, _, digits = make_env().new_id("job").partition("_")

    assert prefix == "job"
    assert len(digits) == 32
    assert uuid.UUID(hex=digits).version == 7


def test_ids_sort_by_their_time():
    times = iter([NOW, NOW + timedelta(milliseconds=1), NOW + timedelta(days=400)])
    env = make_env(now=lambda: next(times))

    ids = [env.new_id() for _ in range(3)]

    assert ids == sorted(ids)


def test_the_env_of_the_process_is_made_once_from_its_variables(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", SQLITE)
    monkeypatch.setattr(
        env_module, "read_environment", env_module.cache(env_module.read_environment.__wrapped__)
    )

    first = env_module.current()

    assert first.config.database_url == SQLITE
    assert env_module.current() is first


def test_the_env_of_the_process_says_what_is_missing_each_time_it_is_asked(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(
        env_module, "read_environment", env_module.cache(env_module.read_environment.__wrapped__)
    )

    for _ in range(2):
        with pytest.raises(ConfigurationInvalid, match="DATABASE_URL is missing"):
            env_module.current()


def test_no_repr_tells_a_secret(tmp_path):
    env = Env.from_variables(
        {
            "DATABASE_URL": "postgresql://millrace:hidden-password@127.0.0.1/millrace",
            "BUCKET_URL": f"file://{tmp_path}",
            "BUCKET_LINKS_URL": "http://127.0.0.1:8787/__bucket",
            "BUCKET_LINKS_SECRET": "hidden-links-secret",
        }
    )
    link = env.BUCKET.presign_download("a", expires_seconds=60, now=NOW)

    shown = [repr(thing) for thing in (env, env.config, env.DB, env.BUCKET, env.QUEUE, env.AI, link)]

    assert isinstance(link, Link)
    assert "signature" in link.url
    assert not [text for text in shown if "hidden" in text or "signature" in text]
