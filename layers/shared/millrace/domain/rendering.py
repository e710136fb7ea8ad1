"""What the platform and its render worker say to each other. The worker's image holds this module too."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from millrace.domain.evaluations import Model
from millrace.domain.exports import TypedParams

MOST_MESSAGE = 500


def to_line(text: str) -> str:
    """As one line that moves no cursor: it comes from outside, and is shown on terminals."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


Message = Annotated[str, Field(max_length=MOST_MESSAGE), AfterValidator(to_line)]
JobId = Annotated[str, Field(min_length=1, max_length=128)]
Attempt = Annotated[int, Field(ge=1)]
Amount = Annotated[int, Field(ge=0, lt=2**53)]


class Said(Model):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class RenderOrder(Said):
    """The provider's `input`: all that waits in its queue. Whoever has the link may speak for the attempt."""

    job_id: JobId
    attempt: Attempt
    callback_url: str = Field(min_length=1, max_length=4_096, repr=False)


class Report(Said):
    """What every callback of the worker says of itself. `provider_job_id` lets an unknown job be adopted."""

    job_id: JobId
    attempt: Attempt
    provider_job_id: str = Field(pattern=r"^[!-~]{1,128}$")


class Started(Report):
    event: Literal["started"] = "started"


class Progressed(Report):
    event: Literal["progress"] = "progress"
    progress: int = Field(ge=0, le=100)
    message: Message


class Completed(Report):
    """Everything is uploaded. What was rendered is counted, not taken from what a container claims."""

    event: Literal["complete"] = "complete"
    output_video_key: str = Field(min_length=1, max_length=1_024)
    output_bytes: Amount
    frames: Amount
    duration_seconds: float = Field(ge=0)
    width: Amount
    height: Amount
    encoder: str = Field(max_length=100)


class Failed(Report):
    """Without `should_retry` another attempt would end the same way."""

    event: Literal["error"] = "error"
    code: str = Field(min_length=1, max_length=100)
    message: Message
    should_retry: bool


WorkerReport = Annotated[Started | Progressed | Completed | Failed, Field(discriminator="event")]


class SignedRequest(Said):
    """One request that a link allows, with the headers that are signed."""

    url: str = Field(min_length=1, max_length=8_192, repr=False)
    headers: dict[str, str] = Field(default={})


class OutputLinks(Said):
    """A PUT, and where there is one the DELETE that takes it back."""

    upload: SignedRequest
    discard: SignedRequest | None = None


class Assignment(TypedParams):
    """All that a worker needs to know, told when it says that it has started."""

    input: SignedRequest
    output_video_key: str = Field(min_length=1, max_length=1_024)
    video: OutputLinks
    clips: OutputLinks | None = Field(default=None, description="For `annotate`: the list of clips, as TSV.")


class ReportAnswer(Said):
    """The answer to every report, as `data`. `stop`: end at once and delete what was written."""

    stop: bool = False
    assignment: Assignment | None = Field(default=None, description="In the answer to `started`.")


class ReportTaken(Model):
    """A report was taken, or not: who sent it is told in either case what to do now."""

    data: ReportAnswer
