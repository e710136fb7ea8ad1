"""The test bed: fresh databases on both dialects, a clock to be moved, and no test skipped."""

import os
from collections.abc import Generator, Iterator

import pytest

from millrace.bindings.database import Database
from tests.clock import Clock
from tests.databases import BOTH, FreshDatabase, PostgresDatabases, SqliteDatabases, databases_of
from tests.factories import NOW
from tests.leaks import find_any, text_of
from tests.postgres_server import running_postgres


@pytest.fixture
def clock() -> Clock:
    """It shows the factories' NOW until it is moved."""
    return Clock(NOW)


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> Iterator[FreshDatabase]:
    """A migrated database without a row in it. Afterwards no key may stand in it."""
    with databases_of(request).fresh() as fresh:
        yield fresh
        fresh.close()
        assert find_any(text_of(fresh.open(role=None))) == []


@pytest.fixture(params=BOTH)
def empty_database(request: pytest.FixtureRequest) -> Iterator[FreshDatabase]:
    """A database nobody has migrated."""
    with databases_of(request).fresh(migrated=False) as fresh:
        yield fresh


@pytest.fixture
def database_url(database: FreshDatabase) -> str:
    return database.url


@pytest.fixture
def db(database: FreshDatabase) -> Database:
    """`env.DB` of the functions that work for all tenants."""
    return database.open(role="millrace_engine")


@pytest.fixture
def api_db(database: FreshDatabase) -> Database:
    """`env.DB` of the functions that work for one caller: on PostgreSQL bound by row-level security."""
    return database.open(role="millrace_api")


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    return SqliteDatabases(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def postgres_databases(postgres_server_url: str) -> Iterator[PostgresDatabases]:
    databases = PostgresDatabases(postgres_server_url)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """The server named by MILLRACE_TEST_DATABASE_URL, else one of our own. Without either the tests fail."""
    if named := os.environ.get("MILLRACE_TEST_DATABASE_URL"):
        yield named
    else:
        with running_postgres() as url:
            yield url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that has a key or a link's signature written into its output has failed."""
    report = yield
    if call.when == "teardown" and (leaked := find_any("\n".join(text for _, text in report.sections))):
        report.outcome, report.longrepr = "failed", f"what is secret was written down: {leaked}"
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that does not run proves nothing: skipping is failing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("")
        reporter.write_line("FAILED: tests were skipped, and a skipped test counts as failed.", red=True)
