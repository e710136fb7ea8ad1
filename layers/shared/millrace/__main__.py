"""`python -m millrace` is the command line."""

import sys

from millrace.command.line import main

sys.exit(main())
