import os

import pytest


@pytest.fixture(scope="session")
def torture():
    """Whether to do all there is: minutes instead of seconds, ``make test-faults``."""
    return os.environ.get("TORTURE") == "1"
