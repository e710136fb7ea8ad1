import pytest

from millrace.domain.configuration import Config, read_config
from millrace.errors import ConfigurationInvalid

SQLITE = "sqlite:///var/millrace.db"
POSTGRES = "postgresql://millrace:hidden-password@db.example:5432/millrace"


def read(**variables: str) -> Config:
    return read_config({"DATABASE_URL": SQLITE, **variables})


def test_a_database_is_all_that_must_be_said():
    config = read()

    assert config.database_url == SQLITE
    assert config.ai_models == ("local/rules",)
    assert config.ai_default_model == "local/rules"
    assert config.log_level == "INFO"
    assert config.queue_urls == {}
    assert config.bucket_url is None
    assert not config.database_iam


def test_what_the_defaults_of_config_say_is_what_an_empty_environment_gives():
    assert read() == Config(database_url=SQLITE)


def test_every_variable_becomes_a_field():
    config = read(
        DATABASE_URL=POSTGRES,
        DATABASE_USER="millrace_api",
        DATABASE_IAM="true",
        DATABASE_TLS="verify",
        DATABASE_SECONDS="4",
        BUCKET_URL="s3://millrace-documents",
        BUCKET_LINKS_URL="http://127.0.0.1:8787/__bucket/",
        BUCKET_LINKS_SECRET="a secret of the test",
        SEAL_KEY="kms:alias/millrace",
        QUEUE_URL_EVALUATION="https://sqs.example/1/evaluation",
        QUEUE_URL_EXPORT="https://sqs.example/1/export",
        AI_MODELS="local/rules, vendor/model-1.5:latest",
        AI_DEFAULT_MODEL="vendor/model-1.5:latest",
        MAX_WAIT_SECONDS="0",
        DOCUMENT_DAYS="1095",
        LIMITED_KINDS="export, evaluation",
        LOG_LEVEL="DEBUG",
    )

    assert config == Config(
        database_url=POSTGRES,
        database_user="millrace_api",
        database_iam=True,
        database_tls="verify",
        database_seconds=4,
        bucket_url="s3://millrace-documents",
        bucket_links_url="http://127.0.0.1:8787/__bucket",
        bucket_links_secret="a secret of the test",
        seal_key="kms:alias/millrace",
        queue_urls={
            "evaluation": "https://sqs.example/1/evaluation",
            "export": "https://sqs.example/1/export",
        },
        ai_models=("local/rules", "vendor/model-1.5:latest"),
        ai_default_model="vendor/model-1.5:latest",
        document_days=1095,
        limited_kinds=("export", "evaluation"),
        log_level="DEBUG",
    )


def test_an_empty_variable_is_an_absent_one():
    assert read(BUCKET_URL="", DATABASE_USER=" ", QUEUE_URL_EXPORT="", LOG_LEVEL="") == read()


def test_metrics_are_counted_under_a_name_or_not_at_all():
    assert read(METRICS_NAMESPACE="Millrace/prod").metrics_namespace == "Millrace/prod"
    assert read(METRICS_NAMESPACE="none").metrics_namespace is None


def test_answers_are_held_only_where_it_is_said_for_how_long():
    assert read().max_wait_seconds == read(MAX_WAIT_SECONDS="0").max_wait_seconds == 0
    assert read(MAX_WAIT_SECONDS="20").max_wait_seconds == 20


def test_the_first_model_is_the_default():
    assert read(AI_MODELS="vendor/big,vendor/small").ai_default_model == "vendor/big"


def test_variables_of_others_are_left_alone():
    assert read(PATH="/bin", AWS_REGION="eu-west-1") == read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "millrace.db"),
        ("DATABASE_URL", "sqlite://relative.db"),
        ("DATABASE_URL", "sqlite:relative.db"),
        ("DATABASE_URL", "sqlite:///folder/"),
        ("DATABASE_URL", "mysql://host/name"),
        ("DATABASE_URL", "postgresql://user@host"),
        ("DATABASE_URL", "postgresql:///name"),
        ("DATABASE_URL", "postgresql://user@host:port/name"),
        ("DATABASE_URL", "postgresql://user@host:70000/name"),
        ("DATABASE_URL", "postgresql://user@[::1/name"),
        ("DATABASE_URL", "postgresql://user@host/name?sslmode=require"),
        ("DATABASE_URL", "postgresql://user@host/name#part"),
        ("DATABASE_URL", "sqlite:///var/millrace.db?mode=ro"),
        ("DATABASE_IAM", "yes"),
        ("DATABASE_SECONDS", "0"),
        ("DATABASE_SECONDS", "4.5"),
        ("DATABASE_SECONDS", "1000"),
        ("DATABASE_SECONDS", "soon"),
        ("MAX_WAIT_SECONDS", "-1"),
        ("MAX_WAIT_SECONDS", "020"),
        ("LIMITED_KINDS", "story"),
        ("LIMITED_KINDS", "evaluation,"),
        ("DOCUMENT_DAYS", "0"),
        ("DOCUMENT_DAYS", "10000"),
        ("DOCUMENT_DAYS", "90 days"),
        ("DATABASE_TLS", "maybe"),
        ("BUCKET_URL", "millrace-documents"),
        ("BUCKET_URL", "s3://Has_Capitals"),
        ("BUCKET_URL", "s3://name/with/a/path"),
        ("BUCKET_URL", "file://relative/folder"),
        ("BUCKET_LINKS_URL", "127.0.0.1:8787"),
        ("BUCKET_LINKS_SECRET", "short"),
        ("SEAL_KEY", "alias/millrace"),
        ("SEAL_KEY", "kms:"),
        ("SEAL_KEY", "file:///folder/"),
        ("QUEUE_URL_EVALUATION", "evaluations"),
        ("AI_MODELS", ","),
        ("AI_MODELS", "local/rules, no-provider"),
        ("AI_DEFAULT_MODEL", "vendor/unknown"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_the_message_names_the_variable_that_is_wrong(name, value):
    with pytest.raises(ConfigurationInvalid, match=name):
        read(**{name: value})


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ConfigurationInvalid) as refused:
        read_config({"BUCKET_URL": "nowhere", "LOG_LEVEL": "LOUD"})

    assert "DATABASE_URL is missing" in str(refused.value)
    assert "BUCKET_URL must be" in str(refused.value)
    assert "LOG_LEVEL must be" in str(refused.value)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"BUCKET_LINKS_URL": "http://127.0.0.1:8787/__bucket"}, "BUCKET_LINKS_SECRET is missing"),
        ({"BUCKET_LINKS_SECRET": "a secret of the test"}, "BUCKET_LINKS_URL is missing"),
    ],
)
def test_links_need_an_address_and_a_secret(given, missing):
    with pytest.raises(ConfigurationInvalid, match=missing):
        read(**given)


def test_both_names_of_the_scheme_are_taken():
    short = POSTGRES.replace("postgresql:", "postgres:")

    assert read(DATABASE_URL=short).database_url == short


def test_a_password_comes_from_one_place_only():
    with pytest.raises(ConfigurationInvalid, match="DATABASE_IAM and DATABASE_PASSWORD_SECRET"):
        read(DATABASE_URL=POSTGRES, DATABASE_IAM="true", DATABASE_PASSWORD_SECRET="arn:of:a:secret")


def test_an_iam_token_needs_a_role():
    with pytest.raises(ConfigurationInvalid, match="DATABASE_USER is missing"):
        read(DATABASE_URL="postgresql://db.example/millrace", DATABASE_IAM="true")


def test_what_only_postgres_needs_does_not_disturb_sqlite():
    config = read(DATABASE_IAM="true", DATABASE_PASSWORD_SECRET="arn:of:a:secret")

    assert config.database_url == SQLITE


def test_neither_repr_nor_a_message_tells_a_secret():
    broken = "postgresql://millrace:hidden-password@db.example:port/millrace"

    with pytest.raises(ConfigurationInvalid) as refused:
        read(DATABASE_URL=broken, BUCKET_LINKS_SECRET="hidden")
    config = read(
        DATABASE_URL=POSTGRES, BUCKET_LINKS_URL="http://127.0.0.1", BUCKET_LINKS_SECRET="hidden-secret-16"
    )

    assert "hidden" not in str(refused.value)
    assert "hidden" not in repr(config)
