"""What a function is given of the world: its bindings, built at first touch, the clock, ids and chance."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import unquote, urlsplit

from millrace.domain.configuration import Config, read_config
from millrace.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from millrace.bindings.ai import AI
    from millrace.bindings.bucket import Bucket
    from millrace.bindings.callback_keys import CallbackKeys
    from millrace.bindings.database import Database
    from millrace.bindings.gpu import Gpu
    from millrace.bindings.queue import Queue
    from millrace.bindings.seal import Seal
    from millrace.bindings.stack import Stack

__all__ = ["Config", "Env", "current"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BindingType = TypeVar("BindingType")


class Late(Generic[BindingType]):
    """A binding that is built when it is first touched, once, however many threads touch it."""

    def __init__(self, build: "Callable[[Env], BindingType]"):
        self._build = build

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, env: "Env", owner: type) -> BindingType:
        # Once it stands in env's own __dict__, Python finds it there and does not come here again.
        with env._building:
            if self._name not in env.__dict__:
                env.__dict__[self._name] = self._build(env)
            return cast(BindingType, env.__dict__[self._name])


def utc_now() -> datetime:
    return datetime.now(UTC)


def random_float() -> float:
    """From the system's source: a seeded one is the same in every copy of a snapshot of the machine."""
    return (int.from_bytes(os.urandom(7), "big") >> 3) / 2**53


def build_database(env: "Env") -> "Database":
    config = env.config
    parts = urlsplit(config.database_url)
    if parts.scheme == "sqlite":
        from millrace.bindings.sqlite import SqliteDatabase

        return SqliteDatabase(unquote(parts.path))
    from millrace.bindings.postgres import PostgresDatabase

    return PostgresDatabase(
        config.database_url,
        user=config.database_user,
        password=ask_for_password(config),
        tls=config.database_tls,
        answer_seconds=config.database_seconds,
    )


def ask_for_password(config: Config) -> Callable[[], str] | None:
    """What is asked at each new connection. None: the password is in the URL, or there is none."""
    if config.database_password_secret:
        from millrace.bindings.secrets import SecretPassword

        return SecretPassword(config.database_password_secret)
    if config.database_iam:
        from millrace.bindings.secrets import IamToken

        parts = urlsplit(config.database_url)
        user = config.database_user or unquote(parts.username or "")
        return IamToken(parts.hostname or "", port=parts.port or 5432, user=user)
    return None


def build_bucket(env: "Env") -> "Bucket":
    config = env.config
    if config.bucket_url is None:
        raise ConfigurationInvalid("BUCKET_URL is missing: this function needs s3://name or file:///folder")
    parts = urlsplit(config.bucket_url)
    if parts.scheme == "s3":
        from millrace.bindings.s3 import S3Bucket

        return S3Bucket(parts.netloc)
    from millrace.bindings.folder import FolderBucket
    from millrace.bindings.links import FolderLinks

    links = None
    if config.bucket_links_url and config.bucket_links_secret:
        links = FolderLinks(config.bucket_links_url, config.bucket_links_secret)
    return FolderBucket(unquote(parts.path), now=env.now, links=links)


def build_queue(env: "Env") -> "Queue":
    from millrace.bindings.queue import NoQueue, SqsQueue

    urls = env.config.queue_urls
    return SqsQueue(urls) if urls else NoQueue()


def build_ai(env: "Env") -> "AI":
    from millrace.bindings.ai import AI

    config = env.config
    return AI(config.ai_models, default=config.ai_default_model, access=config.model_access)


def build_seal(env: "Env") -> "Seal":
    from millrace.bindings.seal import KeyFileSeal, KmsSeal

    key = env.config.seal_key
    if key is None:
        raise ConfigurationInvalid("SEAL_KEY is missing: this function needs kms:key or file:///path")
    if key.startswith("kms:"):
        return KmsSeal(key.removeprefix("kms:"))
    return KeyFileSeal(unquote(urlsplit(key).path))


def build_gpu(env: "Env") -> "Gpu":
    access = env.config.gpu_access
    if access is None:
        raise ConfigurationInvalid("GPU_ENDPOINT_ID is missing: this function needs a provider of GPUs")
    from millrace.bindings.gpu.runpod import Runpod

    return Runpod.of(access)


def build_callback_keys(env: "Env") -> "CallbackKeys":
    config = env.config
    if config.callback_keys:
        keys = tuple(key.encode() for key in config.callback_keys)
        return lambda: keys
    if config.callback_keys_secret is None:
        raise ConfigurationInvalid("CALLBACK_KEYS_SECRET is missing: this function signs or checks links")
    from millrace.bindings.callback_keys import SecretKeys

    return SecretKeys(config.callback_keys_secret)


def build_pepper(env: "Env") -> bytes | None:
    """What the hashes of keys are made with. None where there is none, as on a laptop."""
    if env.config.key_pepper_secret is None:
        return None
    from millrace.bindings.secrets import SecretPassword

    return SecretPassword(env.config.key_pepper_secret)().encode()


def build_stack(_env: "Env") -> "Stack":
    return reach_stack()


def reach_stack() -> "Stack":
    """env.STACK for who must answer even when no Env can be built: it needs no configuration."""
    from millrace.bindings.stack import Stack

    return Stack()


class Env:
    """All that touches the world. Whoever makes one may give bindings and a clock of their own."""

    DB = Late(build_database)
    BUCKET = Late(build_bucket)
    QUEUE = Late(build_queue)
    AI = Late(build_ai)
    GPU = Late(build_gpu)
    CALLBACK_KEYS = Late(build_callback_keys)
    SEAL = Late(build_seal)
    PEPPER = Late(build_pepper)
    STACK = Late(build_stack)

    def __init__(
        self,
        config: Config,
        *,
        now: Callable[[], datetime] = utc_now,
        random: Callable[[], float] = random_float,
        wait: Callable[[float], None] = time.sleep,
        **given: Any,
    ):
        """`given` are bindings by name, used instead of built ones: Env(config, QUEUE=NoQueue())."""
        self.config = config
        self._now = now
        self._random = random
        self._wait = wait
        self._building = threading.RLock()
        for name, binding in given.items():
            if not isinstance(vars(Env).get(name), Late):
                raise TypeError(f"Env has no binding {name}")
            self.__dict__[name] = binding

    @classmethod
    def from_variables(cls, variables: Mapping[str, str], **given: Any) -> "Env":
        """Checks all variables at once: ConfigurationInvalid names each wrong one. Nothing is built yet."""
        return cls(read_config(variables), **given)

    def __repr__(self) -> str:
        return f"Env({self.config!r})"

    def now(self) -> datetime:
        """The time, aware and in UTC."""
        return self._now()

    def random(self) -> float:
        """Chance for spreading retries: 0 or more, less than 1."""
        return self._random()

    def wait(self, seconds: float) -> None:
        self._wait(seconds)

    def new_secret(self) -> int:
        """256 bits of chance, for what must not be guessed."""
        return int.from_bytes(os.urandom(32), "big")

    def new_id(self, prefix: str | None = None) -> str:
        """A UUIDv7 (RFC 9562), so that ids sort by time; with a prefix as in job_018f…, without hyphens."""
        milliseconds = (self.now() - EPOCH) // timedelta(milliseconds=1)
        chance = int.from_bytes(os.urandom(10), "big")
        high, low = chance >> 68, chance & (1 << 62) - 1
        digits = f"{milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low:032x}"
        if prefix is not None:
            return f"{prefix}_{digits}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def close(self) -> None:
        """Close the database, if it was opened."""
        if "DB" in self.__dict__:
            self.DB.close()


def for_command(*, database_url: str | None, otherwise: str) -> Env:
    """An Env for a person at the command line: of this process's variables, with the database they named."""
    named = database_url or os.environ.get("DATABASE_URL", "").strip() or otherwise
    return Env.from_variables({**os.environ, "DATABASE_URL": named})


_making = threading.Lock()


def current() -> Env:
    """This process's Env, made from os.environ by the first call. One that fails is made anew by the next."""
    with _making:
        return read_environment()


@cache
def read_environment() -> Env:
    return Env.from_variables(os.environ)
