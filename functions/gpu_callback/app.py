"""POST from a GPU worker, or from its provider: progress and endings, taken by whoever has the link."""

from millrace import entry
from millrace.domain.callbacks import read_token
from millrace.domain.jobs import EXPORT
from millrace.domain.rendering import ReportTaken
from millrace.entry import Request
from millrace.env import Env
from millrace.errors import CallbackRefused, StorageUnavailable
from millrace.workloads import callbacks

routes = entry.Routes()

MOST_BYTES = 64 << 10


@routes.post(
    "/api/runpod/callback/<token>",
    public=True,
    most_bytes=MOST_BYTES,
    refuses=(CallbackRefused, StorageUnavailable),
)
def take_callback(request: Request, env: Env, token: str) -> ReportTaken:
    """Tell how a render goes. The link says which, and is all that is needed.

    The body is a worker's report, or what the provider tells of the end. With `stop` in the answer nobody
    wants the result any more.
    """
    link = read_token(token, keys=env.CALLBACK_KEYS(), now=env.now())
    taken = callbacks.take(callbacks.read(request.body, link=link), link=link, env=env)
    if taken.ending:
        entry.report(taken.ending, kind=EXPORT.kind, now=env.now())
    return ReportTaken(data=taken.answer)


handler = entry.worker(fetch=routes)
