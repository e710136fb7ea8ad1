"""A million enrichment records to PostgreSQL: the time and the memory it takes. `make million` runs it."""

import os
import subprocess
import sys
import time

from tests.cutover_bed import Move
from tests.databases import MIGRATIONS
from tests.every_table import fill

ROWS = int(os.environ.get("CUTOVER_ROWS", "1000000"))
MOST_SECONDS = 120
# The rows alone are several times that; Python and what we import are half of it.
MOST_MEGABYTES = 120

# As the enrichment writes them: three documents, times, money, and what went wrong in one of ten.
ADD_RECORDS = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
INSERT INTO enrichment_records (id, tenant_id, job_id, record_index, status, original_data, enriched_data,
  generated_content, processing_attempts, last_error, processing_time_ms, llm_tokens_used, cost_microusd,
  enrichment_confidence, data_completeness, created_at, processed_at)
SELECT printf('0193d000-0000-7000-8000-%012d', n), 'tenants-0', 'enrichment_jobs-' || (n % 10), n,
  CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'enriched' END,
  json_object('company', 'Harbour Bakery ' || n, 'street', (n % 900) || ' Quay Street', 'city', 'Tromsø'),
  json_object('website', 'https://bakery' || n || '.example', 'owner', 'Robin Example', 'share', n / 7.0,
              'sources', json_array('search', 'website')),
  json_object('subject', 'Bread for ' || n, 'variants', json_array('A short letter.', 'A shorter one.')),
  1, CASE WHEN n % 10 = 0 THEN 'The website did not answer.' END, n % 5000, n % 900, n % 20000,
  (n % 101) / 100.0, (n % 11) / 10.0,
  printf('2025-12-%02dT%02d:00:00.%06dZ', n % 28 + 1, n % 24, n),
  printf('2025-12-%02dT%02d:00:01.%06dZ', n % 28 + 1, n % 24, n)
FROM numbers
"""


def test_a_million_records_take_less_than_two_minutes_and_memory_that_does_not_grow(move):
    with move.source_connection() as connection:
        fill(connection, rows=10, only={"tenants", "enrichment_jobs"})
        connection.execute(ADD_RECORDS, [ROWS])

    seconds, megabytes, code = copy(move)

    sys.stderr.write(f"\n{ROWS:,} records: {seconds:.1f} s, at most {megabytes:.0f} MB of memory\n")
    assert code == 0
    assert seconds < MOST_SECONDS
    assert megabytes < MOST_MEGABYTES


def copy(move: Move) -> tuple[float, float, int]:
    """How long the whole command took, comparison included, and how large its process became."""
    command = ["copy", "--from", move.source.url, "--to", move.target.url, "--rejects", str(move.rejects)]
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "millrace", *command],
        env={**os.environ, "PYTHONPATH": str(MIGRATIONS.parent / "layers/shared")},
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, used.ru_maxrss / 1024, process.returncode
