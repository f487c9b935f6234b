"""One examination for all that is judged."""

from typing import Any

from chalkgrad.judge._call_verdicts import examine_calls
from chalkgrad.judge._calls import FunctionTask
from chalkgrad.judge._inits import InitTask
from chalkgrad.judge._verdicts import Task, Verdict, examine

__all__ = ["examine_task"]


def examine_task(
    task: Task | FunctionTask, subject: Any, fixed: dict[str, Any], **how: Any
) -> Verdict:
    """Judge a subject, a rule or a function: as `examine`."""
    if isinstance(task, FunctionTask):
        if isinstance(task, InitTask):
            return task.examine(subject, fixed, how.get("tell", lambda _: None))
        task.check_options(fixed)
        return examine_calls(task, subject, fixed, **how)
    return examine(task, subject, fixed, **how)
