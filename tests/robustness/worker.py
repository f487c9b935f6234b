"""One of the processes that ``torchrun`` starts: it trains, and may be made to die.

``torchrun … worker.py BACKEND RANK STEP FOLDER``: the process of this rank kills itself
after this step, the first time. Each start leaves a file in the folder.
"""

import os
import signal
import sys
from pathlib import Path

import chalkgrad.cli
from chalkgrad.training._state import TrainingState


def main(backend, rank, step, folder):
    count, start = TrainingState.count, os.environ["TORCHELASTIC_RESTART_COUNT"]

    def counted(run, *args):
        count(run, *args)
        if (start, os.environ["RANK"], str(run.steps)) == ("0", rank, step):
            os.kill(os.getpid(), signal.SIGKILL)

    TrainingState.count = counted
    (Path(folder) / f"start-{start}-{os.environ['RANK']}").touch()
    options = ["--backend", backend, "--data", "moons", "--epochs", "6"]
    options += ["--average", "0.9", "--clip", "1", "--output", f"{folder}/out"]
    return chalkgrad.cli.main(
        ["train", *options, "--log", f"{folder}/log.csv", "--resume"]
    )


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
