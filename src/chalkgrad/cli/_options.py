"""The words of the command line: every command and its options."""

import argparse

import chalkgrad

__all__ = ["BUILT_IN", "OPTIMIZERS", "SCHEDULES", "parser"]

BUILT_IN = ["digits", "moons", "circles", "spirals", "blobs", "xor"]
OPTIMIZERS = [
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "barzilai_borwein",
    "dog",
    "hypergradient",
    "lion",
    "nadam",
    "prodigy",
    "radam",
    "rmsprop",
    "schedule_free_adamw",
    "sgd",
]
SCHEDULES = ["constant", "cosine", "exponential", "one_cycle", "step"]


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Show a default where there is one to show."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    version = f"chalkgrad {chalkgrad.__version__}"
    top = argparse.ArgumentParser(
        prog="chalkgrad",
        description="A deep-learning lecture that runs.",
        epilog="It exits with 0 if all went well, 1 if training diverged, a claim "
        "failed, or nobody reads what it prints any more, 2 if something that was "
        "asked for cannot be had, 130 after Ctrl-C.",
    )
    top.add_argument("--version", action="version", version=version)
    commands = top.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for add in (
        _train,
        _predict,
        _evaluate,
        _landscape,
        _sweep,
        _find_lr,
        _bench,
        _claims,
    ):
        name = add.__name__[1:].replace("_", "-")
        description = add.__doc__ or ""
        command = commands.add_parser(
            name,
            help=_first(description),
            description=description,
            formatter_class=_Help,
        )
        add(command)
    return top


def _first(description: str) -> str:
    """Return the first sentence, as the list of commands shows it."""
    sentence = " ".join(description.partition(".")[0].split())
    return (sentence[0].lower() + sentence[1:]).replace("%", "%%")


# --- Commands -------------------------------------------------------------------------


def _train(command: argparse.ArgumentParser) -> None:
    """Train a classifier on 80 % of the data. Test it on the other 20 %, draw how the
    loss fell and what it gets wrong, and keep the network.
    """
    _data(command)
    _network(command)
    _steps(command)
    option = command.add_argument
    option("--lr", type=float, help=f"the learning rate ({LR_WORDS})")
    option(
        "--schedule", default="constant", choices=SCHEDULES, help="how the rate goes on"
    )
    option(
        "--warmup",
        type=int,
        default=0,
        metavar="STEPS",
        help="steps in which the rate grows from 0",
    )
    option(
        "--clip", type=float, metavar="NORM", help="the length that a gradient may have"
    )
    option(
        "--average",
        type=float,
        metavar="DECAY",
        help="predict with a moving average of the weights (EMA), say 0.999",
    )
    option(
        "--precision",
        default="full",
        choices=["full", "tf32", "bf16"],
        help="of torch's matrix products; the weights keep their dtype",
    )
    option(
        "--patience",
        type=int,
        metavar="EPOCHS",
        help="stop after so many epochs without a lower loss on held-out examples",
    )
    _where(command)
    _output(command, "chalkgrad-run", "where the network and the pictures go")
    option("--resume", action="store_true", help="go on with what was broken off")
    option("--log", metavar="FILE", help="a line for each epoch, .csv or .jsonl")


def _predict(command: argparse.ArgumentParser) -> None:
    """Name the classes of new examples. Writes a table with the class and the
    probabilities of every row.
    """
    _trained(command)
    command.add_argument("data", metavar="FILE", help="the examples")
    _file(command, "the column of the labels, if there is one: it is left out")
    _where(command, dtype=False)
    command.add_argument(
        "--output", metavar="FILE", help="the table (.csv); else it is printed"
    )


def _evaluate(command: argparse.ArgumentParser) -> None:
    """Test a network. Tells its accuracy and loss, and who is taken for whom, on the
    examples that were held out, or on others.
    """
    _trained(command)
    _data(command, default=None)
    _where(command, dtype=False)


def _landscape(command: argparse.ArgumentParser) -> None:
    """Draw the loss around a network. The plane is spanned by two random directions,
    scaled as the weights are.
    """
    _trained(command)
    _data(command, default=None)
    option = command.add_argument
    option("--rows", type=int, default=500, metavar="N", help="examples to look at")
    option("--radius", type=float, default=1.0, help="how far to go")
    option("--points", type=int, default=31, metavar="N", help="points on a side")
    option("--seed", type=int, default=0, help="where the directions come from")
    _where(command, dtype=False)
    option(
        "--output", metavar="FILE", help="the picture; by default beside the network"
    )


def _sweep(command: argparse.ArgumentParser) -> None:
    """Train with many rates and seeds at once. Tells and draws which rate is best, and
    how much is luck.
    """
    _data(command)
    _network(command)
    _steps(command, many=True)
    _where(command)
    _output(command, "chalkgrad-sweep", "where the table and the picture go")


def _find_lr(command: argparse.ArgumentParser) -> None:
    """Suggest a learning rate. One step with each rate from low to high: the range
    test.
    """
    _data(command)
    _network(command)
    option = command.add_argument
    option("--optimizer", default="adam", choices=OPTIMIZERS, help="who steps")
    option("--low", type=float, default=1e-6, help="the first rate")
    option("--high", type=float, default=10.0, help="the last rate")
    option("--steps", type=int, default=100, metavar="N", help="how many rates")
    option("--batch-size", type=int, default=32, metavar="N", help="examples to a step")
    option("--seed", type=int, default=0, help="where all random numbers come from")
    _where(command)
    _output(command, "chalkgrad-find-lr", "where the picture goes")


def _bench(command: argparse.ArgumentParser) -> None:
    """Tell how fast this machine trains. Some seconds with the digits, beside a plain
    loop in PyTorch if that is installed.
    """
    option = command.add_argument
    _hidden(command)
    option("--batch-size", type=int, default=32, metavar="N", help="examples to a step")
    option(
        "--epochs", type=int, default=20, metavar="N", help="rounds in each of three"
    )
    option("--dtype", default="float32", choices=["float64", "float32"])
    option("--device", default="cpu", help="where PyTorch computes, such as cuda")


def _claims(command: argparse.ArgumentParser) -> None:
    """Check every claim of the lecture. Runs the snippets of the pages, offline, and
    prints the ledger; it needs a checkout, where the pages are.
    """
    option = command.add_argument
    option("claims", nargs="*", metavar="ID", help="such as G1; by default all")
    option("--half", default="numpy", choices=["numpy", "torch"], help="who computes")


# --- Options that commands share ------------------------------------------------------

LR_WORDS = "by default 0.01; 1 for adadelta, dog and prodigy, which adapt it"


def _trained(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="FOLDER", help="what `chalkgrad train` wrote")


def _data(command: argparse.ArgumentParser, *, default: str | None = "digits") -> None:
    built_in = ", ".join(BUILT_IN)
    command.add_argument(
        "--data",
        default=default,
        metavar="DATA",
        help=f"{built_in}; or a file: .npy, .npz, .csv, or IDX as MNIST's"
        + ("" if default else "; by default what was held out in training"),
    )
    command.add_argument(
        "--examples",
        type=int,
        default=1000,
        metavar="N",
        help="how many points to draw (there are 1797 digits)",
    )
    _file(command, "the labels: a file, or the name or number of a column or array")


def _file(command: argparse.ArgumentParser, labels: str) -> None:
    option = command.add_argument
    option("--labels", metavar="WHERE", help=labels)
    option("--inputs", default="x", metavar="NAME", help="the inputs in a .npz file")
    option("--delimiter", metavar="MARK", help="what is between columns of a table")


def _hidden(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--hidden",
        type=int,
        nargs="*",
        default=[100],
        metavar="UNITS",
        help="sizes of the hidden layers",
    )


def _network(command: argparse.ArgumentParser) -> None:
    option = command.add_argument
    _hidden(command)
    option("--activation", default="relu", help="what follows each hidden layer")
    option("--skip", action="store_true", help="add to each hidden layer its input")


def _steps(command: argparse.ArgumentParser, *, many: bool = False) -> None:
    option = command.add_argument
    option("--optimizer", default="adam", choices=OPTIMIZERS, help="who steps")
    option("--epochs", type=int, default=40, metavar="N", help="rounds of training")
    option("--batch-size", type=int, default=32, metavar="N", help="examples to a step")
    option("--seed", type=int, default=0, help="where all random numbers come from")
    if many:
        option(
            "--lr",
            type=float,
            nargs="+",
            default=[0.001, 0.003, 0.01, 0.03, 0.1],
            metavar="RATE",
            help="the learning rates",
        )
        option(
            "--seeds", type=int, default=5, metavar="N", help="networks for each rate"
        )


def _where(command: argparse.ArgumentParser, *, dtype: bool = True) -> None:
    option = command.add_argument
    option("--half", default="numpy", choices=["numpy", "torch"], help="what computes")
    option("--device", default="cpu", help="where torch computes, such as cuda")
    if dtype:
        option(
            "--dtype",
            default="float64",
            choices=["float64", "float32"],
            help="the precision",
        )


def _output(command: argparse.ArgumentParser, default: str, help: str) -> None:
    command.add_argument("--output", default=default, metavar="FOLDER", help=help)
