"""What a process is told by its environment: read once, checked all at once, typed from then on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from millrace.domain.callback_access import read_callback_keys
from millrace.domain.gpu_access import read_gpu_access, read_gpu_price
from millrace.domain.jobs import JOB_TABLES
from millrace.domain.model_access import Account, ModelAccess, read_model_access
from millrace.errors import ConfigurationInvalid

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
TLS_CHOICES = ("verify", "off")
QUEUE_VARIABLE = "QUEUE_URL_"
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
MODEL_NAME = re.compile(r"@?[a-z0-9_-]+/[A-Za-z0-9._:/-]+")
KMS_KEY = re.compile(r"kms:[A-Za-z0-9:/_-]+")
SHORTEST_SECRET = 16
DATABASE_SECONDS = 28
DOCUMENT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Config:
    """A field is the variable of its name. What is secret stays out of repr: a Config may be logged."""

    database_url: str = field(repr=False)
    database_user: str | None = None
    database_password_secret: str | None = None
    database_iam: bool = False
    database_tls: str | None = None
    database_seconds: int = DATABASE_SECONDS
    bucket_url: str | None = None
    bucket_links_url: str | None = None
    bucket_links_secret: str | None = field(default=None, repr=False)
    seal_key: str | None = None
    queue_urls: Mapping[str, str] = field(default_factory=dict)
    ai_models: tuple[str, ...] = ("local/rules",)
    ai_default_model: str = "local/rules"
    model_access: ModelAccess = field(default_factory=ModelAccess)
    gpu_access: Account | None = None
    gpu_second_microusd: int = 0
    callback_url: str | None = None
    callback_keys: tuple[str, ...] = field(default=(), repr=False)
    callback_keys_secret: str | None = None
    key_pepper_secret: str | None = None
    migrations_folder: str | None = None
    max_wait_seconds: int = 0
    document_days: int = DOCUMENT_DAYS
    limited_kinds: tuple[str, ...] = ()
    metrics_namespace: str | None = "Millrace"
    log_level: str = "INFO"


def read_config(variables: Mapping[str, str]) -> Config:
    """The configuration in these variables. ConfigurationInvalid names every one that is wrong.

    An empty variable is an absent one: a template has no other way to leave one out.
    """
    reading = Reading(variables)
    models = reading.models()
    config = Config(
        database_url=reading.database_url(),
        database_user=reading.text("DATABASE_USER"),
        database_password_secret=reading.text("DATABASE_PASSWORD_SECRET"),
        database_iam=reading.choice("DATABASE_IAM", ("true", "false")) == "true",
        database_tls=reading.choice("DATABASE_TLS", TLS_CHOICES),
        database_seconds=reading.seconds("DATABASE_SECONDS", otherwise=DATABASE_SECONDS),
        bucket_url=reading.bucket_url(),
        bucket_links_url=reading.web_address("BUCKET_LINKS_URL"),
        bucket_links_secret=reading.links_secret(),
        seal_key=reading.seal_key(),
        queue_urls=reading.queue_urls(),
        ai_models=models,
        ai_default_model=reading.default_model(models),
        model_access=read_model_access(reading, models=models),
        gpu_access=read_gpu_access(reading),
        gpu_second_microusd=read_gpu_price(reading),
        callback_url=reading.web_address("CALLBACK_URL"),
        callback_keys=read_callback_keys(reading),
        callback_keys_secret=reading.text("CALLBACK_KEYS_SECRET"),
        key_pepper_secret=reading.text("KEY_PEPPER_SECRET"),
        migrations_folder=reading.text("MIGRATIONS_FOLDER"),
        max_wait_seconds=reading.seconds("MAX_WAIT_SECONDS", otherwise=0, least=0),
        document_days=reading.days("DOCUMENT_DAYS", otherwise=DOCUMENT_DAYS),
        limited_kinds=reading.limited_kinds(),
        metrics_namespace=reading.metrics_namespace(),
        log_level=reading.choice("LOG_LEVEL", LOG_LEVELS) or "INFO",
    )
    reading.check_login(config)
    reading.finish()
    return config


class Reading:
    """Variables while they are read. What is wrong with each is kept, so that all of it is said in one go."""

    def __init__(self, variables: Mapping[str, str]):
        self._variables = variables
        self._wrong: list[str] = []

    def finish(self) -> None:
        if self._wrong:
            raise ConfigurationInvalid("the configuration is not valid: " + "; ".join(self._wrong))

    def refuse(self, name: str, why: str) -> None:
        """`why` never quotes a value: some hold passwords, and this message is logged."""
        self._wrong.append(f"{name} {why}")

    def text(self, name: str) -> str | None:
        return self._variables.get(name, "").strip() or None

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        value = self.text(name)
        if value is not None and value not in choices:
            self.refuse(name, f"must be one of {', '.join(choices)}")
        return value

    def seconds(self, name: str, *, otherwise: int, least: int = 1) -> int:
        return self._whole(name, unit="seconds", otherwise=otherwise, least=least, most=999)

    def days(self, name: str, *, otherwise: int) -> int:
        return self._whole(name, unit="days", otherwise=otherwise, least=1, most=9999)

    def _whole(self, name: str, *, unit: str, otherwise: int, least: int, most: int) -> int:
        value = self.text(name) or str(otherwise)
        if not re.fullmatch("0|[1-9][0-9]{0,3}", value) or not least <= int(value) <= most:
            self.refuse(name, f"must be whole {unit}, from {least} to {most}")
            return otherwise
        return int(value)

    def web_address(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        parts = split(value)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            self.refuse(name, "must be an http:// or https:// address")
        return value.rstrip("/")

    def database_url(self) -> str:
        value = self.text("DATABASE_URL")
        if value is None:
            self.refuse("DATABASE_URL", "is missing")
            return ""
        parts = split(value)
        if parts is None or not (names_a_file(parts) or names_a_server(parts)):
            shapes = "sqlite:///absolute/path.db or postgresql://user:password@host:port/name"
            self.refuse("DATABASE_URL", f"must be {shapes}")
        elif "?" in value or "#" in value:
            self.refuse("DATABASE_URL", "takes no ?options: DATABASE_TLS and DATABASE_SECONDS are variables")
        return value

    def bucket_url(self) -> str | None:
        value = self.text("BUCKET_URL")
        parts = split(value or "")
        if value is not None and (parts is None or not (names_a_bucket(parts) or names_a_folder(parts))):
            self.refuse("BUCKET_URL", "must be s3://name or file:///absolute/folder")
        return value

    def links_secret(self) -> str | None:
        value = self.text("BUCKET_LINKS_SECRET")
        if value is not None and len(value) < SHORTEST_SECRET:
            self.refuse("BUCKET_LINKS_SECRET", f"must have at least {SHORTEST_SECRET} characters")
        if (value is None) != (self.text("BUCKET_LINKS_URL") is None):
            missing = "BUCKET_LINKS_SECRET" if value is None else "BUCKET_LINKS_URL"
            self.refuse(missing, "is missing: BUCKET_LINKS_URL and BUCKET_LINKS_SECRET go together")
        return value

    def seal_key(self) -> str | None:
        """What seals secrets in rows: a KMS key by its id, alias or ARN, or a file on this machine."""
        value = self.text("SEAL_KEY")
        if value is None or KMS_KEY.fullmatch(value):
            return value
        parts = split(value)
        if parts is None or not names_a_folder(parts) or parts.path.endswith("/"):
            self.refuse("SEAL_KEY", "must be kms:key or file:///absolute/path")
        return value

    def metrics_namespace(self) -> str | None:
        """None for the word "none": an empty variable is an absent one and cannot say it."""
        value = self.text("METRICS_NAMESPACE") or "Millrace"
        return None if value == "none" else value

    def queue_urls(self) -> dict[str, str]:
        """One variable per kind of job: QUEUE_URL_EVALUATION is where the doorbell of evaluations hangs."""
        names = sorted(name for name in self._variables if name.startswith(QUEUE_VARIABLE))
        urls = {name.removeprefix(QUEUE_VARIABLE).lower(): self.web_address(name) for name in names}
        return {kind: url for kind, url in urls.items() if url}

    def models(self) -> tuple[str, ...]:
        names = (name.strip() for name in (self.text("AI_MODELS") or "local/rules").split(","))
        models = tuple(dict.fromkeys(name for name in names if name))
        if not models or not all(MODEL_NAME.fullmatch(name) for name in models):
            self.refuse("AI_MODELS", "must be provider/model names with commas between them")
        return models

    def limited_kinds(self) -> tuple[str, ...]:
        """The kinds of job of which a key's user may ask only for so many."""
        value = self.text("LIMITED_KINDS")
        kinds = tuple(dict.fromkeys(kind.strip() for kind in value.split(","))) if value else ()
        if not set(kinds) <= set(JOB_TABLES):
            self.refuse("LIMITED_KINDS", f"must be of {', '.join(JOB_TABLES)}, with commas between them")
        return kinds

    def default_model(self, models: tuple[str, ...]) -> str:
        value = self.text("AI_DEFAULT_MODEL")
        if value is not None and value not in models:
            self.refuse("AI_DEFAULT_MODEL", "must be one of AI_MODELS")
        return value or next(iter(models), "")

    def check_login(self, config: Config) -> None:
        parts = split(config.database_url)
        if parts is None or not names_a_server(parts):
            return
        if config.database_iam and config.database_password_secret:
            self.refuse("DATABASE_IAM", "and DATABASE_PASSWORD_SECRET exclude each other")
        if config.database_iam and not (config.database_user or parts.username):
            self.refuse("DATABASE_USER", "is missing: an IAM token is made for a role")


def split(url: str) -> SplitResult | None:
    """The parts of an address, or None when it is not one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def names_a_file(parts: SplitResult) -> bool:
    return parts.scheme == "sqlite" and not parts.netloc and re.fullmatch("/.*[^/]", parts.path) is not None


def names_a_server(parts: SplitResult) -> bool:
    return (
        parts.scheme in ("postgresql", "postgres")
        and bool(parts.hostname)
        and re.fullmatch("/[^/]+", parts.path) is not None
    )


def names_a_folder(parts: SplitResult) -> bool:
    return parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")


def names_a_bucket(parts: SplitResult) -> bool:
    return (
        parts.scheme == "s3" and parts.path in ("", "/") and BUCKET_NAME.fullmatch(parts.netloc) is not None
    )
