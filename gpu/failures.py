"""Why a render ended without a result, in words for the person who asked for it.

RenderFailure
├─ for good: NotAVideo, NoVideoStream, TruncatedVideo, DamagedVideo, VideoTooLarge, VideoTooLong,
│            RegionOutside, StartAfterEnd, InputMissing
└─ Passing:  InputUnavailable, UploadRefused, UploadFailed, RenderFault
Ended: Stopped, Interrupted, CallbackRefused, PlatformUnreachable
"""


class RenderFailure(Exception):
    """`should_retry`: another attempt may end well without anybody changing anything."""

    should_retry = False

    def __init__(self, message: str):
        self.message = message
        super().__init__(message)

    @property
    def code(self) -> str:
        return type(self).__name__


class NotAVideo(RenderFailure):
    """No container or codec that we read."""


class NoVideoStream(RenderFailure):
    """Sound perhaps, but no pictures."""


class TruncatedVideo(RenderFailure):
    """The container promises more than the file holds."""


class DamagedVideo(RenderFailure):
    """It could be opened and not be decoded."""


class VideoTooLarge(RenderFailure):
    """More bytes or pixels than a worker takes on."""


class VideoTooLong(RenderFailure):
    """More hours than a worker takes on."""


class RegionOutside(RenderFailure):
    """A highlight of which nothing is in the picture."""


class StartAfterEnd(RenderFailure):
    """A cut that begins when the video is over."""


class InputMissing(RenderFailure):
    """There is no such file in the bucket."""


class Passing(RenderFailure):
    should_retry = True


class InputUnavailable(Passing):
    """The input could not be fetched, or its link is over."""


class UploadRefused(Passing):
    """The bucket does not take the output, as with a link that is over."""


class UploadFailed(Passing):
    """The bucket did not answer as it should."""


class RenderFault(Passing):
    """Anything else. The log has the details."""


class Ended(Exception):
    """The platform is not to be told: it knows, or does not listen."""


class Stopped(Ended):
    """The platform wants no more of this attempt, nor what it wrote."""


class Interrupted(Ended):
    """The provider ends the job. Whether its output is the result, only the platform knows."""


class CallbackRefused(Ended):
    """Our link is not (any more) good for this attempt."""


class PlatformUnreachable(Ended):
    """Nobody answered for as long as we try."""
