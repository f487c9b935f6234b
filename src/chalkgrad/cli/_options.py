"""The words of the command line: every command and its options."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import chalkgrad

__all__ = [
    "BUILT_IN",
    "COMMANDS",
    "OPTIMIZERS",
    "SCHEDULES",
    "BenchOptions",
    "ClaimsOptions",
    "Command",
    "DataOptions",
    "DeviceOptions",
    "EvaluateOptions",
    "ExerciseOptions",
    "FileOptions",
    "FindLrOptions",
    "InspectOptions",
    "JudgeOptions",
    "LandscapeOptions",
    "OutputOptions",
    "PredictOptions",
    "ProblemOptions",
    "RunOptions",
    "SweepOptions",
    "TrainOptions",
    "parse",
    "parser",
]

BUILT_IN = ["digits", "moons", "circles", "spirals", "blobs", "xor"]
OPTIMIZERS = [
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "asgd",
    "barzilai_borwein",
    "dog",
    "hypergradient",
    "lamb",
    "lion",
    "muon",
    "nadam",
    "prodigy",
    "radam",
    "rmsprop",
    "rprop",
    "schedule_free_adamw",
    "sgd",
]
SCHEDULES = ["constant", "cosine", "exponential", "one_cycle", "step"]


# --- What a command is given ----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Command:
    """The name of a command, as one types it."""

    command: str


@dataclass(frozen=True, kw_only=True)
class DeviceOptions(Command):
    """Where to compute."""

    backend: str
    device: str


@dataclass(frozen=True, kw_only=True)
class OutputOptions(Command):
    """Where what is made goes; "" if that follows from something else."""

    output: str
    overwrite: bool


@dataclass(frozen=True, kw_only=True)
class RunOptions(DeviceOptions):
    """The folder of a trained network, and where it shall compute."""

    run: str


@dataclass(frozen=True, kw_only=True)
class FileOptions(Command):
    """A file of examples, and how it is read."""

    data: str
    labels: str | None
    inputs: list[str] | None
    drop: list[str]
    header: bool | None
    delimiter: str | None
    decimal: str | None
    encoding: str | None
    missing: str


@dataclass(frozen=True, kw_only=True)
class DataOptions(FileOptions):
    """Examples that are built in, or of a file, and how those to test on are drawn."""

    examples: int | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class ProblemOptions(DataOptions, DeviceOptions, OutputOptions):
    """Examples, and a network to learn from them."""

    hidden: list[int]
    activation: str
    skip: bool
    dtype: str
    optimizer: str
    batch_size: int


@dataclass(frozen=True, kw_only=True)
class TrainOptions(ProblemOptions):
    """``chalkgrad train``."""

    epochs: int
    lr: float | None
    schedule: str
    warmup: int
    clip: float | None
    average: float | None
    precision: str
    patience: int | None
    resume: bool
    log: str | None


@dataclass(frozen=True, kw_only=True)
class SweepOptions(ProblemOptions):
    """``chalkgrad sweep``."""

    epochs: int
    lr: list[float]
    seeds: int


@dataclass(frozen=True, kw_only=True)
class FindLrOptions(ProblemOptions):
    """``chalkgrad find-lr``."""

    low: float
    high: float
    steps: int


@dataclass(frozen=True, kw_only=True)
class InspectOptions(FileOptions):
    """``chalkgrad inspect``."""


@dataclass(frozen=True, kw_only=True)
class PredictOptions(RunOptions, FileOptions, OutputOptions):
    """``chalkgrad predict``."""


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(RunOptions, DataOptions):
    """``chalkgrad evaluate``; without ``--data`` on what was held out in training."""


@dataclass(frozen=True, kw_only=True)
class LandscapeOptions(EvaluateOptions, OutputOptions):
    """``chalkgrad landscape``."""

    rows: int
    radius: float
    points: int


@dataclass(frozen=True, kw_only=True)
class BenchOptions(Command):
    """``chalkgrad bench``."""

    hidden: list[int]
    batch_size: int
    epochs: int
    dtype: str
    device: str


@dataclass(frozen=True, kw_only=True)
class ClaimsOptions(Command):
    """``chalkgrad claims``."""

    claims: list[str]
    backend: str


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(Command):
    """``chalkgrad doctor``."""


@dataclass(frozen=True, kw_only=True)
class JudgeOptions(Command):
    """``chalkgrad judge``."""

    subject: str
    task: str | None
    fixed: list[str]
    only: list[str]
    skip: list[str]
    strict: bool
    json: bool
    junit: str | None
    list: bool
    show: str | None
    folder: str | None
    html: str | None
    csv: str | None
    seconds: float
    megabytes: int


@dataclass(frozen=True, kw_only=True)
class ExerciseOptions(Command):
    """``chalkgrad exercise``."""

    page: str
    name: str
    answer: str
    backend: str
    hints: bool
    solution: bool
    json: bool
    seconds: float
    megabytes: int


COMMANDS: dict[str, type[Command]] = {
    "train": TrainOptions,
    "inspect": InspectOptions,
    "predict": PredictOptions,
    "evaluate": EvaluateOptions,
    "landscape": LandscapeOptions,
    "sweep": SweepOptions,
    "find-lr": FindLrOptions,
    "bench": BenchOptions,
    "claims": ClaimsOptions,
    "judge": JudgeOptions,
    "exercise": ExerciseOptions,
    "doctor": DoctorOptions,
}


def parse(argv: Sequence[str] | None = None) -> Command:
    """Return the options of the command that the words make."""
    words = sys.argv[1:] if argv is None else argv
    # What begins with a dash is taken for an option, and -:Adam is a subject.
    words = [f"<stdin>{word[1:]}" if word.startswith("-:") else word for word in words]
    given = vars(parser().parse_args(words))
    for name in ("data", "output"):
        if name in given:
            given[name] = given[name] or ""
    return COMMANDS[given["command"]](**given)


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Show a default where there is one to show."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        default = action.default
        if default is None or default is False or default in ("", []):
            return action.help
        return super()._get_help_string(action)


class _Parser(argparse.ArgumentParser):
    """Say what is wrong first, and in a line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nusage: {self.prog} --help\n")


def _number(text: str) -> float:
    """Read a number."""
    try:
        return float(text)
    except ValueError:
        point = text.replace(",", ".")
        advice = f"; write {point}" if "," in text else ""
        raise argparse.ArgumentTypeError(f"{text!r} is no number{advice}") from None


def _time(text: str) -> float:
    """Read how long something may take."""
    seconds = _number(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text} is no time above 0")
    return seconds


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    version = f"chalkgrad {chalkgrad.__version__}"
    top = _Parser(
        prog="chalkgrad",
        description="A deep-learning lecture that runs.",
        epilog="It exits with 0 if all went well, 1 if training diverged, a claim "
        "failed, an answer is wrong, or its output was closed, 2 if "
        "something that was asked for cannot be had, 130 after Ctrl-C.",
    )
    top.add_argument("--version", action="version", version=version)
    commands = top.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for add in (
        _train,
        _inspect,
        _predict,
        _evaluate,
        _landscape,
        _sweep,
        _find_lr,
        _bench,
        _claims,
        _judge,
        _exercise,
        _doctor,
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
    _add_data_options(command)
    _add_network_options(command)
    _add_training_options(command)
    option = command.add_argument
    option("--lr", type=_number, help=f"the learning rate ({LR_WORDS})")
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
        "--clip",
        type=_number,
        metavar="NORM",
        help="the length that a gradient may have",
    )
    option(
        "--average",
        type=_number,
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
    _add_device_options(command)
    _add_output_option(
        command, "chalkgrad-run", "where the network and the pictures go"
    )
    option("--resume", action="store_true", help="go on with what was broken off")
    option("--log", metavar="FILE", help="a line for each epoch, .csv or .jsonl")


def _inspect(command: argparse.ArgumentParser) -> None:
    """Say how a file is read: rows, columns, labels, and what was left out."""
    command.add_argument("data", metavar="FILE", help="the examples")
    _add_file_options(
        command, "the labels: a file, or the name or number of a column or array"
    )


def _predict(command: argparse.ArgumentParser) -> None:
    """Name the classes of new examples. Writes a table with the class and the
    probabilities of every row.
    """
    _add_run_folder(command)
    command.add_argument("data", metavar="FILE", help="the examples")
    _add_file_options(
        command, "the column of the labels, if there is one: it is left out"
    )
    _add_device_options(command, dtype=False)
    command.add_argument(
        "--output", metavar="FILE", help="the table (.csv); else it is printed"
    )
    _add_overwrite_option(command)


def _evaluate(command: argparse.ArgumentParser) -> None:
    """Test a network. Tells its accuracy and loss, and who is taken for whom, on the
    examples that were held out, or on others.
    """
    _add_run_folder(command)
    _add_data_options(command, default=None)
    _add_device_options(command, dtype=False)
    command.set_defaults(seed=0)


def _landscape(command: argparse.ArgumentParser) -> None:
    """Draw the loss around a network. The plane is spanned by two random directions,
    scaled as the weights are.
    """
    _add_run_folder(command)
    _add_data_options(command, default=None)
    option = command.add_argument
    option("--rows", type=int, default=500, metavar="N", help="examples to look at")
    option("--radius", type=_number, default=1.0, help="how far to go")
    option("--points", type=int, default=31, metavar="N", help="points on a side")
    option("--seed", type=int, default=0, help="where the directions come from")
    _add_device_options(command, dtype=False)
    option(
        "--output", metavar="FILE", help="the picture; by default beside the network"
    )
    _add_overwrite_option(command)


def _sweep(command: argparse.ArgumentParser) -> None:
    """Train with many rates and seeds at once. Tells and draws which rate is best, and
    how much is luck.
    """
    _add_data_options(command)
    _add_network_options(command)
    _add_training_options(command, many=True)
    _add_device_options(command)
    _add_output_option(command, "chalkgrad-sweep", "where the table and the picture go")


def _find_lr(command: argparse.ArgumentParser) -> None:
    """Suggest a learning rate. One step with each rate from low to high: the range
    test.
    """
    _add_data_options(command)
    _add_network_options(command)
    option = command.add_argument
    option("--optimizer", default="adam", choices=OPTIMIZERS, help="the optimizer")
    option("--low", type=_number, default=1e-6, help="the first rate")
    option("--high", type=_number, default=10.0, help="the last rate")
    option("--steps", type=int, default=100, metavar="N", help="how many rates")
    option("--batch-size", type=int, default=32, metavar="N", help="examples to a step")
    option("--seed", type=int, default=0, help="where all random numbers come from")
    _add_device_options(command)
    _add_output_option(command, "chalkgrad-find-lr", "where the picture goes")


def _bench(command: argparse.ArgumentParser) -> None:
    """Tell how fast this machine trains. Some seconds with the digits, beside a plain
    loop in PyTorch if that is installed.
    """
    option = command.add_argument
    _add_hidden_layers(command)
    option("--batch-size", type=int, default=32, metavar="N", help="examples to a step")
    option(
        "--epochs", type=int, default=20, metavar="N", help="rounds in each of three"
    )
    option("--dtype", default="float32", choices=["float64", "float32"])
    option("--device", default="cpu", help="where PyTorch computes, such as cuda")


def _claims(command: argparse.ArgumentParser) -> None:
    """Check every claim of the lecture. Runs the snippets of the pages, which came with
    the package, and prints the ledger.
    """
    option = command.add_argument
    option("claims", nargs="*", metavar="ID", help="such as G1; by default all")
    option(
        "--backend", default="numpy", choices=["numpy", "torch"], help="what computes"
    )


def _doctor(command: argparse.ArgumentParser) -> None:
    """Say what this installation can do. The versions, how NumPy multiplies, whether
    PyTorch has a GPU, and what is missing for which command.
    """


def _judge(command: argparse.ArgumentParser) -> None:
    """Judge an implementation of yours. Says whether it is right, of another
    convention, or wrong, and why. It runs the code that it is given, with a limit of
    time and memory, but in no sandbox: judge what you would also run.
    """
    option = command.add_argument
    option(
        "subject",
        nargs="?",
        default="",
        metavar="FILE:NAME",
        help="a file, notebook or module and what to judge in it, such as "
        "mine.py:Adam; -:Adam reads the code from the standard input",
    )
    option(
        "--as",
        dest="task",
        metavar="TASK",
        help="the task to judge it as, such as adam",
    )
    option(
        "--with",
        dest="fixed",
        nargs="+",
        action="extend",
        default=[],
        metavar="OPTION=VALUE",
        help="options that keep these values, such as lr=0.1",
    )
    for name, words in (("--only", "alone"), ("--skip", "not at all")):
        option(
            name,
            nargs="+",
            action="extend",
            default=[],
            metavar="ASPECT",
            help=f"try these {words}, such as 'large gradients'",
        )
    option("--strict", action="store_true", help="another convention is wrong, too")
    option("--json", action="store_true", help="print the verdict as JSON")
    option("--junit", metavar="FILE", help="write the verdict for a CI (JUnit XML)")
    option("--list", action="store_true", help="list what can be judged")
    option("--show", metavar="TASK", help="print a task as a sheet for students")
    option(
        "--class",
        dest="folder",
        metavar="FOLDER",
        help="judge every file and notebook in it; FILE:NAME is then :NAME",
    )
    option("--html", metavar="FILE", help="write the table of a class as a page")
    option("--csv", metavar="FILE", help="write the table of a class")
    _add_limits(command, "a trial")


def _exercise(command: argparse.ArgumentParser) -> None:
    """Check an answer to an exercise of the lecture. Without an answer it prints the
    question's first lines of code, without a name the exercises of a page, without a
    page all of them. It runs the answer, with a limit of time and memory, but in no
    sandbox.
    """
    option = command.add_argument
    for name, metavar, words in (
        ("page", "PAGE", "such as training/gradient-descent"),
        ("name", "NAME", "such as the-best-rate"),
        (
            "answer",
            "FILE",
            "the answer: mine.py, - for the standard input, or a number such as 2/11",
        ),
    ):
        option(name, nargs="?", default="", metavar=metavar, help=words)
    option(
        "--backend",
        choices=["numpy", "torch"],
        default="numpy",
        help="what cg stands for, unless the answer imports another",
    )
    option("--hints", action="store_true", help="print the hints")
    option("--solution", action="store_true", help="print a solution")
    option("--json", action="store_true", help="print the reply as JSON")
    _add_limits(command, "an answer")


# --- Options that commands share ------------------------------------------------------


def _add_limits(command: argparse.ArgumentParser, what: str) -> None:
    option = command.add_argument
    option("--seconds", type=_time, default=5.0, help=f"how long {what} may take")
    option(
        "--megabytes", type=int, default=8192, metavar="N", help="memory it may take"
    )


LR_WORDS = "by default 0.01; 1 for adadelta, dog and prodigy, which adapt it"


def _add_run_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="FOLDER", help="what `chalkgrad train` wrote")


def _add_data_options(
    command: argparse.ArgumentParser, *, default: str | None = "digits"
) -> None:
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
        metavar="N",
        help="how many points to draw of moons and the like, by default 1000",
    )
    _add_file_options(
        command, "the labels: a file, or the name or number of a column or array"
    )


def _add_file_options(command: argparse.ArgumentParser, labels: str) -> None:
    option = command.add_argument
    option("--labels", metavar="WHERE", help=labels)
    option(
        "--inputs",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="the columns to learn from, by name or number; the array of a .npz file",
    )
    option(
        "--drop",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="columns to leave out",
    )
    option(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first line of a table names its columns",
    )
    option(
        "--delimiter",
        metavar="MARK",
        help="what is between columns of a table: one character, or tab",
    )
    option("--decimal", choices=[".", ","], help="the decimal sign of a table")
    option("--encoding", metavar="NAME", help="of a table, such as cp1252")
    option(
        "--missing",
        default="refuse",
        choices=["refuse", "drop", "mean"],
        help="what to do where a table says nothing",
    )


def _add_hidden_layers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--hidden",
        type=int,
        nargs="*",
        default=[100],
        metavar="UNITS",
        help="sizes of the hidden layers",
    )


def _add_network_options(command: argparse.ArgumentParser) -> None:
    option = command.add_argument
    _add_hidden_layers(command)
    option("--activation", default="relu", help="what follows each hidden layer")
    option("--skip", action="store_true", help="add to each hidden layer its input")


def _add_training_options(
    command: argparse.ArgumentParser, *, many: bool = False
) -> None:
    option = command.add_argument
    option("--optimizer", default="adam", choices=OPTIMIZERS, help="the optimizer")
    option("--epochs", type=int, default=40, metavar="N", help="rounds of training")
    option("--batch-size", type=int, default=32, metavar="N", help="examples to a step")
    option("--seed", type=int, default=0, help="where all random numbers come from")
    if many:
        option(
            "--lr",
            type=_number,
            nargs="+",
            default=[0.001, 0.003, 0.01, 0.03, 0.1],
            metavar="RATE",
            help="the learning rates",
        )
        option(
            "--seeds", type=int, default=5, metavar="N", help="networks for each rate"
        )


def _add_device_options(
    command: argparse.ArgumentParser, *, dtype: bool = True
) -> None:
    option = command.add_argument
    option(
        "--backend", default="numpy", choices=["numpy", "torch"], help="what computes"
    )
    option("--device", default="cpu", help="where torch computes, such as cuda")
    if dtype:
        option(
            "--dtype",
            default="float64",
            choices=["float64", "float32"],
            help="the precision",
        )


def _add_output_option(
    command: argparse.ArgumentParser, default: str, help: str
) -> None:
    command.add_argument("--output", default=default, metavar="FOLDER", help=help)
    _add_overwrite_option(command)


def _add_overwrite_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--overwrite", action="store_true", help="write over what another run has left"
    )
