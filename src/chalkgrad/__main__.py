"""``python -m chalkgrad`` is ``chalkgrad``."""

from chalkgrad.cli import main

raise SystemExit(main())
