"""Why a request is answered with a 4xx or 5xx."""

from typing import Any

from millrace.errors.root import MillraceError


class Refusal(MillraceError):
    """A request answered with an error: `code` for programs, `message` for people, `facts` beside them."""

    status = 500
    message = "Something went wrong on our side."
    cause: str | None = None

    def __init__(self, message: str | None = None, *, headers: dict[str, str] | None = None, **facts: Any):
        self.message = message or type(self).message
        self.headers = headers or {}
        self.facts = facts
        super().__init__(self.message)

    @property
    def code(self) -> str:
        return type(self).__name__


class InvalidRequest(Refusal):
    status = 400
    message = "The request is not valid."


class MissingHeaders(Refusal):
    status = 400
    message = "Required headers are missing."


class MissingScope(Refusal):
    status = 403
    message = "The key lacks a scope that this request needs."


class AiDisabled(Refusal):
    status = 403
    message = "AI evaluations are switched off. Switch them on with PUT /api/ops/ai-settings."


class CallbackRefused(Refusal):
    status = 401
    message = "This link is not, or no longer, good for a callback."


class RightsExceeded(Refusal):
    status = 403
    message = "A key gives no other key more than it has itself."


class NotFound(Refusal):
    status = 404
    message = "Not found."


class RouteNotFound(NotFound):
    message = "No such route."


class SiteNotFound(NotFound):
    message = "Site not found or access denied"


class LeadNotFound(NotFound):
    message = "Lead not found or access denied"


class EvaluationNotFound(NotFound):
    message = "This lead has not been evaluated yet."


class DocumentNotFound(NotFound):
    message = "Document not found or access denied"


class ProjectNotFound(NotFound):
    message = "Project not found or access denied"


class VideoNotFound(NotFound):
    message = "Video not found, not uploaded completely, or access denied"


class JobNotFound(NotFound):
    message = "Job not found or access denied"


class KeyNotFound(NotFound):
    message = "Key not found or access denied"


class MethodNotAllowed(Refusal):
    status = 405
    message = "This route does not take that method."


class JobAlreadyPending(Refusal):
    status = 409
    message = "An evaluation is already in progress for this lead"


class ExportAlreadyRunning(Refusal):
    status = 409
    message = "The very same export is under way. Poll that one."


class AlreadyEvaluated(Refusal):
    status = 409
    message = "Lead already evaluated. Use force_refresh=true to re-evaluate."


class JobEnded(Refusal):
    status = 409
    message = "The job has ended already."


class JobNotFailed(Refusal):
    status = 409
    message = "Only a failed job is retried."


class JobNotRetryable(Refusal):
    status = 409
    message = "The job would fail again as it did. Ask for another one that can be done."


class KeyEnded(Refusal):
    status = 409
    message = "The key is revoked or has expired. Issue another."


class KeyShownAlready(Refusal):
    status = 409
    message = "This request was carried out before, and its key shown then. If that is lost, rotate the key."


class UploadMissing(Refusal):
    status = 409
    message = "The file has not arrived. PUT it to the upload's address first, then say that it is complete."


class TooManyDocuments(Refusal):
    status = 409
    message = "The lead has as many documents as it may. Delete one first."


class LeadDeleted(Refusal):
    status = 410
    message = "This lead was deleted with its data. Use another id."


class DocumentInvalid(Refusal):
    status = 422
    message = "The file is not what was said of it. Delete this document, and announce the right one."


class VideoInvalid(Refusal):
    status = 422
    message = "The video is not what was said of it. Announce the right one."


class BodyTooLarge(Refusal):
    status = 413
    message = "The body is larger than 1 MB."


class UnsupportedMediaType(Refusal):
    status = 415
    message = "Send the body as application/json."


class IdempotencyKeyReused(Refusal):
    status = 422
    message = "This Idempotency-Key was used for another request within the last 24 hours. Use a new key."


class QuotaExceeded(Refusal):
    status = 429
    message = "The quota is used up."


class GpuQuotaExceeded(Refusal):
    status = 429
    message = "The GPU seconds of this month are used up."


class SpendLimitReached(Refusal):
    status = 429
    message = "What may be spent in a day is reached. There is more from midnight (UTC) on."

    def __init__(
        self,
        message: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        passes: bool = False,
        **facts: Any,
    ):
        super().__init__(message, headers=headers, **facts)
        # Whether what is set aside for jobs that run is all that stands in the way.
        self.passes = passes


class RateLimited(Refusal):
    status = 429
    message = "The key's user has asked for as much as they may for now."


class DatabaseUnavailable(Refusal):
    """`cause`, for the log alone, is a SQLSTATE, or what was done and what came of it: "connect: refused"."""

    status = 503
    message = "The database does not answer at the moment. Repeat the request."

    def __init__(self, message: str | None = None, *, cause: str | None = None):
        super().__init__(message)
        self.cause = cause
        self.args = (f"{self.message} ({cause})",) if cause else self.args


class StorageUnavailable(Refusal):
    status = 503
    message = "The bucket does not answer at the moment. Repeat the request."


class InternalError(Refusal):
    message = "Something went wrong on our side. Tell us the request_id."
