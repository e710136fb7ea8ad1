"""After everything that keys and links are for: none of them is written down anywhere."""

from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from functions.operate.app import handler as operate
from millrace.bindings.database import Database
from millrace.bindings.seal import KeyFileSeal
from millrace.command.line import main
from millrace.domain.keys import make_key
from millrace.domain.sealing import integration_context
from millrace.env import Env
from millrace.store import integrations
from millrace.store.integrations import NewIntegration
from tests.acceptance.conftest import System
from tests.acceptance.test_documents import SLIP, announce, send
from tests.bindings.model_server import ModelServer, Told, model_server
from tests.databases import FreshDatabase
from tests.events import Context
from tests.leaks import find_leaks, text_of

MODEL = "openai/says-too-much"
AI_KEY = "what-the-provider-gave-us-1a2B3c4D"
CRM_KEY = "what-the-crm-gave-them-5e6F7g8H"
SCOPES = ["evaluations:read", "evaluations:write", "keys:admin"]


class Flow:
    """One system, asked as a customer asks it. `secrets` are all that it made, `told` all that it answered
    but for what was to be told a secret.
    """

    def __init__(self, system: System):
        self.system = system
        self.told: list[str] = []
        self.secrets = {
            "the model's key": AI_KEY,
            "the CRM's key": CRM_KEY,
            "the links' secret": (system.data / "links.secret").read_text(),
        }

    def ask(self, method: str, path: str, *, key: str | None = None, **given: Any) -> httpx.Response:
        response = self.secretly(method, path, key=key, **given)
        self.told.append(f"{response.headers} {response.text}")
        return response

    def secretly(self, method: str, path: str, *, key: str | None = None, **given: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self.system.client.request(method, path, headers=headers | given.pop("headers", {}), **given)

    def keep(self, name: str, token: str) -> str:
        """Of a key only the secret part: its beginning is shown, so that people can tell theirs apart."""
        self.secrets[name] = token.split("_")[3] if token.startswith("mrk_") else token
        return token

    def signature(self, name: str, url: str) -> None:
        self.secrets[name] = parse_qs(urlsplit(url).query)["signature"][0]

    def everything(self, db: Database) -> dict[str, str]:
        """All that was written down, by where."""
        files = [path for path in sorted(self.system.data.rglob("*")) if path.is_file()]
        written = {
            str(path.relative_to(self.system.data)): path.read_bytes().decode("latin-1") for path in files
        }
        del written["links.secret"]
        return {**written, "the rows": text_of(db), "the answers": "\n".join(self.told)}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A provider that repeats the key it was shown wherever it can."""
    says = {"error": {"message": f"Incorrect API key provided: {AI_KEY}", "code": AI_KEY, "type": AI_KEY}}
    with model_server(Told(says, status=413, headers={"X-Key": AI_KEY})) as server:
        monkeypatch.setenv("AI_MODELS", f"local/rules,{MODEL}")
        monkeypatch.setenv("AI_PRICES", f"{MODEL}=0/0")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", AI_KEY)
        yield server


@pytest.fixture
def flow(provider: ModelServer, stopped: System) -> Flow:
    stopped.start()
    return Flow(stopped)


def use_keys(flow: Flow) -> str:
    """Issue, use, mistype, misplace, rotate, revoke. The one that is left."""
    wanted = {"name": "Night shift", "scopes": SCOPES}
    issued = flow.secretly("POST", "/api/keys", json=wanted).json()["data"]
    key = flow.keep("a key", issued["key"])
    flow.ask("GET", "/api/keys", key=key)
    flow.ask("GET", "/api/keys", key=f"{key[:-1]}~")
    flow.ask("GET", "/api/keys", key=make_key(issued["key_id"], secret=1).token)
    flow.ask("GET", "/api/keys", params={"key": key})
    flow.ask("GET", f"/api/ops/ai-evaluation-jobs/{key}")
    flow.ask("GET", f"/api/callbacks/{key}")
    flow.ask("POST", "/api/keys", json=wanted | {"key": key})
    flow.ask("POST", "/api/keys", json=wanted | {"name": key})
    for name in ("X-User-Id", "X-Site-Id", "Idempotency-Key", "X-Request-Id"):
        flow.ask("PUT", "/api/ops/leads/lead_slip", headers={name: key}, json={"first_name": "Nina"})
    flow.ask("POST", "/api/ops/leads/lead_123/ai-evaluation", json={"model_version": key})
    rotated = flow.secretly("POST", f"/api/keys/{issued['key_id']}/rotate", key=key, json={}).json()["data"]
    left = flow.keep("its successor", rotated["key"])
    flow.ask("DELETE", f"/api/keys/{issued['key_id']}", key=left)
    flow.ask("GET", "/api/keys", key=key)
    type_key(flow, key)
    return left


def type_key(flow: Flow, key: str) -> None:
    """What an operator types in a hurry when a key has leaked: the key itself, whole or not quite."""
    url = flow.system.database_url
    env = Env.from_variables({"DATABASE_URL": url})
    with redirect_stdout(StringIO()) as out, redirect_stderr(out):
        for typed in (key, f"{key[:-1]}~"):
            main(["keys", "revoke", typed, "--database", url])
            main(["keys", "rotate", typed, "--database", url])
            main(["keys", "issue", "--tenant", "x", "--user", typed, "--name", typed, "--database", url])
            told = operate({"command": "keys revoke", "arguments": {"key_id": typed}}, Context(), env=env)
            flow.told.append(str(told))
    env.close()
    assert "command_refused" in out.getvalue()
    flow.told.append(out.getvalue())


def use_links(flow: Flow, *, key: str) -> None:
    path = "/api/ops/leads/lead_nina"
    flow.ask("PUT", path, key=key, json={"first_name": "Nina"})
    made = announce(flow.system, "lead_nina", SLIP)
    flow.signature("a link to upload", made["upload"]["url"])
    spoiled = {**made["upload"], "url": made["upload"]["url"].replace("expires=", "expires=9")}
    flow.told += [send(spoiled, SLIP).text, send(made["upload"], SLIP).text]
    document = f"{path}/documents/{made['document_id']}"
    flow.ask("POST", f"{document}/complete", key=key)
    shown = flow.secretly("GET", document, key=key).json()["data"]
    flow.signature("a link to download", shown["download"]["url"])
    httpx.get(shown["download"]["url"])


def use_models(flow: Flow, *, key: str) -> list[dict[str, Any]]:
    jobs = [
        flow.ask("POST", f"/api/ops/leads/{lead}/ai-evaluation", key=key, json={"model_version": model})
        for lead, model in (("lead_nina", "local/rules"), ("lead_001", MODEL))
    ]
    ended = [flow.system.wait_for(job.json()["data"]["job_id"]) for job in jobs]
    flow.told.append(str(ended))
    return ended


def seal_one(flow: Flow, db: Database) -> None:
    seal = KeyFileSeal(flow.system.data / "seal.key")
    sealed = seal.seal(CRM_KEY, context=integration_context("crm_1", tenant_id="tenant_demo"))
    assert integrations.create(db, NewIntegration("crm_1", "tenant_demo", "hubspot", sealed))


def found(written: dict[str, str], *, secrets: dict[str, str]) -> dict[str, set[str]]:
    leaks = {place: find_leaks(text, secrets=secrets) for place, text in written.items()}
    return {place: names for place, names in leaks.items() if names}


def test_no_key_token_or_secret_is_written_down(
    flow: Flow, provider: ModelServer, empty_database: FreshDatabase
):
    db = empty_database.open(role=None)
    key = use_keys(flow)
    use_links(flow, key=key)
    judged, refused = use_models(flow, key=key)
    seal_one(flow, db)
    flow.system.client.get("/__scheduled")

    assert (judged["status"], refused["status"]) == ("completed", "failed")
    assert any(asked.headers["authorization"] == f"Bearer {AI_KEY}" for asked in provider.asked)
    assert len(flow.secrets) == 7
    flow.system.stop()
    assert found(flow.everything(db), secrets=flow.secrets) == {}

    plant(flow, db)
    everywhere = found(flow.everything(db), secrets=flow.secrets)
    assert {place for place in everywhere if place in PLANTED} == PLANTED
    assert set.union(*everywhere.values()) == {"a key", "its successor", "the model's key"}


PLANTED = {"log.txt", "the rows", "the answers", str(Path("bucket") / "planted")}


def plant(flow: Flow, db: Database) -> None:
    """A leak in each place that was searched."""
    with (flow.system.data / "log.txt").open("a") as log:
        log.write(flow.secrets["a key"][:20])
    (flow.system.data / "bucket" / "planted").write_text(flow.secrets["its successor"].encode().hex())
    db.prepare("UPDATE leads SET email = ?1 WHERE id = 'lead_001'").bind(flow.secrets["a key"]).run()
    flow.told.append(AI_KEY)
