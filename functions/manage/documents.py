"""The documents of a lead: uploaded by a link, checked where they lie, and taken away."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from functions.manage.evaluations import NoFields
from functions.manage.leads import BY_PERSON, erase_now, which_of
from millrace import entry
from millrace.domain.documents import (
    GATHERING,
    LINK_SECONDS,
    MOST_BYTES,
    AutoRun,
    CompletedDocument,
    CreatedDocument,
    CreateDocument,
    DeletedDocument,
    DocumentAnswer,
    DocumentCompleted,
    DocumentCreated,
    DocumentDeletedAnswer,
    DocumentsAnswer,
    DocumentView,
    Download,
    Upload,
    check_file,
    storage_key,
)
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import (
    AiDisabled,
    BucketError,
    DocumentInvalid,
    DocumentNotFound,
    JobAlreadyPending,
    LeadDeleted,
    LeadNotFound,
    ObjectTooLarge,
    QuotaExceeded,
    RateLimited,
    SiteNotFound,
    SpendLimitReached,
    StorageUnavailable,
    TooManyDocuments,
    UploadMissing,
)
from millrace.store import documents, erasure, evaluation_history, evaluations
from millrace.store.documents import NewUpload

NO_LEAD = (SiteNotFound, LeadNotFound, LeadDeleted)
NO_DOCUMENT = (*NO_LEAD, DocumentNotFound)

routes = entry.Routes()


@routes.post(
    "/api/ops/leads/<lead_id>/documents",
    status=201,
    scope="evaluations:write",
    headers=BY_PERSON,
    once=True,
    refuses=(*NO_DOCUMENT, TooManyDocuments),
)
def create_document(
    request: Request, env: Env, lead_id: str, wanted: CreateDocument
) -> Answer[DocumentCreated]:
    """Announce a document, and get a link to upload it by.

    Send the file to the link with the headers named, then say that it is complete. A link takes one file: a
    second one is answered 412, and the first stays. A lead has ten documents at most.
    """
    which, expires_at = which_of(request, lead_id), env.now() + timedelta(seconds=LINK_SECONDS)
    db = env.DB.for_tenant(which.tenant_id)
    upload = NewUpload(
        id=env.new_id("doc"),
        document_type=wanted.document_type,
        file_name=wanted.file_name,
        size_bytes=wanted.size,
        mime_type=wanted.mime_type,
        storage_key=storage_key(tenant_id=which.tenant_id, lead_id=lead_id, secret=env.new_secret()),
        checksum=wanted.checksum,
        link_expires_at=expires_at,
    )
    made = documents.create(db, which, upload=upload, now=env.now(), key=request.idempotency_key)
    document_id, key = made.facts["document_id"], upload.storage_key
    if made.replayed:
        row = documents.renew(db, which, document_id=document_id, link_expires_at=expires_at)
        if row["uploaded_at"]:
            return Answer(DocumentCreated(data=CreatedDocument(document_id=document_id)), replayed=True)
        key = row["storage_key"]
    link = env.BUCKET.presign_upload(
        key, content_type=wanted.mime_type, size=wanted.size, expires_seconds=LINK_SECONDS, now=env.now(),
        once=True,
    )  # fmt: skip
    shown = Upload(url=link.url, method="PUT", headers=dict(link.headers), expires_at=link.expires_at)
    created = CreatedDocument(document_id=document_id, upload=shown)
    return Answer(DocumentCreated(data=created), replayed=made.replayed)


@routes.post(
    "/api/ops/leads/<lead_id>/documents/<document_id>/complete",
    scope="evaluations:write",
    headers=BY_PERSON,
    refuses=(*NO_DOCUMENT, UploadMissing, DocumentInvalid, StorageUnavailable),
)
def complete_document(
    request: Request,
    env: Env,
    lead_id: str,
    document_id: str,
    nothing: NoFields,  # noqa: ARG001 - it refuses
) -> DocumentCompleted:
    """Say that a document has been uploaded. It is checked, and from now on it is judged.

    Size, type by content and checksum must be as announced. If they are not, delete the document and announce
    the right one. A repeat checks that the file is still the same. Where the settings ask for it, an
    evaluation follows; documents that come within a minute are judged together.
    """
    which = which_of(request, lead_id)
    db = env.DB.for_tenant(which.tenant_id)
    found = row = documents.read_to_complete(db, which, document_id=document_id)
    checksum = check_upload(found, env=env)
    if found["uploaded_at"] is None:
        row = documents.complete(db, which, document_id=document_id, checksum=checksum, now=env.now())
    run = None
    if found["auto_run"] == "true":
        earlier, since = found["job_id"], row["uploaded_at"]
        run = AutoRun(job_id=earlier) if earlier else start_evaluation(request, env, lead_id, since=since)
    return DocumentCompleted(data=CompletedDocument.of(row, evaluation=run))


@routes.get(
    "/api/ops/leads/<lead_id>/documents",
    scope="evaluations:read",
    headers=("X-Site-Id",),
    refuses=NO_LEAD,
)
def list_documents(request: Request, env: Env, lead_id: str) -> DocumentsAnswer:
    """The documents of a lead, the newest first."""
    which = which_of(request, lead_id)
    rows = documents.list_newest(env.DB.for_tenant(which.tenant_id), which)
    return DocumentsAnswer(data=[DocumentView.of(row) for row in rows])


@routes.get(
    "/api/ops/leads/<lead_id>/documents/<document_id>",
    scope="evaluations:read",
    headers=("X-Site-Id",),
    refuses=NO_DOCUMENT,
)
def show_document(request: Request, env: Env, lead_id: str, document_id: str) -> DocumentAnswer:
    """One document, with a link to download it by once it is there."""
    which = which_of(request, lead_id)
    row = documents.read(env.DB.for_tenant(which.tenant_id), which, document_id=document_id)
    return DocumentAnswer(data=DocumentView.of(row, download=download_of(row, env=env)))


@routes.delete(
    "/api/ops/leads/<lead_id>/documents/<document_id>",
    scope="evaluations:write",
    headers=BY_PERSON,
    refuses=NO_DOCUMENT,
)
def delete_document(request: Request, env: Env, lead_id: str, document_id: str) -> DocumentDeletedAnswer:
    """Delete a document for good. Judgements that it led to stay. A repeat has the same answer."""
    which = which_of(request, lead_id)
    db = env.DB.for_tenant(which.tenant_id)
    deleted = erasure.delete_document(db, which, document_id=document_id, now=env.now())
    erase_now(deleted.files, tenant_id=which.tenant_id, env=env)
    return DocumentDeletedAnswer(data=DeletedDocument(document_id=document_id, deleted_at=deleted.deleted_at))


def check_upload(row: Mapping[str, Any], *, env: Env) -> str:
    """The SHA-256 of what is in the bucket, if it is what was announced."""
    try:
        content = env.BUCKET.get(row["storage_key"], most_bytes=MOST_BYTES)
    except ObjectTooLarge as error:
        raise DocumentInvalid(f"The file has more than {MOST_BYTES:,} bytes.", problem="size") from error
    except BucketError as error:
        raise StorageUnavailable from error
    if content is None:
        raise UploadMissing
    return check_file(content, mime_type=row["mime_type"], size=row["size_bytes"], checksum=row["checksum"])


def download_of(row: Mapping[str, Any], *, env: Env) -> Download | None:
    if row["uploaded_at"] is None:
        return None
    link = env.BUCKET.presign_download(
        row["storage_key"], expires_seconds=LINK_SECONDS, now=env.now(), filename=row["file_name"]
    )
    return Download(url=link.url, expires_at=link.expires_at)


def start_evaluation(request: Request, env: Env, lead_id: str, *, since: datetime) -> AutoRun:
    """Ask for a judgement of all that the lead has by then, unless one waits that will read it anyway."""
    order = evaluations.Order(
        tenant_id=request.caller.tenant_id,
        site_id=request.site_id,
        lead_id=lead_id,
        requested_by=request.person_id,
        model_version=env.config.ai_default_model,
        models=env.config.ai_models,
        force_refresh=True,
        delay=GATHERING,
        least_costs=env.config.model_access.least_costs(env.config.ai_models),
        user=request.caller.key_user(env.config.limited_kinds),
    )
    db = env.DB.for_tenant(order.tenant_id)
    try:
        accepted = evaluations.create(db, order, job_id=env.new_id("job"), now=env.now())
    except JobAlreadyPending as pending:
        job_id = str(pending.facts["job_id"])
        job = evaluation_history.find(db, job_id, tenant_id=order.tenant_id, site_id=order.site_id).first()
        # Who began before the document was complete may have read the others already.
        began_before = job["started_at"] is not None and job["started_at"] < since
        return AutoRun(not_started=pending.code) if began_before else AutoRun(job_id=job_id)
    except (QuotaExceeded, RateLimited, SpendLimitReached, AiDisabled) as refusal:
        return AutoRun(not_started=refusal.code)
    job_id = accepted.facts["job_id"]
    env.QUEUE.ring("evaluation", delay_seconds=int(GATHERING.total_seconds()))
    entry.log("job_created", kind="evaluation", job_id=job_id)
    entry.count("JobsCreated", kind="evaluation")
    return AutoRun(job_id=job_id)
