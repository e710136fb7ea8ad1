"""Runs a worker's command in a folder of its own, and ends all of it when this process's stdin does."""

import os
import signal
import subprocess
import sys
import tempfile
import threading


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="runpod-", ignore_cleanup_errors=True) as folder:
        own = {**os.environ, "HOME": folder, "TMPDIR": folder}
        worker = subprocess.Popen(  # noqa: S603 - what whoever starts this has named
            sys.argv[1:], stdin=subprocess.DEVNULL, env=own, start_new_session=True
        )
        threading.Thread(target=end_with_stdin, args=[worker.pid], daemon=True).start()
        status = worker.wait()
        end(worker.pid)
        return status


def end_with_stdin(group: int) -> None:
    """However who started this one ends, it outlives nobody."""
    os.read(0, 1)
    end(group)


def end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        # All of it has ended by itself.
        return


if __name__ == "__main__":
    sys.exit(main())
