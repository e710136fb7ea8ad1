"""An authorizer that knows a few words, and notes each event it was asked about."""

asked = []


def handler(event, context, env):
    asked.append(event)
    word = event["identitySource"][0]
    if word == "broken":
        raise RuntimeError("as asked")
    if word == "nonsense":
        return {"isAuthorized": "true"}
    return {"isAuthorized": word.startswith("good"), "context": {"who": word}}
