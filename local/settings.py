"""What one start of the local cloud was asked for, and what its functions are told of it."""

import fcntl
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
PORT = 8787
# Requests in flight are given this long to be answered when the process is told to end.
DRAIN_SECONDS = 8
# For how long a poll may be held until there is news.
MAX_WAIT_SECONDS = 20
GPU_VARIABLES = ("GPU_",)
MODEL_VARIABLES = ("AI_", "BEDROCK_", "CLOUDFLARE_", "OPENAI_")
# What the template says of the cloud and is not so here: its database's logins, and its secrets.
CLOUD_ONLY = ("DATABASE_IAM", "DATABASE_PASSWORD_SECRET", "DATABASE_TLS", "KEY_PEPPER_SECRET")


@dataclass(frozen=True, slots=True)
class Settings:
    """`database_url` is None for the SQLite file in the data folder, `public_url` where all is here."""

    data: Path
    port: int = PORT
    public_url: str | None = None
    database_url: str | None = None
    template: Path = ROOT / "template.yaml"
    demo_data: bool = True
    doorbell: bool = True
    schedule: bool = True
    backup_daily: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def links_url(self) -> str:
        """Where links lead: those to files, and those by which a GPU calls back."""
        return self.public_url or self.url

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite://{self.data / 'millrace.db'}"

    @property
    def database_shown(self) -> str:
        """Where the database is, without the login that a URL may hold."""
        scheme, _, place = self.database.partition("://")
        return place if scheme == "sqlite" else place.rpartition("@")[2]

    @property
    def bucket(self) -> Path:
        return self.data / "bucket"

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def of_json(cls, text: str) -> Self:
        given = json.loads(text)
        return cls(**{**given, "data": Path(given["data"]), "template": Path(given["template"])})


def local_variables(
    environment: Mapping[str, str], *, settings: Settings, links_secret: str, roles: bool
) -> dict[str, str]:
    """A function's environment with what is on this machine in place of what is in the cloud.

    Without `roles` the functions log in as the database URL says, and not as the template's role.
    """
    left_out = CLOUD_ONLY if roles else (*CLOUD_ONLY, "DATABASE_USER")
    variables = {name: value for name, value in environment.items() if name not in left_out}
    variables["DATABASE_URL"] = settings.database
    if "BUCKET_URL" in variables:
        variables["BUCKET_URL"] = f"file://{settings.bucket}"
        variables["BUCKET_LINKS_URL"] = f"{settings.links_url}/__bucket"
        variables["BUCKET_LINKS_SECRET"] = links_secret
    if "CALLBACK_URL" in variables:
        variables["CALLBACK_URL"] = settings.links_url
    if "CALLBACK_KEYS_SECRET" in variables:
        del variables["CALLBACK_KEYS_SECRET"]
        variables["CALLBACK_KEYS"] = links_secret
    if "SEAL_KEY" in variables:
        variables["SEAL_KEY"] = f"file://{settings.data / 'seal.key'}"
    if "MAX_WAIT_SECONDS" in variables:
        # Here it costs nothing to keep somebody waiting.
        variables["MAX_WAIT_SECONDS"] = str(MAX_WAIT_SECONDS)
    # Nobody collects them here, and between the log's lines they only hide what is to be read.
    variables["METRICS_NAMESPACE"] = "none"
    return variables


def model_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The models that the person who starts the local cloud has chosen, and how they are reached. Without
    AI_MODELS none: many a shell has a key of OpenAI's in it for other ends.
    """
    if not environment.get("AI_MODELS"):
        return {}
    return {name: value for name, value in environment.items() if name.startswith(MODEL_VARIABLES)}


def gpu_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The same for GPUs, without GPU_ENDPOINT_ID none."""
    if not environment.get("GPU_ENDPOINT_ID"):
        return {}
    return {name: value for name, value in environment.items() if name.startswith(GPU_VARIABLES)}


def read_links_secret(data: Path) -> str:
    """The secret that links are signed with. It is made once, so that links outlive a restart."""
    path = data / "links.secret"
    path.touch(mode=0o600)
    with path.open("r+", encoding="ascii") as file:
        # Who starts at the same time waits here, and then reads what the first has written. A file left empty
        # by who was killed in between is filled by the next.
        fcntl.flock(file, fcntl.LOCK_EX)
        secret = file.read()
        if not secret:
            secret = secrets.token_hex(32)
            file.write(secret)
        return secret
