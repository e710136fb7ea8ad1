"""Every error that means something, as one tree.

MillraceError
├── Refusal                          a request we answer with a 4xx or 5xx
│   ├── InvalidRequest 400           ├── MissingHeaders 400, CallbackRefused 401
│   ├── MissingScope 403             ├── AiDisabled 403, RightsExceeded 403
│   ├── NotFound 404                 ├── SiteNotFound, LeadNotFound, JobNotFound, EvaluationNotFound,
│   │                                ├── DocumentNotFound, ProjectNotFound, VideoNotFound
│   │                                └── KeyNotFound, RouteNotFound
│   ├── MethodNotAllowed 405         ├── JobAlreadyPending 409, AlreadyEvaluated 409
│   ├── JobEnded 409, JobNotFailed 409 ├── TooManyDocuments 409, UploadMissing 409
│   ├── JobNotRetryable 409
│   ├── KeyEnded 409                 ├── KeyShownAlready 409, ExportAlreadyRunning 409
│   ├── LeadDeleted 410              ├── BodyTooLarge 413
│   ├── UnsupportedMediaType 415     ├── IdempotencyKeyReused 422
│   ├── DocumentInvalid 422          ├── VideoInvalid 422
│   ├── QuotaExceeded 429            ├── GpuQuotaExceeded 429, RateLimited 429
│   ├── SpendLimitReached 429        ├── InternalError 500
│   └── StorageUnavailable 503       └── DatabaseUnavailable 503
├── JobFailure                       why an attempt at a job ended without a result
│   ├── ResourceNotFound             ├── InsufficientDocuments
│   ├── StorageError (transient)     ├── ModelTimeout (transient)
│   ├── ModelUnavailable (transient) ├── ModelAnswerInvalid (keeps its charge)
│   ├── ModelNotConfigured
│   ├── GpuUnavailable (transient)   ├── GpuOrderRefused
│   ├── GpuJobLost (transient)       ├── RenderFailed (transient)
│   ├── RenderTimedOut               ├── InputUnusable (keeps its charge)
│   ├── LeaseExpired (transient)     └── ProcessingError (transient)
├── DatabaseError                    what a binding says of the database
│   ├── ConstraintBroken             ├── StatementInvalid
│   ├── ValueNotStorable             └── ValueUnreadable, UnknownColumn
├── MigrationInvalid, MigrationFailed, CutoverRefused, CutoverFailed, BackupFailed
├── LinkRefused, CommandRefused, StackUnavailable, QueueUnavailable, GpuUnknown, SecretUnavailable
├── BucketError ─ ObjectKeyInvalid, ObjectTooLarge, ObjectExists
├── AuditChainBroken
├── SealError ─ SealBroken, SealUnavailable
└── ConfigurationInvalid
"""

from millrace.errors.failures import (
    GpuJobLost,
    GpuOrderRefused,
    GpuUnavailable,
    InputUnusable,
    InsufficientDocuments,
    JobFailure,
    LeaseExpired,
    ModelAnswerInvalid,
    ModelNotConfigured,
    ModelTimeout,
    ModelUnavailable,
    ProcessingError,
    RenderFailed,
    RenderTimedOut,
    ResourceNotFound,
    StorageError,
)
from millrace.errors.faults import (
    AuditChainBroken,
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
    ObjectExists,
    ObjectKeyInvalid,
    ObjectTooLarge,
    QueueUnavailable,
    SealBroken,
    SealError,
    SealUnavailable,
    SecretUnavailable,
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
    CallbackRefused,
    DatabaseUnavailable,
    DocumentInvalid,
    DocumentNotFound,
    EvaluationNotFound,
    ExportAlreadyRunning,
    GpuQuotaExceeded,
    IdempotencyKeyReused,
    InternalError,
    InvalidRequest,
    JobAlreadyPending,
    JobEnded,
    JobNotFailed,
    JobNotFound,
    JobNotRetryable,
    KeyEnded,
    KeyNotFound,
    KeyShownAlready,
    LeadDeleted,
    LeadNotFound,
    MethodNotAllowed,
    MissingHeaders,
    MissingScope,
    NotFound,
    ProjectNotFound,
    QuotaExceeded,
    RateLimited,
    Refusal,
    RightsExceeded,
    RouteNotFound,
    SiteNotFound,
    SpendLimitReached,
    StorageUnavailable,
    TooManyDocuments,
    UnsupportedMediaType,
    UploadMissing,
    VideoInvalid,
    VideoNotFound,
)
from millrace.errors.root import MillraceError
