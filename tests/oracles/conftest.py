"""Exact values are worth a thousand digits here."""

import pytest
from mpmath import mp


@pytest.fixture(autouse=True, scope="module")
def thousand_digits():
    with mp.workdps(1000):
        yield
