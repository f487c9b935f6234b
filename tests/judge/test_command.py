"""`chalkgrad judge`: files, limits, a class, and what a CI reads."""

import csv
import io
import json
import math
import multiprocessing
import subprocess
import sys
from xml.etree import ElementTree as ET

import nbformat
import pytest

from chalkgrad.cli import main
from chalkgrad.judge import _limits as limits
from chalkgrad.judge import _report as report
from chalkgrad.judge._places import Place, find_subject, read_place
from chalkgrad.judge._verdicts import Verdict

RIGHT = "def sgd(w, g, lr=0.1):\n    return w - lr * g\n"
WRONG = RIGHT.replace("-", "+")
CONVENTION = (
    "def sgd(w, g, v, lr=0.1, momentum=0.9):\n"
    "    v = momentum * v + (1 - momentum) * g\n"
    "    return w - lr * v, v\n"
)


@pytest.fixture
def judge(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words, source=RIGHT):
        (tmp_path / "mine.py").write_text(source)
        code = main(["judge", *words])
        return code, capfd.readouterr().out

    return run


def test_verdict_and_exit_code(judge):
    code, said = judge("mine.py:sgd", "--as", "sgd")
    assert (code, said.splitlines()[0]) == (0, "sgd: right")
    code, said = judge("mine.py:sgd", "--as", "sgd", source=WRONG)
    assert (code, said.splitlines()[0]) == (1, "sgd: wrong: the step is added")
    assert "cg.judge.compare(sgd, 'sgd', w=[1.0], grads=[[1.0]])" in said


def test_a_convention_fails_if_strict(judge):
    words = ("mine.py", "--as", "sgd")
    code, said = judge(*words, source=CONVENTION)
    assert code == 0
    assert "another convention: momentum as (1 − μ) g" in said
    assert judge(*words, "--strict", source=CONVENTION)[0] == 1


def test_some_aspects_alone(judge):
    source = "def sgd(w, g, lr=0.1):\n    return w - lr * g * (w.ndim == 1)\n"
    words = ("mine.py:sgd", "--as", "sgd", "--skip", "matrix", "shapes")
    assert judge(*words[:3], source=source)[0] == 1
    assert judge(*words, source=source)[0] == 0
    assert judge("mine.py:sgd", "--as", "sgd", "--only", "first", source=source)[0] == 0


def test_options_that_are_fixed(judge):
    source = "def sgd(w, g, lr=0.1):\n    return w - 0.1 * g\n"
    assert judge("mine.py:sgd", "--as", "sgd", source=source)[0] == 1
    words = ("mine.py:sgd", "--as", "sgd", "--with", "lr=0.1")
    assert judge(*words, source=source)[0] == 0


def test_the_standard_input_a_notebook_and_a_module(judge, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(RIGHT))
    assert judge("-:sgd", "--as", "sgd")[0] == 0
    cells = [
        nbformat.v4.new_code_cell("%matplotlib inline\nRATE = 0.1\n" + RIGHT),
        nbformat.v4.new_markdown_cell("# It trains"),
        nbformat.v4.new_code_cell("while True:\n    pass"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "mine.ipynb")
    assert judge("mine.ipynb:sgd", "--as", "sgd")[0] == 0
    assert judge("chalkgrad.numpy:optimizers.sgd", "--as", "sgd")[0] == 0


MISFITS = {
    "while True:\n        pass": (1, "does not come to an end within 1 s"),
    "import os; os._exit(3)": (1, "ended its process, with code 3"),
    "import sys; sys.exit(3)": (1, "it raises SystemExit: 3"),
    "return sgd(w, g, lr)": (1, "it raises RecursionError"),
    "return [0.0] * 10**12": (1, "it raises MemoryError"),
    "return None": (1, "wrong: the weights do not move"),
    "return 'w'": (2, "nobody knows how to call it"),
    "return w[:1]": (1, "sgd: wrong"),
    "1 / 0": (1, "it raises ZeroDivisionError: division by zero"),
    "raise KeyboardInterrupt": (1, "ended its process"),
    "print('hello'); return w - lr * g": (0, "it prints"),
    "g *= lr; return w - g": (0, "it writes over the gradient that it is given"),
    "import random; random.random(); return w - lr * g": (0, "it draws random numbers"),
    "import threading, time; "
    "threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); "
    "return w - lr * g": (0, "it leaves threads behind"),
    "plots.figure(); return w - lr * g": (
        0,
        "it opens plots",
    ),
}


@pytest.mark.parametrize("body", MISFITS)
def test_what_goes_wrong_is_told_and_never_a_crash(judge, body):
    source = f"def sgd(w, g, lr=0.1):\n    {body}\n"
    if "plots" in body:
        source = f"import matplotlib.pyplot as plots\n{source}"
    seconds = "1" if "while" in body else "10"
    words = ("mine.py:sgd", "--as", "sgd", "--seconds", seconds)
    code, said = judge(*words, source=source)
    assert (code, MISFITS[body][1] in said) == (MISFITS[body][0], True), said


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def sgd(:\n", "it cannot be loaded: SyntaxError"),
        ("import nothing_of_this_name\n", "it cannot be loaded: ModuleNotFoundError"),
        ("rate = 1\n", "there is no sgd in mine.py"),
        ("sgd = 1\n", "nobody knows how to call it"),
    ],
)
def test_what_cannot_be_judged_exits_with_2(judge, source, words):
    code, said = judge("mine.py:sgd", "--as", "sgd", source=source)
    assert (code, words in said) == (2, True), said


def test_bad_words_are_refused(judge, capfd):
    for words, told in {
        ("mine.py:sgd", "--as", "sgdd"): "got 'sgdd'",
        ("mine.py:sgd",): "name the task with --as",
        ("--as", "sgd"): "say what to judge",
        ("mine.py:sgd", "--as", "sgd", "--with", "lr"): "--with takes lr=0.1",
        ("mine.py:sgd", "--as", "sgd", "--with", "x=1"): "sgd has no option x",
        ("mine.py:sgd", "--as", "sgd", "--with", "lr=-1"): "`lr`",
        ("--class", "nowhere", "--as", "sgd"): "there is no folder nowhere",
    }.items():
        assert main(["judge", *words]) == 2
        assert told in capfd.readouterr().err


def test_forms_for_programs(judge, tmp_path):
    words = ("mine.py:sgd", "--as", "sgd", "--json", "--junit", "out.xml")
    code, said = judge(*words, source=WRONG)
    verdict = json.loads(said)
    assert (code, verdict["outcome"]) == (1, "wrong")
    assert verdict["findings"][0][0]["name"] == "the step is added"
    suite = ET.parse(tmp_path / "out.xml").getroot()
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) > 0
    assert int(suite.get("tests")) == len(suite.findall("testcase"))
    judge("mine.py:sgd", "--as", "sgd", "--junit", "out.xml")
    assert ET.parse(tmp_path / "out.xml").getroot().get("failures") == "0"


def test_a_class(judge, tmp_path):
    folder = tmp_path / "class"
    (folder / "eve").mkdir(parents=True)
    students = {"ada": RIGHT, "bob": WRONG, "dan": WRONG, "eve/hw": CONVENTION}
    students["kim"] = "def sgd(w, g):\n    while True: pass\n"
    for name, source in students.items():
        (folder / f"{name}.py").write_text(source)
    words = ("--class", "class", ":sgd", "--as", "sgd", "--seconds", "2")
    code, said = judge(*words, "--csv", "c.csv", "--html", "c.html")
    assert code == 1
    assert said.splitlines() == [
        "ada: right",
        "bob: wrong: the step is added",
        "dan: wrong: the step is added",
        "eve/hw: right, but of another convention: momentum as (1 − μ) g",
        "kim: wrong",
        "2 × the step is added",
        "1 × momentum as (1 − μ) g",
    ]
    table = (tmp_path / "c.csv").read_text("utf-8")
    rows = list(csv.reader(table.splitlines()))
    assert [row[:2] for row in rows[1:]] == [
        ["ada", "right"],
        ["bob", "wrong"],
        ["dan", "wrong"],
        ["eve/hw", "convention"],
        ["kim", "wrong"],
    ]
    page = (tmp_path / "c.html").read_text("utf-8")
    assert "<li>the step is added: 2</li>" in page
    assert page.count('<th scope="row">') == 5


def test_list_and_sheet(judge):
    code, said = judge("--list")
    assert code == 0
    assert {"adam", "sgd", "lion"} <= set(said.split())
    code, said = judge("--show", "adam")
    assert code == 0
    for words in ("# adam", "beta1, beta2 : float", "def step(w, g, state", ">>> opt"):
        assert words in said


# --- What a process of its own does, in this one --------------------------------------


def test_a_place_is_read_as_it_is_written(monkeypatch):
    assert read_place("mine.py:Adam") == Place("mine.py", "Adam")
    assert read_place("mine.py") == Place("mine.py", "")
    assert read_place("mine.py:") == Place("mine.py", "")
    assert read_place(r"C:\mine.py") == Place(r"C:\mine.py", "")
    assert read_place("package.module:Net.step") == Place("package.module", "Net.step")
    monkeypatch.setattr(sys, "stdin", io.StringIO(RIGHT))
    assert read_place("-:sgd") == Place("<stdin>", "sgd", RIGHT)
    assert str(Place("mine.py", "Adam")) == "mine.py:Adam"
    assert str(Place("mine.py", "")) == "mine.py"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder whose modules may be imported, and are forgotten again."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("subject", "neighbour"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_subject_is_found_by_its_name_or_because_it_is_alone(folder):
    (folder / "neighbour.py").write_text("RATE = 0.5\n")
    (folder / "mine.py").write_text(
        "from neighbour import RATE\nclass Box:\n    step = staticmethod(abs)\n"
        "def my_sgd(w, g, lr=RATE):\n    return w - lr * g\ndef _helper(): ...\n"
    )
    subject, name = find_subject(Place("mine.py", ""), "sgd")
    assert (name, subject(1.0, 2.0)) == ("my_sgd", 0.0)
    assert find_subject(Place("mine.py", "Box.step"), "sgd")[0] is abs
    assert find_subject(Place("math", "sqrt"), "sgd") == (math.sqrt, "sqrt")
    source = "sgd = 1\ndef only(): ...\n"
    assert find_subject(Place("<stdin>", "", source), "sgd")[1] == "only"
    with pytest.raises(LookupError, match=r"there is no other in mine\.py"):
        find_subject(Place("mine.py", "other"), "sgd")
    with pytest.raises(LookupError, match="there are Box, my_sgd"):
        find_subject(Place("mine.py", ""), "adam")
    with pytest.raises(LookupError, match=r"FILE:NAME$"):
        find_subject(Place("<stdin>", "", "rate = 1\n"), "adam")


def test_of_a_notebook_only_what_it_defines_is_run(folder):
    code = [
        "%matplotlib inline\n!pip install nothing\nimport math\nRATE: float = 0.1",
        "for this is no Python",
        "def sgd(w, g, lr=RATE):\n    return w - lr * g\nsgd(1, 2) / 0",
        "double = lambda x: 2 * x\nlost = print('never')\nclass Net: ...",
    ]
    cells = [nbformat.v4.new_code_cell(text) for text in code]
    cells.append(nbformat.v4.new_markdown_cell("def text(): ..."))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "mine.ipynb")
    subject, _ = find_subject(Place("mine.ipynb", "sgd"), "sgd")
    module = vars(sys.modules["subject"])
    assert subject(1.0, 1.0) == 0.9
    assert {"math", "RATE", "sgd", "double", "Net"} <= set(module)
    assert not {"lost", "text"} & set(module)


def job(source, name="sgd", **chosen):
    given = {"task": "sgd", "fixed": {}, "only": (), "skip": ()}
    return limits.Job(Place("<stdin>", name, source), **given | chosen)


def test_a_job_is_judged_and_says_what_it_does(folder):
    told = []
    verdict = limits._judge(job(RIGHT), told.append)
    assert verdict.outcome == "right"
    assert told[0] == "how it is called"
    assert "several arrays" in told
    told.clear()
    limits._judge(job(RIGHT, only=("first",)), told.append)
    assert told == ["how it is called", "first steps"]
    wrong = limits._judge(job(WRONG, skip=("matrix",)), told.append)
    assert "a matrix" not in wrong.aspects
    assert limits._judge(job("rate = 1"), told.append).outcome == "not judged"
    said = limits._judge(job("1 / 0"), told.append)
    assert said.reason == "it cannot be loaded: ZeroDivisionError: division by zero"


def test_a_job_tells_of_plots_and_threads(folder):
    plots = pytest.importorskip("matplotlib.pyplot")
    source = (
        "import threading\nimport matplotlib.pyplot as plots\n"
        "stop = threading.Event()\n"
        "threading.Thread(target=stop.wait, daemon=True).start()\n" + RIGHT
    ).replace("    return", "    plots.figure(1)\n    return")
    try:
        verdict = limits._judge(job(source), lambda _: None)
        assert {"it opens plots", "it leaves threads behind"} <= set(verdict.notes)
    finally:
        plots.close("all")
        sys.modules["subject"].stop.set()


def test_the_work_of_a_process_ends_in_a_verdict(folder, monkeypatch):
    ours, theirs = multiprocessing.Pipe(duplex=False)
    ended, limited = [], []
    monkeypatch.setattr(limits.os, "_exit", ended.append)
    monkeypatch.setattr(limits, "_close_streams", lambda: None)
    monkeypatch.setattr(limits, "_limit_memory", limited.append)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    limits._work(theirs, limits._judge_job, job(WRONG), 77)
    assert (ended, limited) == ([0], [77])
    said = []
    while ours.poll():
        said.append(json.loads(ours.recv_bytes()))
    assert said[0] == {"doing": "how it is called"}
    assert said[-1]["done"]["outcome"] == "wrong"


def test_streams_and_memory_are_limited_in_a_process_of_its_own():
    code = (
        "import chalkgrad.judge._limits as limits\n"
        "limits._close_streams()\nprint('lost')\nassert input is not None\n"
        "limits._limit_memory(2000)\n"
        "import numpy as np\n"
        "try:\n    np.ones(2**40)\nexcept MemoryError:\n    raise SystemExit(7)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, b"", b"")


@pytest.mark.parametrize(
    ("outcome", "code", "kind"),
    [
        ("right", 0, None),
        ("limited", 0, None),
        ("wrong", 1, "failure"),
        ("not judged", 2, "error"),
    ],
)
def test_a_verdict_of_each_kind_as_junit(outcome, code, kind):
    verdict = Verdict(outcome, "softmax", reason="why", aspects={"a matrix": "right"})
    text = report.write_junit("mine.py", verdict)
    suite = ET.fromstring(text.encode())
    assert [case.get("name") for case in suite] == ["verdict", "a matrix"]
    found = [child.tag for case in suite for child in case]
    assert found == ([] if kind is None else [kind])
    assert report.is_failure(verdict, is_strict=False) == (code > 0)
    assert report.is_failure(verdict, is_strict=True) == (outcome != "right")


def test_functions_are_judged_at_a_prompt(judge, tmp_path):
    source = "from numpy import exp\ndef softmax(z): return exp(z) / exp(z).sum()\n"
    code, said = judge("mine.py:softmax", "--as", "softmax", source=source)
    assert (code, said.splitlines()[0]) == (1, "softmax: wrong: one sum for all rows")
    assert (
        judge("mine.py:softmax", "--as", "softmax", "--skip", "matrix", source=source)[
            0
        ]
        == 0
    )
    source = (
        "import numpy as np\ndef init(fan_in, fan_out):\n"
        "    w = np.random.randn(fan_in, fan_out)\n"
        "    return w * np.sqrt(2 / (fan_in + fan_out))\n"
    )
    words = ("mine.py:init", "--as", "init")
    assert judge(*words, "--with", "scheme=xavier", source=source)[0] == 0
    code, said = judge(*words, "--with", "scheme=he", source=source)
    assert code == 1
    assert "another scheme: Xavier, normal" in said
    source = "def mse(one):\n    return one\n"
    code, said = judge("mine.py:mse", "--as", "mse", source=source)
    assert code == 2
    assert "def mse(predictions, targets)" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "foo"], "--only foo is in no aspect; these are tried: first steps"),
        (["--skip", "foo"], "--skip foo is in no aspect"),
        (["--only", "first", "--skip", "first"], "leave none of these"),
        (["--with", "lr=abc"], "`lr` must be a finite number from 0, got 'abc'"),
        (["--show", "nope"], "judge: `--show` must be one of"),
        (["--seconds", "-1"], "-1 is no time above 0"),
    ],
)
def test_a_mistyped_word_is_no_verdict(tmp_path, capsys, words, said):
    path = tmp_path / "mine.py"
    path.write_text("def step(w, g, lr=0.1):\n    return w - lr * g\n")
    try:
        code = main(["judge", f"{path}:step", "--as", "sgd", *words])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["judge", f"{tmp_path / 'no.py'}:step", "--as", "sgd"]) == 2
    told = "".join(capsys.readouterr().out.split())
    assert f"thereisnofile{tmp_path / 'no.py'}" in told
