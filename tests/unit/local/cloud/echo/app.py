"""Answers what the request asks it to answer; else with the event it was given."""

import json
import time


def handler(event, context, env):
    wanted = event.get("queryStringParameters", {})
    if "sleep" in wanted:
        time.sleep(float(wanted["sleep"]))
    if "fail" in wanted:
        raise RuntimeError("as asked")
    if "answer" in wanted:
        return json.loads(wanted["answer"])
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}
