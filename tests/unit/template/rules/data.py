"""What cannot be made again outlives a mistake, is encrypted, and has no road to it from outside."""

from collections.abc import Iterator

from tests.unit.template.deployment import Deployment
from tests.unit.template.parameters import takes

# When it is deleted, and when it is replaced. What a failed first deployment leaves is empty and in the way.
KEPT = {
    "Database": ("Snapshot", "Snapshot"),
    "Bucket": ("RetainExceptOnCreate", "Retain"),
    "KeyPepper": ("RetainExceptOnCreate", "Retain"),
}
PUBLIC_ACCESS = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
HALVES = [f"{number / 2:g}" for number in range(513)]
NO_HALVES = ["-1", "0.0", "00", "0.7", "1.", ".5", "256.5", "257", "1000", "one", ""]


def wrong_capacities(deployment: Deployment) -> Iterator[str]:
    """What Aurora takes: half units to 256, zero to pause, and a pause after five minutes to a day."""
    parameters = deployment.document["Parameters"]
    for name, taken in (("DatabaseMinCapacity", HALVES), ("DatabaseMaxCapacity", HALVES[2:])):
        for text in HALVES + NO_HALVES:
            if takes(parameters[name], text) != (text in taken):
                yield f"{name} may {'not ' if text in taken else ''}be {text!r}"
    if not has_room(deployment):
        yield "DatabaseMinCapacity is more than DatabaseMaxCapacity by default"
    pause = parameters["PauseAfterSeconds"]
    if not 300 <= pause.get("MinValue", 0) <= pause["Default"] <= pause.get("MaxValue", DAY + 1) <= DAY:
        yield "PauseAfterSeconds may be other than 300 to 86400"


def has_room(deployment: Deployment) -> bool:
    """What CloudFormation cannot ask, since its rules compare words: is the most at least the least?"""
    least, most = (deployment.resolve({"Ref": f"Database{one}Capacity"}) for one in ("Min", "Max"))
    return float(least) <= float(most)


def unguarded_data(deployment: Deployment) -> Iterator[str]:
    """It outlives a mistake, and nobody can come from outside."""
    for name, policies in KEPT.items():
        for when, policy in zip(("DeletionPolicy", "UpdateReplacePolicy"), policies, strict=True):
            if deployment.resources[name].get(when) != policy:
                yield f"{name} has no {when} {policy}"
    database = deployment.properties("Database")
    for name in ("StorageEncrypted", "EnableIAMDatabaseAuthentication", "ManageMasterUserPassword"):
        if database.get(name) is not True:
            yield f"the database has no {name}"
    if deployment.properties("DatabaseInstance").get("PubliclyAccessible") is not False:
        yield "the database has a public address"
    settings = deployment.properties("DatabaseSettings")["Parameters"]
    if settings.get("rds.force_ssl") != "1":
        yield "the database lets callers in without TLS"


def careless_buckets(deployment: Deployment) -> Iterator[str]:
    """Private, encrypted, by TLS alone, and without the parts of uploads that nobody finished."""
    for name in deployment.named("AWS::S3::Bucket"):
        bucket = deployment.properties(name)
        blocked = bucket.get("PublicAccessBlockConfiguration", {})
        if {one for one, value in blocked.items() if value is True} != PUBLIC_ACCESS:
            yield f"{name} may be made public"
        if "SSEAlgorithm" not in str(bucket.get("BucketEncryption")):
            yield f"{name} is not encrypted"
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if not any("AbortIncompleteMultipartUpload" in one and one["Status"] == "Enabled" for one in rules):
            yield f"{name} keeps what was never wholly uploaded"
        if not refuses_plain_http(deployment, name):
            yield f"{name} can be reached without TLS"


def refuses_plain_http(deployment: Deployment, bucket: str) -> bool:
    """Everybody, everything, the bucket and all that is in it."""
    wanted = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return any(
        wanted.items() <= statement.items()
        for name in deployment.named("AWS::S3::BucketPolicy")
        if deployment.properties(name)["Bucket"] == {"Ref": bucket}
        for statement in deployment.properties(name)["PolicyDocument"]["Statement"]
    )


DAY = 86_400
RULES = (wrong_capacities, unguarded_data, careless_buckets)
