"""The roles that the functions log in as, and what lets them."""

from typing import Unpack

from millrace.migrations.opening import opened
from millrace.migrations.targets import Login

# Differs: only on Amazon RDS is there such a role; whoever has it logs in by an IAM token, and only so.
ADMIT = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
    GRANT rds_iam TO millrace_api, millrace_engine;
  END IF;
END
$$
"""


def admit_roles(database_url: str, **login: Unpack[Login]) -> None:
    """Let the functions' roles log in where IAM decides about that. Elsewhere there is nothing to do."""
    with opened(database_url, **login) as target:
        if target.dialect == "postgres":
            target.execute(ADMIT)
