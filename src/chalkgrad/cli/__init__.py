"""The command line: ``chalkgrad train``, also ``python -m chalkgrad train``.

It needs ``pip install 'chalkgrad[cli]'``.
"""

import argparse
import sys
from collections.abc import Sequence

import chalkgrad

__all__ = ["main"]

# What a missing module is called, and the extra that brings it.
EXTRAS = {"torch": "torch", "rich": "cli", "matplotlib": "cli"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``chalkgrad``.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``chalkgrad``; by default those of the command line.

    Returns
    -------
    int
        0 if all went well, 1 if training diverged, 2 if something that was asked for
        cannot be had, 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        With 2 if the words make no command; with 0 after ``--help`` or ``--version``.
    """
    args = _parser().parse_args(argv)
    try:
        # Imported here, so that --help and --version need nothing but Python.
        from chalkgrad.cli import _train

        return _train.train(args)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRAS:
            raise
        problem = (
            f"this needs {missing}, which is not installed; "
            f"pip install 'chalkgrad[{EXTRAS[missing]}]'"
        )
    except (OSError, ValueError) as error:
        problem = str(error)
    print(f"chalkgrad: {problem}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    version = f"chalkgrad {chalkgrad.__version__}"
    parser = argparse.ArgumentParser(
        prog="chalkgrad", description="A deep-learning lecture that runs."
    )
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    train = commands.add_parser(
        "train",
        help="train a classifier and look at its mistakes",
        description="Train a classifier on 80 % of the data, test it on the other "
        "20 %, and look at its mistakes.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    option = train.add_argument
    option(
        "--data",
        default="digits",
        choices=["digits", "moons", "circles", "spirals", "blobs", "xor"],
        help="what to learn: real images of digits, or points in the plane",
    )
    option(
        "--examples",
        type=int,
        default=1000,
        metavar="N",
        help="how many points to draw (there are 1797 digits)",
    )
    option(
        "--hidden",
        type=int,
        nargs="*",
        default=[100],
        metavar="UNITS",
        help="sizes of the hidden layers",
    )
    option("--activation", default="relu", help="what follows each hidden layer")
    option("--half", default="numpy", choices=["numpy", "torch"], help="what computes")
    option(
        "--optimizer",
        default="adam",
        choices=["sgd", "adagrad", "rmsprop", "adam", "adamw"],
        help="the rule for stepping",
    )
    option("--lr", type=float, default=0.01, help="the learning rate")
    option("--epochs", type=int, default=40, metavar="N", help="rounds of training")
    option("--batch-size", type=int, default=32, metavar="N", help="examples to a step")
    option("--seed", type=int, default=0, help="where all random numbers come from")
    option(
        "--dtype",
        default="float64",
        choices=["float64", "float32"],
        help="the precision",
    )
    option("--device", default="cpu", help="where torch computes, such as cuda")
    option(
        "--output",
        default="chalkgrad-run",
        metavar="FOLDER",
        help="where weights.npy and mistakes.png go",
    )
    return parser
