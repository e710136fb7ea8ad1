"""PUT, GET, DELETE: the people who ask for a home."""

from collections.abc import Sequence

from millrace import entry
from millrace.domain.leads import DeletedLead, LeadAnswer, LeadDeletedAnswer, LeadView, PutLead
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import BucketError, DatabaseUnavailable, LeadDeleted, LeadNotFound, SiteNotFound
from millrace.store import erasure, leads
from millrace.store.erasure import Erasable
from millrace.store.leads import Which
from millrace.workloads.erasing import erase

BY_PERSON = ("X-Site-Id", "X-User-Id")

routes = entry.Routes()


@routes.put(
    "/api/ops/leads/<lead_id>",
    scope="evaluations:write",
    headers=BY_PERSON,
    also=(201,),
    refuses=(SiteNotFound, LeadNotFound, LeadDeleted),
)
def put_lead(request: Request, env: Env, lead_id: str, wanted: PutLead) -> Answer[LeadAnswer]:
    """Create a lead under an id of your own, or change what is known of it.

    What is left out stays as it is, and null takes it away, so a repeat changes nothing. A decision
    (`approved`, `rejected`, `withdrawn`) begins the time after which the lead's documents are deleted.
    """
    which = which_of(request, lead_id)
    done = leads.put(env.DB.for_tenant(which.tenant_id), which, columns=wanted.columns(), now=env.now())
    return Answer(LeadAnswer(data=LeadView.of(done.lead)), status=201 if done.created else 200)


@routes.get(
    "/api/ops/leads/<lead_id>",
    scope="evaluations:read",
    headers=("X-Site-Id",),
    refuses=(SiteNotFound, LeadNotFound, LeadDeleted),
)
def show_lead(request: Request, env: Env, lead_id: str) -> LeadAnswer:
    """What is known of a lead."""
    which = which_of(request, lead_id)
    return LeadAnswer(data=LeadView.of(leads.read(env.DB.for_tenant(which.tenant_id), which)))


@routes.delete(
    "/api/ops/leads/<lead_id>",
    scope="evaluations:write",
    headers=BY_PERSON,
    refuses=(SiteNotFound, LeadNotFound),
)
def delete_lead(request: Request, env: Env, lead_id: str) -> LeadDeletedAnswer:
    """Delete a lead for good: what is personal in its rows, and its documents.

    A job of its that is not done is cancelled. What was counted and charged stays, and the id is not free
    again. A repeat has the same answer.
    """
    which = which_of(request, lead_id)
    db = env.DB.for_tenant(which.tenant_id)
    by = request.author(env.new_id)
    deleted = erasure.delete_lead(db, which, by=by, move_id=env.new_id(), now=env.now())
    entry.log("lead_deleted", lead_id=lead_id, files=len(deleted.files))
    erase_now(deleted.files, tenant_id=which.tenant_id, env=env)
    return LeadDeletedAnswer(data=DeletedLead(lead_id=lead_id, deleted_at=deleted.deleted_at))


def which_of(request: Request, lead_id: str) -> Which:
    return Which(lead_id, request.caller.tenant_id, request.site_id)


def erase_now(files: Sequence[Erasable], *, tenant_id: str, env: Env) -> None:
    """The rows have been deleted: what cannot be erased now is found by the minute's housekeeping."""
    try:
        erase(files, env=env, tenant_id=tenant_id)
    except (BucketError, DatabaseUnavailable) as fault:
        entry.log_fault(fault)
