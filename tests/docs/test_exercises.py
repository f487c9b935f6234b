"""Every exercise is answered as readers may: right, wrong, empty, hostile."""

import ast
import importlib
import io
import json

import pytest
from markdown import Markdown

from chalkdocs import exercises
from chalkdocs.page_errors import PageError
from chalkdocs.sources import DOCS
from chalkgrad.cli import main
from chalkgrad.judge._exercises import (
    FILE,
    check_answer,
    check_text,
    find_exercise,
    list_exercises,
)

QUESTIONS = list(exercises.all_questions())
EVERY = pytest.mark.parametrize(
    "question", QUESTIONS, ids=lambda q: f"{q.exercise.page}-{q.exercise.id}"
)
# What says yes to whatever it is asked.
HOSTILE = """\
class Yes:
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __eq__(self, other): return True
    __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __eq__
    __hash__ = None
    def __bool__(self): return True
    def __len__(self): return 3
    def __iter__(self): return iter([self, self, self])
    def __getitem__(self, key): return self
    __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = __call__
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __neg__ = __abs__ = __call__
def reply(words): pass
abs = all = any = bool = float = len = max = min = round = isinstance = Yes()
np = Yes()
cg = Yes()
"""


@pytest.fixture(params=["numpy", "torch"])
def cg(request):
    return importlib.import_module(f"chalkgrad.{request.param}")


def test_what_travels_in_the_wheel_is_what_the_pages_say():
    assert FILE.read_text("utf-8") == exercises.data(), (
        "run python -m chalkdocs.exercises"
    )
    assert list(list_exercises()) == [question.exercise for question in QUESTIONS]


@EVERY
def test_right_answers_are_right(question, cg):
    for text in [question.exercise.solution, *question.equivalents]:
        assert check_answer(question.exercise, text, cg) == ("right", "Right."), text


@EVERY
def test_every_wrong_answer_gets_its_own_reply(question, cg):
    said = []
    for text, words in question.wrong:
        reply = check_answer(question.exercise, text, cg)
        assert reply.outcome == "wrong", text
        assert words in reply.words, text
        said.append(reply.words)
    assert len(set(said)) == len(said)


@EVERY
def test_no_answer_is_taken_for_one(question, cg):
    exercise = question.exercise
    assert check_answer(exercise, exercise.starter, cg).outcome != "right"
    for text in ("", "# later\n", "def", "1 / 0", "raise SystemExit"):
        assert check_answer(exercise, text, cg).outcome == "not judged"
    assert check_answer(exercise, "pass", cg).outcome == "wrong"
    names = {
        node.id if isinstance(node, ast.Name) else node.name
        for node in ast.walk(ast.parse(exercise.solution))
        if isinstance(node, ast.Name | ast.FunctionDef | ast.ClassDef)
    }
    text = HOSTILE + "".join(f"{name} = Yes()\n" for name in names)
    assert check_answer(exercise, text, cg).outcome == "wrong"


# --- What is said where something is amiss --------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("the-best-rate", "x = 1", "There is no answer in it: give it that name."),
        ("the-best-rate", "answer = '2/11'", "The answer must be a number."),
        ("the-best-rate", "answer = True", "The answer must be a number."),
        ("the-best-rate", "answer = np.nan", "The answer must be a finite number."),
        ("the-best-rate", "answer = cg.array(3.0)", "That is not it."),
        ("newton-at-a-saddle", "answer = 5", "must be the number of a line, 1 to 4."),
        ("newton-at-a-saddle", "answer = 3.0", "must be the number of a line, 1 to 4."),
        (
            "find-the-bug",
            "def limit(:",
            "Python cannot read it: invalid syntax, line 1",
        ),
        (
            "find-the-bug",
            "\nx = 1 / 0",
            "ZeroDivisionError: division by zero, in line 2",
        ),
        ("find-the-bug", "def other(mu): ...", "There is no limit in it"),
        (
            "find-the-bug",
            "def limit(mu):\n    return nu",
            "The check stops with NameError: name 'nu' is not defined, in line 2.",
        ),
    ],
)
def test_a_reply_says_what_is_amiss(name, text, words, cg):
    exercise = find_exercise("training/gradient-descent", name)
    assert words in check_answer(exercise, text, cg).words


def test_an_order_holds_each_line_once(cg):
    order = find_exercise("training/gradient-descent", "newton-at-a-saddle")._replace(
        kind="order", solution="answer = [2, 1, 3, 4]", replies=[]
    )
    assert check_answer(order, "answer = (2, 1, 3, 4)", cg).outcome == "right"
    assert check_answer(order, "answer = [1, 2, 3, 4]", cg).words == "That is not it."
    for wrong in ("[1, 2, 3]", "[1, 1, 2, 3]", "3", "'2134'", "[2.0, 1, 3, 4]"):
        words = check_answer(order, f"answer = {wrong}", cg).words
        assert words == "The answer must hold each number from 1 to 4 once."


def test_an_answer_may_bring_its_backend():
    numpy = importlib.import_module("chalkgrad.numpy")
    exercise = find_exercise("training/gradient-descent", "find-the-bug")._replace(
        check="reply(cg.__name__)"
    )
    text = "import chalkgrad.torch as cg\nlimit = 1"
    assert check_answer(exercise, text, numpy).words == "chalkgrad.torch"


def test_a_page_is_told_in_json(cg):
    place = ("training/gradient-descent", "the-best-rate", cg)
    assert json.loads(check_text("answer = 2 / 11", *place))["outcome"] == "right"
    with pytest.raises(ValueError, match="exercise: `name` must be one of"):
        find_exercise("training/gradient-descent", "the-best")


# --- On a page ------------------------------------------------------------------------

GOOD = """\
!!! question "A sum"

    What is 1 + 1?

    ```python answer number tolerance=0.1 unit="apples"
    answer = 0
    ```

    ```python equivalent
    answer = 4 / 2
    ```

    ```python wrong "One."
    answer = 1
    ```

    ```python wrong "Three."
    answer = 3
    ```

    ```python wrong "Four."
    answer = 4
    ```

    ??? hint "First"

        Count.

    ??? hint "Second"

        Count again.

    ??? success "Solution"

        ```python solution
        answer = 1 + 1
        ```

        Two.
"""


def read(text):
    return exercises.read_questions(text.splitlines(), "training/page")


def test_a_question_is_read():
    (question,) = read(f"Words.\n\n{GOOD}\n## Next\n")
    exercise = question.exercise
    assert (exercise.id, exercise.kind, exercise.tolerance) == ("a-sum", "number", 0.1)
    assert (exercise.starter, exercise.solution) == ("answer = 0\n", "answer = 1 + 1\n")
    assert (exercise.hints, question.unit) == (["First", "Second"], "apples")
    assert question.equivalents == ["answer = 4 / 2\n"]
    assert question.wrong[-1] == ("answer = 4\n", "Four.")


def test_a_question_without_a_place_to_answer_stops_the_build():
    with pytest.raises(PageError, match="exactly one block `answer`, here are 0"):
        read('!!! question "Why?"\n\n    Words.\n')


def without(start, lines=3):
    """Return the good one without the first block that begins so."""
    kept = GOOD.splitlines()
    first = next(n for n, line in enumerate(kept) if line.strip().startswith(start))
    return "\n".join(kept[:first] + kept[first + lines :])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (without("```python wrong"), "at least 3 wrong answers"),
        (GOOD.replace("Three.", "One."), "each with another reply; here are 2 in 3"),
        (GOOD.replace(' "Three."', ""), "a wrong answer says its reply"),
        (without("```python equivalent"), "the solution written differently"),
        (without("```python solution"), "exactly one block `solution`"),
        (without("```python answer"), "exactly one block `answer`"),
        (without("??? hint"), "two hints"),
        (GOOD.replace('number tolerance=0.1 unit="apples"', ""), "code needs a block"),
        (GOOD.replace("tolerance=0.1", ""), "a number needs a tolerance"),
        (GOOD.replace("tolerance", "error"), "a number may have tolerance"),
        (GOOD.replace("number tol", "text tol"), "an answer is one of code, number"),
        (GOOD.replace('number tolerance=0.1 unit="apples"', "choice"), "four lines"),
        (GOOD.replace("python equivalent", "python right"), "no block `right`"),
        (GOOD.replace("4 / 2", "4 /"), "is no Python: invalid syntax"),
        (GOOD + "\n" + GOOD, "a second of that name"),
    ],
)
def test_a_question_that_says_too_little_stops_the_build(text, words):
    with pytest.raises(PageError, match=words) as found:
        read(text)
    assert "line " in str(found.value)


def test_a_page_shows_what_its_readers_need(monkeypatch):
    monkeypatch.setattr(exercises, "source_of", lambda text: DOCS / "training/page.md")
    settings = {"pymdownx.highlight": {"pygments_lang_class": True}}
    names = ["admonition", "attr_list", "pymdownx.details", "pymdownx.superfences"]
    names += ["pymdownx.highlight", "chalkdocs.markdown"]
    page = Markdown(extensions=names, extension_configs=settings).convert(GOOD)
    assert 'id="a-sum"' in page
    assert 'class="language-python exercise highlight"' in page
    for mark in ('page="training/page', 'kind="number', 'unit="apples'):
        assert f"data-{mark}" in page
    assert "chalkgrad exercise training/page a-sum ANSWER</code>" in page
    assert all(words not in page for words in ("Three", "equivalent", "```"))
    assert page.count('<details class="hint">') == 2
    assert page.count('<span class="mi">1</span>') == 2  # of the solution


# --- At home --------------------------------------------------------------------------


@pytest.fixture
def exercise(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main(["exercise", *words])
        return code, capsys.readouterr().out

    return run


PLACE = ("training/gradient-descent", "find-the-bug")


def test_the_command_lists_and_shows(exercise):
    every = exercise()[1].splitlines()
    assert every == [f"{one.page} {one.id}" for one in list_exercises()]
    here = exercise(PLACE[0])[1].splitlines()
    assert here == [line for line in every if line.startswith(PLACE[0])]
    found = find_exercise(*PLACE)
    code, shown = exercise(*PLACE)
    first, _, starter = shown.partition("\n")
    assert (code, starter) == (0, found.starter)
    assert first.startswith(f"# {found.title}: https://")
    assert first.endswith(f"/{found.page}/#{found.id}")
    assert exercise(*PLACE, "--hints")[1].splitlines() == found.hints
    assert exercise(*PLACE, "--solution")[1] == found.solution
    assert exercise("training/nowhere")[0] == 2
    assert exercise(PLACE[0], "nothing")[0] == 2


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_command_checks_a_file_within_limits(exercise, tmp_path, backend):
    def check(text, *words):
        (tmp_path / "mine.py").write_text(text)
        return exercise(*PLACE, "mine.py", "--backend", backend, *words)

    found = find_exercise(*PLACE)
    assert check(found.solution) == (0, "Right.\n")
    code, said = check(found.starter, "--json")
    assert (code, json.loads(said)["outcome"]) == (1, "wrong")
    assert check("1 / 0")[0] == 2
    code, said = check("while True: pass", "--seconds", "1")
    assert (code, said) == (1, "It does not come to an end within 1 s.\n")
    code, said = check("def limit(mu):\n    while True: pass", "--seconds", "1")
    assert (code, said) == (1, "It does not come to an end within 1 s.\n")
    code, said = check("import os\nos._exit(3)")
    assert (code, said) == (1, "It ended its process, with code 3.\n")


def test_a_short_answer_may_stand_in_the_command(exercise, monkeypatch):
    place = ("training/gradient-descent", "the-best-rate")
    assert exercise(*place, "2/11")[0] == 0
    assert exercise(*place, "0.2")[0] == 1
    assert exercise(*place, "nofile.py")[0] == 2
    assert exercise(*place, ".")[0] == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("answer = 2 / 11"))
    assert exercise(*place, "-")[0] == 0
