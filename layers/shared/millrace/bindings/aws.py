"""AWS clients, made as late as possible: boto3 is imported by the first call, not by the first import."""

import threading
from typing import Any

# boto3's session may not make two clients at the same time.
_making = threading.Lock()


class LateClient:
    """Call it for the client. It is made by the first call, once."""

    def __init__(self, service: str, **settings: Any):
        self._service = service
        self._settings = settings
        self._client: Any = None

    def __call__(self) -> Any:
        with _making:
            if self._client is None:
                import boto3
                from botocore.config import Config

                self._client = boto3.client(self._service, config=Config(**self._settings))
            return self._client
