"""`python -m local.runpod -- COMMAND`: RunPod on this machine, until Ctrl-C."""

import argparse
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Mapping, Sequence

from local.runpod.mischief import Fault, Mischief, read_rates
from local.runpod.server import LocalRunpod, Wanted
from local.runpod.workers import Process

PORT = 8798
DESCRIPTION = """
Play RunPod on this machine: its serverless API for one endpoint, with the command as its worker. The API key
is RUNPOD_API_KEY, or a new one that is shown.
"""
EPILOG = f"""
--misbehave takes chances from 0 to 1, such as "lose_webhook=0.1,hang=0.01". The faults there are:
{", ".join(Fault)}.
"""
WELCOME = """
RunPod is played on {url}   (Ctrl-C ends it)

  for Millrace:        GPU_BASE_URL={url} GPU_ENDPOINT_ID={endpoint} GPU_KEY={key}
  for RunPod's SDK:    RUNPOD_ENDPOINT_BASE_URL={url}
"""


def main() -> int:
    arguments = read_arguments(sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    wanted = wish(arguments)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        runpod = LocalRunpod(wanted)
    except OSError as error:
        print(f"Port {wanted.port} cannot be used: {error.strerror}. Another one: --port", file=sys.stderr)
        return 1
    with runpod:
        runpod.go_on_by_itself()
        print(WELCOME.format(url=runpod.url, endpoint=wanted.endpoint, key=wanted.key), flush=True)
        ended.wait()
    return 0


def wish(arguments: argparse.Namespace) -> Wanted:
    command: Sequence[str] = arguments.command

    def launch(_worker: str, variables: Mapping[str, str]) -> Process:
        return Process(command, variables=variables)

    return Wanted(
        launch=launch,
        endpoint=arguments.endpoint,
        key=os.environ.get("RUNPOD_API_KEY") or secrets.token_urlsafe(16),
        most_workers=arguments.workers,
        port=arguments.port,
        mischief=Mischief(arguments.misbehave, seed=arguments.seed),
    )


def read_arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.runpod", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--port", type=int, default=PORT, help=f"default {PORT}; 0 for any that is free")
    parser.add_argument("--endpoint", default="local", metavar="ID", help="its id; default local")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="how many at most; default 1")
    parser.add_argument("--misbehave", type=to_rates, default={}, metavar="CHANCES", help="see below")
    parser.add_argument("--seed", type=int, metavar="N", help="the same seed misbehaves alike")
    parser.add_argument(
        "command",
        nargs="+",
        help="what a worker runs, such as: -- python -m local.runpod.worker gpu.handler:handle",
    )
    return parser.parse_args(given)


def to_rates(text: str) -> dict[Fault, float]:
    try:
        return read_rates(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
