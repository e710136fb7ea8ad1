"""What is said to the person who started the local cloud."""

import sys

from local.settings import Settings

WELCOME = """
Millrace serves on {url}   ({how})

Ask for an evaluation:

  curl -X POST {url}/api/ops/leads/lead_123/ai-evaluation \\
    -H "X-Site-Id: site_abc" \\
    -H "X-User-Id: user_xyz" \\
    -H "Authorization: Bearer test-token" \\
    -H "Content-Type: application/json" \\
    -d '{{}}'

and for its result, with the job_id from the answer:

  curl {url}/api/ops/ai-evaluation-jobs/JOB_ID \\
    -H "X-Site-Id: site_abc" -H "X-User-Id: user_xyz" -H "Authorization: Bearer test-token"

A video is there to be rendered, too; what came of it is at {url}/api/exports/JOB_ID:

  curl -X POST {url}/api/exports \\
    -H "X-User-Id: user_xyz" \\
    -H "Authorization: Bearer test-token" \\
    -H "Content-Type: application/json" \\
    -d '{{"project_id": "project_123", "type": "annotate",
         "input_video_key": "tenants/tenant_demo/videos/match",
         "params": {{"clips": [{{"start_time": 1, "end_time": 3, "name": "The goal", "rating": 5}}]}}}}'

More leads to try: lead_001 to lead_030. Everything at once, in another terminal: make demo
Fire the schedule now: curl "{url}/__scheduled"
The data: {database}
"""

GOODBYE = "Millrace has stopped. What was accepted is kept, and goes on at the next start."


def welcome(settings: Settings, *, reload: bool) -> None:
    how = "Ctrl-C ends it; changed code is taken up at once" if reload else "Ctrl-C ends it"
    print(WELCOME.format(url=settings.url, how=how, database=settings.database_shown), flush=True)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
