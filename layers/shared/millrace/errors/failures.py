"""Why an attempt at a job ended without a result."""

from collections.abc import Sequence
from typing import Any

from millrace.errors.root import MillraceError


class JobFailure(MillraceError):
    """An attempt ended without a result.

    `transient` decides whether it is tried again, `keeps_charge` whether the last failure is paid for,
    `cost_unknown` whether its provider may charge for more than we have heard of.
    `answers` are the ModelAnswers that were paid for all the same: a model that refuses has used tokens too.
    """

    transient = False
    keeps_charge = False
    cost_unknown = False

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, answers: Sequence[Any] = ()
    ):
        self.message = message
        self.retry_after_seconds = retry_after_seconds
        self.answers = tuple(answers)
        super().__init__(message)

    @property
    def code(self) -> str:
        return type(self).__name__


class ResourceNotFound(JobFailure):
    """What the job is about is gone."""


class InsufficientDocuments(JobFailure):
    """There is nothing readable to judge."""


class StorageError(JobFailure):
    """The bucket did not answer as it should."""

    transient = True


class ModelTimeout(JobFailure):
    """The model took longer than it may. What it was thinking by then may be charged for."""

    transient = True
    cost_unknown = True


class ModelUnavailable(JobFailure):
    """The model is overloaded, broken or out of reach."""

    transient = True


class ModelNotConfigured(JobFailure):
    """The model was taken out of the configuration after the job was accepted."""


class ModelAnswerInvalid(JobFailure):
    """The model answered twice and neither answer could be read. A person must look; the work is paid for."""

    keeps_charge = True


class GpuUnavailable(JobFailure):
    """The provider of GPUs is overloaded, broken or out of reach. What it was asked for was not done."""

    transient = True


class GpuOrderRefused(JobFailure):
    """The provider of GPUs does not take such an order: a fault of ours."""


class GpuJobLost(JobFailure):
    """The provider of GPUs no longer knows the job, or never told of it in its time."""

    transient = True


class RenderFailed(JobFailure):
    """The render broke, or the provider ended it. Another attempt may end well."""

    transient = True


class RenderTimedOut(JobFailure):
    """The render was at work until its time was up. Another attempt would be, too."""


class InputUnusable(JobFailure):
    """What was asked for cannot be rendered, however often: the work until this was known is paid for."""

    keeps_charge = True


class LeaseExpired(JobFailure):
    """The worker was not heard of again, nor what it has paid for."""

    transient = True
    cost_unknown = True


class ProcessingError(JobFailure):
    """Anything else that ended an attempt."""

    transient = True
