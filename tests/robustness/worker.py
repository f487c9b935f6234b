"""One of the processes that ``torchrun`` starts: it trains, and may be made to die.

``torchrun … worker.py RANK STEP FOLDER``: the process of this rank kills itself after
this step, the first time. Each start leaves a file in the folder.
"""

import os
import signal
import sys
from pathlib import Path

from chalkgrad.cli import main
from chalkgrad.training._run import Run

rank, step, folder = *map(int, sys.argv[1:3]), Path(sys.argv[3])
count, start = Run.count, os.environ["TORCHELASTIC_RESTART_COUNT"]


def counted(run, *args):
    count(run, *args)
    if (start, os.environ["RANK"], run.steps) == ("0", str(rank), step):
        os.kill(os.getpid(), signal.SIGKILL)


Run.count = counted
(folder / f"start-{start}-{os.environ['RANK']}").touch()
options = ["--data", "moons", "--epochs", "6", "--average", "0.9", "--clip", "1"]
options += ["--log", f"{folder}/log.csv", "--output", f"{folder}/out", "--resume"]
raise SystemExit(main(["train", "--half", "torch", *options]))
