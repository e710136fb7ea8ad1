"""What the tables in expected/ hold, with faults planted."""

from typing import Any

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.planting import faults_after
from tests.unit.template.rules.exact import RULES

API = "Resources Api Properties"
AUTHORIZER = f"{API} Auth Authorizers KeyAuthorizer"
CORS = f"{API} CorsConfiguration Fn::If 1"
BUCKET = "Resources Bucket Properties"
EXPIRY = {"Id": "Forget", "Status": "Enabled", "ExpirationInDays": 1}
DATABASE = "Resources Database Properties"
GLOBALS = "Globals Function"
MIGRATE = "Resources Migrate Properties"
TICK = "Resources JobPickup Properties Events EveryMinute Properties"
OPERATE = "Resources Operate Properties"
READ_ENDPOINT = {"Fn::Sub": "postgresql://${Database.ReadEndpoint.Address}/millrace"}

PLANTED = [
    (f"{AUTHORIZER} EnableFunctionDefaultPermissions", False, "EnableFunctionDefaultPermissions is False"),
    (
        f"{AUTHORIZER} FunctionArn",
        {"Fn::GetAtt": ["Operate", "Arn"]},
        "FunctionArn Fn::GetAtt is",
    ),
    (f"{CORS} AllowOrigins", ["*"], "Api Properties CorsConfiguration"),
    (f"{CORS} AllowHeaders 0", None, "Api Properties CorsConfiguration"),
    (f"{API} FailOnWarnings", None, "Api Properties FailOnWarnings is None"),
    (f"{API} AccessLogSettings Format", "$context.routeKey $context.resourcePath", "Format is '$context"),
    (
        f"{API} AccessLogSettings DestinationArn",
        {"Fn::GetAtt": ["Logs", "Arn"]},
        "Arn Fn::GetAtt is",
    ),
    (
        "Metadata AWS::CloudFormation::Interface ParameterGroups 1 Parameters 0",
        None,
        "the parameter AlarmEmail stands in 0 groups",
    ),
    ("Parameters AuthorizerTtlSeconds Default", 3600, "AuthorizerTtlSeconds Default is 3600"),
    ("Parameters RequestsPerSecond Default", 1, "RequestsPerSecond Default is 1"),
    ("Parameters EvaluationConcurrency MinValue", 1, "EvaluationConcurrency MinValue is 1"),
    ("Parameters PickupRate AllowedValues 3", "rate(2 hours)", "PickupRate AllowedValues is ["),
    ("Parameters ProtectDatabase Default", "false", "ProtectDatabase Default is 'false'"),
    (
        "Resources Migrations Properties ServiceToken",
        {"Ref": "Operate"},
        "Migrations Properties ServiceToken",
    ),
    ("Resources SharedLayer Properties RetentionPolicy", None, "SharedLayer Properties RetentionPolicy"),
    ("Resources EndpointSecurityGroup Condition", None, "EndpointSecurityGroup Condition is None"),
    ("Resources JobStatus Properties Environment Variables MAX_WAIT_SECONDS", None, "JobStatus MAX_WAIT_SEC"),
    (f"{OPERATE} FunctionUrlConfig", {"AuthType": "NONE"}, "Operate FunctionUrlConfig is {'AuthType'"),
    (f"{OPERATE} Handler", "app.main", "Operate Handler is 'app.main'"),
    (f"{OPERATE} Layers", [], "Operate Layers is []"),
    (f"{GLOBALS} Architectures", ["x86_64"], "Globals Architectures is ['x86_64']"),
    ("Globals HttpApi", {"DisableExecuteApiEndpoint": True}, "Globals has HttpApi"),
    (f"{GLOBALS} ReservedConcurrentExecutions", 1, "Globals ReservedConcurrentExecutions is 1"),
    ("Resources RunJob Properties ReservedConcurrentExecutions", 1, "RunJob ReservedConcurrentExecutions"),
    (f"{GLOBALS} Environment Variables METRICS_NAMESPACE", None, "RunJob has no variable METRICS_NAMESPACE"),
    (f"{GLOBALS} Environment Variables METRICS_NAMESPACE", "Millrace", "RunJob METRICS_NAMESPACE is"),
    (f"{GLOBALS} Environment Variables DATABASE_URL", READ_ENDPOINT, "CreateJob DATABASE_URL Fn::Sub is"),
    (f"{OPERATE} Environment Variables DATABASE_IAM", "false", "Operate DATABASE_IAM is 'false'"),
    (f"{OPERATE} Environment Variables DATABASE_IAM", None, "Operate DATABASE_IAM is None"),
    (f"{OPERATE} Environment Variables KEY_PEPPER_SECRET", {"Ref": "Bucket"}, "KEY_PEPPER_SECRET Ref is"),
    (
        "Resources RunJob Properties Environment Variables BUCKET_URL",
        "s3://another",
        "RunJob BUCKET_URL is 's3://another'",
    ),
    (f"{MIGRATE} Environment Variables DATABASE_USER", "millrace_engine", "Migrate DATABASE_USER is"),
    (f"{MIGRATE} Environment Variables MIGRATIONS_FOLDER", "/tmp", "Migrate MIGRATIONS_FOLDER is"),
    (f"{MIGRATE} Layers", None, "Migrate Layers is None"),
    ("Resources JobPickup Properties EventInvokeConfig", None, "JobPickup EventInvokeConfig is None"),
    (f"{TICK} State", "DISABLED", "the schedule of JobPickup State is 'DISABLED'"),
    (f"{TICK} EndDate", "2030-01-01T00:00:00Z", "the schedule of JobPickup EndDate is"),
    (
        f"{TICK} DeadLetterConfig Arn",
        {"Fn::GetAtt": ["EvaluationDoorbell", "Arn"]},
        "JobPickup DeadLetterConfig Arn",
    ),
    (f"{TICK} RetryPolicy MaximumRetryAttempts", 185, "MaximumRetryAttempts is 185"),
    ("Resources KeyPepper Properties GenerateSecretString PasswordLength", 4, "PasswordLength is 4"),
    ("Resources KeyPepper Properties SecretString", "pepper", "KeyPepper Properties SecretString is"),
    ("Resources KeyPepper DeletionPolicy", "Retain", "KeyPepper DeletionPolicy is 'Retain'"),
    (f"{BUCKET} LifecycleConfiguration Rules 0", EXPIRY, "Bucket Properties LifecycleConfiguration"),
    (f"{BUCKET} LifecycleConfiguration Rules 0 Prefix", "nothing/", "Bucket Properties Lifecycle"),
    (f"{DATABASE} VpcSecurityGroupIds", None, "Database Properties VpcSecurityGroupIds is None"),
    (f"{DATABASE} DBSubnetGroupName", None, "Database Properties DBSubnetGroupName is None"),
    (f"{DATABASE} DBClusterParameterGroupName", None, "DBClusterParameterGroupName is None"),
    ("Resources DatabaseInstance Properties DBInstanceClass", "db.r6g.16xlarge", "DBInstanceClass is"),
    (
        "Resources DatabaseInstance Properties CACertificateIdentifier",
        "rds-ca-ecc384-g1",
        "CACertificateIdentifier is",
    ),
    (
        "Resources DatabaseSettings Properties Parameters idle_session_timeout",
        "0",
        "idle_session_timeout is '0'",
    ),
    ("Resources Vpc Properties EnableDnsSupport", False, "Vpc Properties EnableDnsSupport is False"),
    ("Resources NatMachine Properties SourceDestCheck", None, "SourceDestCheck is None"),
    ("Resources NatMachine Properties InstanceType", "m6g.16xlarge", "InstanceType is 'm6g.16xlarge'"),
    (
        "Resources NatMachine Properties NetworkInterfaces 0 AssociatePublicIpAddress",
        None,
        "NatMachine Properties NetworkInterfaces is",
    ),
    ("Resources Nat Properties SubnetId", {"Ref": "PrivateSubnetA"}, "Nat Properties SubnetId"),
    ("Resources Nat DependsOn", None, "Nat DependsOn is None"),
    ("Resources NatMachine DependsOn", None, "NatMachine DependsOn is None"),
    ("Resources SqsEndpoint Properties PrivateDnsEnabled", False, "PrivateDnsEnabled is False"),
    (
        "Resources S3Endpoint Properties PolicyDocument",
        {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]},
        "S3Endpoint Properties PolicyDocument is",
    ),
    (
        "Resources AccessLogs Properties RetentionInDays",
        None,
        "Properties RetentionInDays is None",
    ),
    ("Resources Alarms Properties Subscription", None, "Alarms Properties Subscription is None"),
    ("Conditions HasCors", {"Fn::Equals": [{"Ref": "CorsOrigins"}, ""]}, "HasCors Fn::Not is None"),
    ("Outputs DashboardUrl", None, "DashboardUrl is None"),
    (
        "Outputs Another",
        {"Value": {"Ref": "KeyPepper"}},
        "Another is {'Value': {'Ref': 'KeyPepper'}} and not",
    ),
    ("Parameters Another", {"Type": "String"}, "Another is {'Type': 'String'} and not None"),
    ("Resources Dashboard Properties DashboardName", None, "Dashboard Properties DashboardName is None"),
    ("Resources Another", {"Type": "AWS::SNS::Topic"}, "Another is {'Type': 'AWS::SNS::Topic'} and not None"),
    ("Resources ErrorsAlarm DeletionPolicy", "Retain", "ErrorsAlarm has DeletionPolicy"),
    ("Resources ExportDoorbell Properties VisibilityTimeout", 541, "ExportDoorbell Properties VisibilityTim"),
    ("Resources ExportDeadLetters Properties MessageRetentionPeriod", 1_209_599, "ExportDeadLetters Proper"),
    (f"{OPERATE} CodeUri", "functions/manage/", "Operate CodeUri is 'functions/manage/'"),
    (f"{OPERATE} Role Fn::GetAtt 1", "RoleId", "Operate Role Fn::GetAtt is ['OperateRole', 'RoleId']"),
    ("Resources Operate Metadata BuildMethod", None, "Operate Metadata BuildMethod is None"),
    ("Resources Operate Condition", "HasEgress", "Operate Condition is 'HasEgress'"),
    ("Outputs OperateFunction", None, "OperateFunction is None"),
    ("Outputs OperateFunction Value", {"Ref": "Migrate"}, "OperateFunction Value Ref is 'Migrate'"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []
