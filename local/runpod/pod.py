"""Runs a worker's command and ends all of it when this process's stdin does: it outlives nobody."""

import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    worker = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    threading.Thread(target=end_with_stdin, args=[worker.pid], daemon=True).start()
    status = worker.wait()
    end(worker.pid)
    return status


def end_with_stdin(group: int) -> None:
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
