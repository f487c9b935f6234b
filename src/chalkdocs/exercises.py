"""Exercises with a place to answer, read from the Markdown of the pages.

Every question is one, and holds what an answer begins with:

    !!! question "The best rate"

        Which rate is best?

        ```python answer number tolerance=0.001 unit="per step"
        answer = 0.1
        ```

        ```python wrong "That is the largest one that converges."
        answer = 0.2
        ```

Its kind is ``code`` if none is named, ``number``, ``choice`` or ``order``; the last two
have a numbered list to choose from, or to put in order. There are

- ``given``, which makes what an answer uses and the page has made before;
- ``check``, which calls ``reply("why")`` where an answer is wrong: code must have one;
- ``equivalent``, at least one for code and numbers: the solution, written differently;
- ``wrong "reply"``, at least three, each with (a part of) the reply that it must get;
- two blocks ``??? hint "words"``, and in ``??? success "Solution"`` a ``solution``.

On the page stay the starter, the hints and the solution. All else
travels in the wheel (``python -m chalkdocs.exercises``): the page's script and
``chalkgrad exercise`` find it there. The tests run every answer in both backends.
"""

import ast
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from markdown import Markdown
from markdown.preprocessors import Preprocessor

from chalkdocs import front_matter, navigation
from chalkdocs.directives import directive
from chalkdocs.page_errors import PageError, at, source_of
from chalkdocs.sources import DOCS
from chalkgrad.judge._exercises import FILE, KINDS, Exercise

WORDS = ("answer", "given", "check", "equivalent", "wrong", "solution")
FEWEST_WRONG = 3
_QUESTION = re.compile(r'!!! question "(.*)"')
_FENCE = re.compile(r"( *)```python +(\w.*)")
_HINT = re.compile(r'    \?\?\? hint "(.*)"')
_OPTION = re.compile(r"    \d+\. ")


class ExerciseError(PageError):
    """A question that says too little, or something that nobody understands."""


class Part(NamedTuple):
    """A block of code of a question."""

    word: str
    """One of `WORDS`."""
    arguments: list[str]
    source: str
    lines: range
    """Where it is, fences included; counted from 0."""


class Question(NamedTuple):
    """An exercise, and what its tests and its page need besides."""

    exercise: Exercise
    equivalents: list[str]
    wrong: list[tuple[str, str]]
    """Wrong answers, each with the reply that it must get, or a part of it."""
    unit: str
    parts: list[Part]
    line: int


def read_questions(lines: list[str], page: str) -> list[Question]:
    """Return the exercises of a page.

    Raises
    ------
    ExerciseError
        If one says too little.
    """
    found: list[Question] = []
    for first, line in enumerate(lines):
        if not (head := _QUESTION.fullmatch(line)):
            continue
        after = range(first + 1, len(lines))
        ends = (n for n in after if lines[n][:1].strip())
        block = range(first, next(ends, len(lines)))
        with at(lines, first + 1):
            parts = list(_read_parts(lines, block))
            question = _read_question(lines, block, parts, page, head[1])
            if question.exercise.id in {other.exercise.id for other in found}:
                raise ExerciseError(f'"{head[1]}": the page has a second of that name.')
            found.append(question)
    return found


def _read_parts(lines: list[str], block: range) -> Iterator[Part]:
    """Go through the blocks of code that say what they are for."""
    number = block.start
    while number < block.stop:
        first, number = number, number + 1
        if not (fence := _FENCE.fullmatch(lines[first])):
            continue
        word, *arguments = shlex.split(fence[2])
        if word not in WORDS:
            raise ExerciseError(
                f"there is no block `{word}` in an exercise; write one of "
                f"{', '.join(WORDS)}."
            )
        close = f"{fence[1]}```"
        while number < block.stop and lines[number].rstrip() != close:
            number += 1
        inside = (line[len(fence[1]) :] for line in lines[first + 1 : number])
        number += 1
        source = "".join(f"{line}\n" for line in inside)
        try:
            ast.parse(source)
        except SyntaxError as error:
            raise ExerciseError(
                f"the block `{fence[2]}` is no Python: {error.msg}."
            ) from None
        yield Part(word, arguments, source, range(first, number))


def _read_question(
    lines: list[str], block: range, parts: list[Part], page: str, title: str
) -> Question:
    def refuse(words: str) -> ExerciseError:
        return ExerciseError(f'"{title}": {words}')

    def one(word: str, *, needed: bool) -> Part | None:
        found = [part for part in parts if part.word == word]
        if len(found) > 1 or (needed and not found):
            many = "exactly one block" if needed else "at most one block"
            raise refuse(f"an exercise has {many} `{word}`, here are {len(found)}.")
        return found[0] if found else None

    answer, solution = one("answer", needed=True), one("solution", needed=True)
    check, given = one("check", needed=False), one("given", needed=False)
    assert answer
    assert solution
    kind, options = _read_arguments(answer.arguments, refuse)
    wrong = [part for part in parts if part.word == "wrong"]
    if any(len(part.arguments) != 1 for part in wrong):
        raise refuse('a wrong answer says its reply: ```python wrong "why".')
    replies = {part.arguments[0] for part in wrong}
    if len(replies) < FEWEST_WRONG or len(replies) < len(wrong):
        raise refuse(
            f"it needs at least {FEWEST_WRONG} wrong answers, each with another reply; "
            f"here are {len(replies)} in {len(wrong)}."
        )
    equivalents = [part.source for part in parts if part.word == "equivalent"]
    if kind in ("code", "number") and not equivalents:
        raise refuse("it needs the solution written differently, a block `equivalent`.")
    if kind == "code" and not check:
        raise refuse("code needs a block `check` that calls reply().")
    inside = [lines[number] for number in block]
    hints = [match[1] for match in map(_HINT.fullmatch, inside) if match]
    if len(hints) != 2:
        raise refuse(f'it needs two hints, ??? hint "words", here are {len(hints)}.')
    many = sum(bool(_OPTION.match(line)) for line in inside)
    if kind in ("choice", "order") and many <= FEWEST_WRONG:
        raise refuse(
            f"it needs a numbered list of at least four lines, here are {many}."
        )
    exercise = Exercise(
        page,
        "-".join(re.findall(r"\w+", title.lower())),
        title,
        kind,
        answer.source,
        given.source if given else "",
        check.source if check else "",
        solution.source,
        [] if kind == "code" else [[part.source, part.arguments[0]] for part in wrong],
        hints,
        float(options.get("tolerance", 0)),
        many if kind in ("choice", "order") else 0,
    )
    answers = [(part.source, part.arguments[0]) for part in wrong]
    unit = options.get("unit", "")
    return Question(exercise, equivalents, answers, unit, parts, block.start)


def _read_arguments(
    words: list[str], refuse: Callable[[str], ExerciseError]
) -> tuple[str, dict[str, str]]:
    """Return the kind of an exercise and its options."""
    kind = words[0] if words else "code"
    options = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    known = {"tolerance", "unit"} if kind == "number" else set()
    if kind not in KINDS or len(options) != len(words[1:]) or options.keys() - known:
        raise refuse(
            f"an answer is one of {', '.join(KINDS)}; a number may have tolerance=… "
            "and unit=…"
        )
    if kind == "number" and "tolerance" not in options:
        raise refuse("a number needs a tolerance=…")
    return kind, options


def page_name(path: Path) -> str:
    """Return what an exercise calls its page: ``training/gradient-descent``."""
    return path.with_suffix("").as_posix()


def all_questions(docs: Path = DOCS) -> Iterator[Question]:
    """Go through the exercises of all pages, in the order of the lecture."""
    for _, source in navigation.pages():
        path = docs / source
        if path.suffix == ".md" and path.is_file():
            lines = path.read_text("utf-8").splitlines()
            yield from read_questions(lines, page_name(Path(source)))


def data() -> str:
    """Write all exercises as they travel in the wheel."""
    every = [question.exercise._asdict() for question in all_questions()]
    return json.dumps(every, indent=1, ensure_ascii=False) + "\n"


# --- On a page ------------------------------------------------------------------------


class Exercises(Preprocessor):
    """Leave of an exercise what readers see, and the line that checks it at home."""

    def __init__(self, md: Markdown, lines: list[str]) -> None:
        super().__init__(md)
        self.lines = lines

    def run(self, lines: list[str]) -> list[str]:
        """Return the lines of a page with its exercises."""
        if not any(map(_QUESTION.fullmatch, lines)):
            return lines
        path = source_of("\n".join(self.lines))
        if path is None:
            return lines
        page = page_name(path.relative_to(DOCS))
        read_questions(self.lines, page)  # an error says where it is in the file
        return drop_checks(lines, page)


def drop_checks(lines: list[str], page: str) -> list[str]:
    """Return the lines of a page without what only a checker needs."""
    kept = dict(enumerate(lines))
    for question in read_questions(lines, page):
        for part in question.parts:
            first, *others = part.lines
            if part.word == "answer":
                kept[first] = _head(question)
                kept[others[-1]] += _line_for_home(question)
            elif part.word == "solution":
                kept[first] = kept[first].partition("python")[0] + "python"
            else:
                for number in part.lines:
                    del kept[number]
    return [line for text in kept.values() for line in text.split("\n")]


def _head(question: Question) -> str:
    """Write the beginning of the block that becomes a place to answer."""
    exercise = question.exercise
    marks = {"page": exercise.page, "kind": exercise.kind, "unit": question.unit}
    words = " ".join(f'data-{name}="{x}"' for name, x in marks.items() if x)
    return f"    ```{{ .python .exercise #{exercise.id} {words} }}"


def _line_for_home(question: Question) -> str:
    exercise = question.exercise
    given = "mine.py" if exercise.kind == "code" else "ANSWER"
    command = f"chalkgrad exercise {exercise.page} {exercise.id} {given}"
    return f"\n\n    At home: `{command}`\n    {{: .at-home }}\n"


@directive("exercises")
def list_all() -> str:
    """List all exercises, page by page; a script says which of them were passed."""
    parts = []
    for page, questions in groupby(all_questions(), key=lambda one: one.exercise.page):
        title = front_matter.title(DOCS / f"{page}.md")
        lines = "\n".join(
            f'<li data-exercise="{page}#{one.exercise.id}">'
            f'<a href="../../{page}/#{one.exercise.id}">{one.exercise.title}</a> '
            '<span class="yours-state"></span></li>'
            for one in questions
        )
        parts.append(f"<h2>{title}</h2>\n<ul>\n{lines}\n</ul>")
    every = "\n".join(parts)
    return f'<div class="yours-list" data-script="yours">\n{every}\n</div>'


if __name__ == "__main__":
    try:
        FILE.write_text(data(), "utf-8")
    except PageError as error:
        sys.exit(str(error))
