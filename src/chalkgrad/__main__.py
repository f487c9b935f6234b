"""``python -m chalkgrad`` is ``chalkgrad``."""

from chalkgrad.cli import main

if __name__ == "__main__":  # and not where a process is started from this one
    raise SystemExit(main())
