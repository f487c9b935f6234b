"""Which tests count the lines that they reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest

# To count takes three quarters as long again as to run. These tests reach no line that
# no other reaches: they ask the same functions for more numbers, or a process to die.
UNCOUNTED = (
    "benchmarks",
    "contract/test_compiled.py",
    "contract/test_steps.py",
    "docs",
    "mutation",
    "oracles/test_losses_vs_mpmath.py",
    "oracles/test_slopes_vs_mpmath.py",
    "robustness",
    "unit/test_determinism.py",
    "unit/test_types.py",
)
# But these are about what the package brings of the pages.
COUNTED = (
    "docs/test_claims.py",
    "docs/test_doctest_plugin.py",
    "docs/test_exercises.py",
    "docs/test_lecture.py",
)
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def stands_in(item: pytest.Item, places: tuple[str, ...]) -> bool:
        return any(item.path.is_relative_to(HERE / place) for place in places)

    for item in items:
        if stands_in(item, UNCOUNTED) and not stands_in(item, COUNTED):
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let the processes that such a test starts count nothing, either."""
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        return (yield)
