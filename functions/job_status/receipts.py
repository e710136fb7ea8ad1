"""GET: what a job was charged, and what it has used."""

from millrace import entry
from millrace.domain.receipts import LedgerEntry, MeteredCall, Receipt, ReceiptAnswer, Totals, charged_of
from millrace.entry import Request
from millrace.env import Env
from millrace.errors import JobNotFound
from millrace.store import receipts

routes = entry.Routes()


@routes.get("/api/jobs/<job_id>/receipt", scope="usage:read", refuses=(JobNotFound,))
def show_receipt(request: Request, env: Env, job_id: str) -> ReceiptAnswer:
    """Show what a job was charged and given back, and what its calls of models have cost."""
    tenant_id = request.caller.tenant_id
    found = receipts.read(env.DB.for_tenant(tenant_id), job_id, tenant_id=tenant_id)
    return ReceiptAnswer(
        data=Receipt(
            job_id=job_id,
            kind=found.kind,
            entries=[LedgerEntry.of(row) for row in found.entries],
            calls=[MeteredCall.of(row) for row in found.calls],
            totals=Totals(charged=charged_of(found.entries), **found.totals),
        )
    )
