"""What one start of the local cloud was asked for, and what its functions are told of it."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
PORT = 8787
# What the template says of a database in the cloud, and is not so here.
CLOUD_ONLY = ("DATABASE_IAM", "DATABASE_PASSWORD_SECRET", "DATABASE_TLS")


@dataclass(frozen=True, slots=True)
class Settings:
    """`database_url` is None for the SQLite file in the data folder."""

    data: Path
    port: int = PORT
    database_url: str | None = None
    template: Path = ROOT / "template.yaml"
    demo_data: bool = True
    doorbell: bool = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite://{self.data / 'millrace.db'}"

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
        variables["BUCKET_LINKS_URL"] = f"{settings.url}/__bucket"
        variables["BUCKET_LINKS_SECRET"] = links_secret
    return variables


def read_links_secret(data: Path) -> str:
    """The secret that links are signed with. It is made once, so that links outlive a restart."""
    path = data / "links.secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="utf-8")
    return path.read_text(encoding="utf-8")
