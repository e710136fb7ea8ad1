"""Every error that means something, as one tree.

MillraceError
├── Refusal                          a request we answer with a 4xx or 5xx
│   ├── InvalidRequest 400           ├── MissingHeaders 400
│   ├── MissingScope 403             ├── AiDisabled 403, RightsExceeded 403
│   ├── NotFound 404                 ├── SiteNotFound, LeadNotFound, JobNotFound, EvaluationNotFound,
│   │                                └── DocumentNotFound, KeyNotFound, RouteNotFound
│   ├── MethodNotAllowed 405         ├── JobAlreadyPending 409, AlreadyEvaluated 409
│   ├── JobEnded 409, JobNotFailed 409 ├── TooManyDocuments 409, UploadMissing 409
│   ├── KeyEnded 409                 ├── KeyShownAlready 409
│   ├── LeadDeleted 410              ├── BodyTooLarge 413
│   ├── UnsupportedMediaType 415     ├── IdempotencyKeyReused 422, DocumentInvalid 422
│   ├── QuotaExceeded 429            ├── InternalError 500
│   └── StorageUnavailable 503       └── DatabaseUnavailable 503
├── JobFailure                       why an attempt at a job ended without a result
│   ├── ResourceNotFound             ├── InsufficientDocuments
│   ├── StorageError (transient)     ├── ModelTimeout (transient)
│   ├── ModelUnavailable (transient) ├── ModelAnswerInvalid (keeps its charge)
│   ├── GpuUnavailable (transient)   ├── GpuOrderRefused
│   ├── LeaseExpired (transient)     └── ProcessingError (transient)
├── DatabaseError                    what a binding says of the database
│   ├── ConstraintBroken             ├── StatementInvalid
│   ├── ValueNotStorable             └── ValueUnreadable, UnknownColumn
├── MigrationInvalid, MigrationFailed, CutoverRefused, CutoverFailed, BackupFailed
├── LinkRefused, CommandRefused, StackUnavailable, QueueUnavailable, GpuUnknown
├── BucketError ─ ObjectKeyInvalid, ObjectTooLarge
├── SealError ─ SealBroken, SealUnavailable
└── ConfigurationInvalid
"""

from millrace.errors.failures import (
    GpuOrderRefused,
    GpuUnavailable,
    InsufficientDocuments,
    JobFailure,
    LeaseExpired,
    ModelAnswerInvalid,
    ModelTimeout,
    ModelUnavailable,
    ProcessingError,
    ResourceNotFound,
    StorageError,
)
from millrace.errors.faults import (
    BackupFailed,
    BucketError,
    CommandRefused,
    ConfigurationInvalid,
    ConstraintBroken,
    CutoverFailed,
    CutoverRefused,
    DatabaseError,
    GpuUnknown,
    LinkRefused,
    MigrationFailed,
    MigrationInvalid,
    ObjectKeyInvalid,
    ObjectTooLarge,
    QueueUnavailable,
    SealBroken,
    SealError,
    SealUnavailable,
    StackUnavailable,
    StatementInvalid,
    UnknownColumn,
    ValueNotStorable,
    ValueUnreadable,
)
from millrace.errors.refusals import (
    AiDisabled,
    AlreadyEvaluated,
    BodyTooLarge,
    DatabaseUnavailable,
    DocumentInvalid,
    DocumentNotFound,
    EvaluationNotFound,
    IdempotencyKeyReused,
    InternalError,
    InvalidRequest,
    JobAlreadyPending,
    JobEnded,
    JobNotFailed,
    JobNotFound,
    KeyEnded,
    KeyNotFound,
    KeyShownAlready,
    LeadDeleted,
    LeadNotFound,
    MethodNotAllowed,
    MissingHeaders,
    MissingScope,
    NotFound,
    QuotaExceeded,
    Refusal,
    RightsExceeded,
    RouteNotFound,
    SiteNotFound,
    StorageUnavailable,
    TooManyDocuments,
    UnsupportedMediaType,
    UploadMissing,
)
from millrace.errors.root import MillraceError
