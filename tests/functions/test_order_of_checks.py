"""A request with everything wrong is told of one thing after the other, always in the same order."""

import json
from typing import Any

from functions.create_job.app import handler
from tests.events import Context, said
from tests.factories import count_rows
from tests.functions.asking import asked, manage
from tests.functions.conftest import World
from tests.functions.deciding import accept, complete

WRITTEN = ("ai_evaluation_jobs", "quota_entries", "job_events", "idempotency_keys")


def test_headers_caller_body_site_lead_settings_live_job_earlier_result_quota(world: World):
    set_everything_wrong(world)
    before = [count_rows(world.owner, table) for table in WRITTEN]
    live = world.jobs()[-1]["id"]
    told = []

    def tell(path: str = "leads/nobody/ai-evaluation", body: Any = None, **given: Any) -> dict[str, Any]:
        event = asked("POST", path, body, idempotency_key="once", **given)
        answer = handler(event, Context(), env=world.api)
        told.append((answer["statusCode"], said(answer).get("error")))
        return answer

    wrong = {"model_version": "somebody/elses"}
    tell(body=wrong, x_site_id="", x_user_id="", scopes="")
    tell(body=wrong, x_site_id="site_other", scopes="")
    tell(body=wrong, x_site_id="site_other")
    tell(x_site_id="site_other")
    tell()
    lead = "leads/lead_123/ai-evaluation"
    tell(lead)
    manage(world, "PUT", "ai-settings", {"ai_enabled": True})
    pending = tell(lead)
    assert said(pending)["job_id"] == live
    manage(world, "POST", f"ai-evaluation-jobs/{live}/cancel")
    tell(lead)
    tell(lead, {"force_refresh": True})
    during = [count_rows(world.owner, table) for table in WRITTEN]
    world.owner.prepare("UPDATE sites SET evaluations_a_month = 5 WHERE id = 'site_abc'").run()
    accepted = tell(lead, {"force_refresh": True})

    assert told == [
        (400, "MissingHeaders"),
        (403, "MissingScope"),
        (400, "InvalidRequest"),
        (404, "SiteNotFound"),
        (404, "LeadNotFound"),
        (403, "AiDisabled"),
        (409, "JobAlreadyPending"),
        (409, "AlreadyEvaluated"),
        (429, "QuotaExceeded"),
        (201, None),
    ]
    # The cancel alone wrote something meanwhile: what it gave back, and its event.
    assert [after - count for after, count in zip(during, before, strict=True)] == [0, 1, 1, 0]
    assert json.loads(accepted["body"])["usage"]["remaining"] == 3


def set_everything_wrong(world: World) -> None:
    """The lead is judged and about to be judged again, the quota is used up, and AI is switched off."""
    accept(world)
    complete(world)
    world.clock.advance(minutes=1)
    accept(world)
    world.owner.prepare("UPDATE sites SET evaluations_a_month = 1 WHERE id = 'site_abc'").run()
    manage(world, "PUT", "ai-settings", {"ai_enabled": False})
