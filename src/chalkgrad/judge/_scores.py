"""Accuracy and the confusion table as they are judged."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from chalkgrad.judge._calls import (
    Binding,
    Carrier,
    Case,
    Entry,
    Form,
    FunctionTask,
    Parts,
    as_array,
    bind,
    carriers_of,
    entries_of,
    note_changes,
)
from chalkgrad.judge._formulas import Formula
from chalkgrad.judge._losses import METHODS, ROLES, softmax
from chalkgrad.judge._mistakes import convention, mistake
from chalkgrad.judge._subjects import ResultError

__all__ = ["SCORES", "ScoreTask"]

HOME = "training/overfitting/#is-accuracy-lying"


def _k(x: Any) -> int:
    return int(x.scores.shape[-1])


def _table(rows: Any, columns: Any, k: int) -> Any:
    table = np.zeros((k, k))
    np.add.at(table, (rows, columns), 1)
    return table


ACCURACY = Formula(
    named=lambda x: np.argmax(x.scores, axis=-1),
    hits=lambda x: (x.named == x.labels) * 1.0,
    share=lambda x: np.mean(x.hits),
)
ACCURACY.know(
    convention(
        "in percent",
        "It goes to 100. Ours goes to 1.",
        HOME,
        share=lambda x: 100 * np.mean(x.hits),
    ),
    convention(
        "rounded",
        "It is rounded to two digits.",
        HOME,
        share=lambda x: round(float(np.mean(x.hits)), 2),
    ),
    convention(
        "rounded",
        "It is rounded to three digits.",
        HOME,
        share=lambda x: round(float(np.mean(x.hits)), 3),
    ),
    convention(
        "rounded",
        "It is rounded to four digits.",
        HOME,
        share=lambda x: round(float(np.mean(x.hits)), 4),
    ),
    mistake(
        "the count",
        "It is the number of those that are right. It must be divided by the number "
        "of all.",
        HOME,
        share=lambda x: np.sum(x.hits),
    ),
    mistake(
        "the share of errors",
        "It is the share of those that are wrong.",
        HOME,
        share=lambda x: 1 - np.mean(x.hits),
    ),
    mistake(
        "the count of errors",
        "It is the number of those that are wrong.",
        HOME,
        share=lambda x: np.sum(1 - x.hits),
    ),
    mistake(
        "a division of whole numbers",
        "The division is one of whole numbers, so it is 0 unless all are right.",
        HOME,
        share=lambda x: np.floor(np.mean(x.hits)),
    ),
    mistake(
        "all or nothing",
        "It says whether all are right.",
        HOME,
        share=lambda x: 1.0 * np.all(x.hits),
    ).on_its_own(),
    mistake(
        "divided by the classes",
        "The count is divided by the number of classes.",
        HOME,
        share=lambda x: np.sum(x.hits) / _k(x),
    ),
    mistake(
        "divided by all numbers",
        "The count is divided by the number of examples times that of classes.",
        HOME,
        share=lambda x: np.sum(x.hits) / x.scores.size,
    ),
    mistake(
        "the smallest score",
        "The class with the smallest score is named. It must be the one with the "
        "largest.",
        HOME,
        named=lambda x: np.argmin(x.scores, axis=-1),
    ),
    mistake(
        "the class is one too high",
        "Classes are counted from 1. Ours are counted from 0.",
        HOME,
        named=lambda x: np.argmax(x.scores, axis=-1) + 1,
    ),
    mistake(
        "the last example is left out",
        "The loop ends an example too early.",
        HOME,
        share=lambda x: np.sum(x.hits[:-1]) / len(x.hits),
    ),
    mistake(
        "the first example is left out",
        "The loop begins an example too late.",
        HOME,
        share=lambda x: np.sum(x.hits[1:]) / len(x.hits),
    ),
    mistake(
        "divided by n − 1",
        "What is divided by is one less than the number of examples.",
        HOME,
        share=lambda x: np.sum(x.hits) / (len(x.hits) - 1),
    ),
    mistake(
        "divided by n + 1",
        "What is divided by is one more than the number of examples.",
        HOME,
        share=lambda x: np.sum(x.hits) / (len(x.hits) + 1),
    ).on_its_own(),
    mistake(
        "averaged over the classes",
        "It is the mean of the shares of each class, the balanced accuracy.",
        HOME,
        share=lambda x: np.mean(
            [np.mean(x.hits[x.labels == c]) for c in np.unique(x.labels)]
        ),
    ),
    mistake(
        "every number counts",
        "Every entry of a one-hot label is compared. So classes that nobody named "
        "count as right.",
        HOME,
        share=lambda x: np.mean(np.eye(_k(x))[x.named] == np.eye(_k(x))[x.labels]),
    ),
    mistake(
        "the precision of class 1",
        "It is the share of those that are rightly called 1.",
        HOME,
        share=lambda x: (
            np.sum((x.named == 1) & (x.labels == 1)) / max(1, np.sum(x.named == 1))
        ),
    ),
    mistake(
        "the recall of class 1",
        "It is the share of class 1 that is called so.",
        HOME,
        share=lambda x: (
            np.sum((x.named == 1) & (x.labels == 1)) / max(1, np.sum(x.labels == 1))
        ),
    ),
    mistake(
        "only what is not 0",
        "Class 0 does not count as right.",
        HOME,
        share=lambda x: np.sum(x.hits * (x.labels != 0)) / len(x.hits),
    ).on_its_own(),
)

CONFUSION = Formula(
    named=lambda x: np.argmax(x.scores, axis=-1),
    table=lambda x: _table(x.labels, x.named, _k(x)),
)
CONFUSION.know(
    convention(
        "rows are what is named",
        'Row i, column j is "named i, is j". Ours has the truth in the rows.',
        HOME,
        table=lambda x: _table(x.labels, x.named, _k(x)).T,
    ),
    convention(
        "shares of each row",
        "Each row is divided by its sum. Ours counts.",
        HOME,
        table=lambda x: (
            _table(x.labels, x.named, _k(x))
            / np.maximum(1, np.bincount(x.labels, minlength=_k(x)))[:, None]
        ),
    ),
    convention(
        "shares of each column",
        "Each column is divided by its sum. Ours counts.",
        HOME,
        table=lambda x: (
            _table(x.labels, x.named, _k(x))
            / np.maximum(1, np.bincount(x.named, minlength=_k(x)))
        ),
    ),
    convention(
        "shares of all",
        "The table is divided by the number of examples. Ours counts.",
        HOME,
        table=lambda x: _table(x.labels, x.named, _k(x)) / len(x.labels),
    ),
    mistake(
        "each pair counts once",
        "What comes twice is counted once: `table[i, j] += 1` with arrays adds once a "
        "place. Use a loop, or np.add.at.",
        HOME,
        table=lambda x: np.minimum(1, _table(x.labels, x.named, _k(x))),
    ),
    mistake(
        "the diagonal alone",
        "Only what is right is counted.",
        HOME,
        table=lambda x: np.diag(np.diag(_table(x.labels, x.named, _k(x)))),
    ),
    mistake(
        "errors alone",
        "What is right is not counted.",
        HOME,
        table=lambda x: _table(x.labels, x.named, _k(x)) * (1 - np.eye(_k(x))),
    ),
    mistake(
        "the truth twice",
        "The labels are taken for both.",
        HOME,
        table=lambda x: np.diag(np.bincount(x.labels, minlength=_k(x)).astype(float)),
    ),
    mistake(
        "what is named twice",
        "What is named is taken for both.",
        HOME,
        table=lambda x: np.diag(np.bincount(x.named, minlength=_k(x)).astype(float)),
    ),
    mistake(
        "symmetric",
        "Every pair is counted in both directions.",
        HOME,
        table=lambda x: (
            _table(x.labels, x.named, _k(x)) + _table(x.named, x.labels, _k(x))
        ),
    ),
    mistake(
        "the last example is left out",
        "The loop ends an example too early.",
        HOME,
        table=lambda x: _table(x.labels[:-1], x.named[:-1], _k(x)),
    ),
    mistake(
        "the first example is left out",
        "The loop begins an example too late.",
        HOME,
        table=lambda x: _table(x.labels[1:], x.named[1:], _k(x)),
    ),
    mistake(
        "begins with 1",
        "The table begins with ones. It must begin with zeros.",
        HOME,
        table=lambda x: _table(x.labels, x.named, _k(x)) + 1,
    ),
    mistake(
        "classes from the other end",
        "The classes are counted from the last.",
        HOME,
        table=lambda x: _table(x.labels, x.named, _k(x))[::-1, ::-1],
    ),
    mistake(
        "one axis from the other end",
        "One of both axes goes from the last class to the first.",
        HOME,
        table=lambda x: _table(x.labels, x.named, _k(x))[::-1],
    ),
    mistake(
        "one axis from the other end",
        "One of both axes goes from the last class to the first.",
        HOME,
        table=lambda x: _table(x.labels, x.named, _k(x))[:, ::-1],
    ).on_its_own(),
)

COLUMNS = convention(
    "examples are columns",
    "It takes an example a column. With us, examples are rows.",
    HOME,
)
KINDS = (
    ("class ids", "class ids"),
    ("scores", "class ids"),
    ("scores", "one-hot labels"),
    ("one-hot classes", "one-hot labels"),
    ("probabilities of class 1", "class ids"),
    ("a column of probabilities of class 1", "a column of class ids"),
    ("signs", "signs"),
)
MODEL = "model"


class ScoreTask(FunctionTask):
    """The accuracy, or the confusion table."""

    kind = "score"
    axes: ClassVar[Mapping[str, str]] = {"scores": "n k", "labels": "n"}
    least: ClassVar[Mapping[str, int]] = {"k": 2}

    def __init__(self, name: str, doc: str) -> None:
        super().__init__(name, doc)
        self.formula = ACCURACY if name == "accuracy" else CONFUSION
        self.part = "share" if name == "accuracy" else "table"
        self.forms = (
            f"def {name}(labels, predicted): ...  # class ids",
            f"def {name}(scores, labels): ...",
            f"def {name}(one_hot_labels, scores): ...",
        )

    def cases(self, _: dict[str, Any]) -> list[Case]:
        """Return the inputs."""
        rng = np.random.default_rng(3)

        def case(aspect: str, n: int, k: int, **kind: bool) -> Case:
            labels = np.arange(n) % k
            rng.shuffle(labels)
            scores = rng.normal(size=(n, k))
            scores[np.arange(n), labels] += 1.0
            wrong = (labels + 1 + np.arange(n) % (k - 1)) % k
            scores[np.arange(2), wrong[:2]] += 4.0  # some are wrong for sure
            return Case(aspect, {"scores": scores, "labels": labels}, {}, **kind)

        right = case("all right", 6, 3)
        hot = np.eye(3)[right.inputs["labels"]]
        right = right._replace(inputs=right.inputs | {"scores": hot})
        hot = np.eye(3)[[0, 1, 0, 2]]
        one = Case("all of one class", {"scores": hot, "labels": np.zeros(4, int)}, {})
        few = [] if self.name == "confusion" else [one]
        return [
            case("three classes", 13, 3),
            case("two classes", 9, 2),
            case("two classes, more examples", 16, 2),
            case("two classes, most of them wrong", 5, 2),
            case("five classes", 17, 5),
            right,
            *few,
        ]

    def ways_to_call(self, subject: Any) -> Iterator[Form]:
        """Go through the ways in which a subject may be called."""
        extras = dict.fromkeys(
            ("nclasses", "numclasses", "k", "c", "n", "numlabels"), _count
        )
        for carrier in carriers_of(subject):
            for columns in (False, True):
                for entry in entries_of(
                    subject, (*METHODS, "score", "update"), (), {}, ROLES
                ):
                    try:
                        function, _ = entry.make({})
                    except Exception:
                        continue
                    for binding in bind(function, ROLES, (), extras):
                        for kind in KINDS:
                            if (
                                columns
                                and "one-hot" not in kind[1]
                                and kind[0] != "scores"
                            ):
                                continue
                            yield self.form(entry, binding, carrier, kind, columns)

    def form(
        self,
        entry: Entry,
        binding: Binding,
        carrier: Carrier,
        kind: tuple[str, str],
        columns: bool,
    ) -> Form:
        """Return the form of a call."""

        def call(case: Case, notes: set[str]) -> Any:
            named, truth = hand_over(case, kind)
            if columns:
                named = named.T if named.ndim == 2 else named
                truth = truth.T if truth.ndim == 2 else truth
            values = {"predictions": carrier.give(named), "truth": carrier.give(truth)}
            before = (
                {k: np.copy(v) for k, v in values.items()} if carrier.name == "" else {}
            )
            function, _ = entry.make({})
            k = case.inputs["scores"].shape[1]
            b = binding._replace(
                f=function,
                extras={n: k if v is _count else v for n, v in binding.extras.items()},
            )
            result = b(values, {})
            note_changes(notes, before, values)
            return result

        words = f"{kind[0]} and {kind[1]}" + (
            f", as {carrier.name}" if carrier.name else ""
        )
        binary = "class 1" in kind[0] or kind[0] == "signs"
        return Form(
            f"{entry.how} of {words}",
            call,
            self.read,
            self.formula,
            (COLUMNS,) if columns else (),
            takes=(lambda case: case.inputs["scores"].shape[1] == 2)
            if binary
            else (lambda _: True),
        )

    def read(self, raw: Any, case: Case) -> dict[str, Parts]:
        """Return what was returned, if it has the right shape."""
        thing = raw[0] if isinstance(raw, tuple) and raw else raw
        if isinstance(thing, dict):
            raise ResultError("it returns a dict")
        a = as_array(thing)
        if self.part == "share":
            if a.size != 1:
                return {}
            return {"the accuracy": {"share": a.reshape(())}}
        k = case.inputs["scores"].shape[1]
        return {"the table": {"table": a}} if a.shape == (k, k) else {}


def _count(_: Any) -> int:
    raise NotImplementedError


def hand_over(case: Case, kind: tuple[str, str]) -> tuple[Any, Any]:
    """Return what is named and the truth, as a subject wants them."""
    scores, labels = case.inputs["scores"], case.inputs["labels"]
    k = scores.shape[1]
    named = np.argmax(scores, axis=1)
    first = {
        "class ids": named,
        "scores": softmax(scores),
        "one-hot classes": np.eye(k)[named],
        "probabilities of class 1": softmax(scores)[:, -1],
        "a column of probabilities of class 1": softmax(scores)[:, -1:],
        "signs": 2.0 * named - 1,
    }[kind[0]]
    second = {
        "class ids": labels,
        "one-hot labels": np.eye(k)[labels],
        "a column of class ids": labels[:, None],
        "signs": 2.0 * labels - 1,
    }[kind[1]]
    return first, second


SCORES = ("accuracy", "confusion")
