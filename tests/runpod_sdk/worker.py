"""A worker made with RunPod's own SDK, of the handler that the other tests have."""

import runpod

from tests.runpod_worker import handle

if __name__ == "__main__":
    runpod.serverless.start({"handler": handle})
