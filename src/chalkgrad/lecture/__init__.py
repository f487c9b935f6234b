"""The lecture as data: its pages, its claims, and what its snippets print.

Notebooks and scripts that were made of a page compare what they print with the page:

>>> from chalkgrad import lecture
>>> lecture.show([1, 2])
[1, 2]
"""

from chalkgrad.lecture._session import PageWarning, begin, check, show, try_answer

__all__ = ["PageWarning", "begin", "check", "show", "try_answer"]
