"""Notes what it was given, and fails the messages that say so."""

import threading

seen = []
rang = threading.Event()


def handler(event, context, env):
    seen.append(event)
    rang.set()
    failed = [record["messageId"] for record in event.get("Records", []) if "fail" in record["body"]]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
