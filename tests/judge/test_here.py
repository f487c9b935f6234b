"""The judge in a page: what it is given, and what the script is told."""

import json

import pytest

import chalkgrad.numpy as cg
from chalkgrad.judge._here import judge_text, list_starters

STARTERS = {one["name"]: one for one in list_starters()}


def said(text, task):
    return json.loads(judge_text(text, task))


def test_every_task_has_a_text_to_begin_with():
    assert list(STARTERS) == cg.judge.list_tasks()
    for one in STARTERS.values():
        compile(one["text"], "<starter>", "exec")
        assert one["kind"]


@pytest.mark.parametrize(
    ("task", "found", "first"),
    [
        ("adam", "t never grows", 2),
        ("softmax", "one sum for all rows", 0),
        ("cross_entropy", "all labels for everyone", None),
        ("backprop", "the slope of the hidden units is missing", None),
    ],
)
def test_what_one_sees_first_has_a_mistake_that_is_named_and_drawn(task, found, first):
    told = said(STARTERS[task]["text"], task)
    assert told["outcome"] == "wrong"
    assert found in told["title"]
    picture = told["picture"]
    assert len(picture["theirs"]) == len(picture["ours"]) > 1
    at = picture["first"]
    assert picture["theirs"][at] != pytest.approx(picture["ours"][at], rel=1e-6)
    if first is not None:
        assert at == first
    assert picture["theirs"][:at] == pytest.approx(picture["ours"][:at])


def test_a_right_one_is_drawn_without_a_mark():
    text = "def sgd(w, g, lr=0.1):\n    return w - lr * g\n"
    picture = said(text, "sgd")["picture"]
    assert picture["first"] is None
    assert picture["theirs"] == pytest.approx(picture["ours"])
    text = "import numpy as np\ndef relu(x):\n    return np.maximum(x, 0)\n"
    picture = said(text, "relu")["picture"]
    assert (picture["first"], picture["kind"]) == (None, "numbers")


@pytest.mark.parametrize(
    ("text", "task", "words"),
    [
        ("def sgd(:", "sgd", "it cannot be loaded: SyntaxError"),
        ("1 / 0", "sgd", "it cannot be loaded: ZeroDivisionError"),
        ("rate = 1", "sgd", "it cannot be loaded: LookupError"),
        ("def sgd(a): ...", "sgd", "nobody knows how to call it"),
        ("def relu(x): return 1 / 0", "relu", "it raises ZeroDivisionError"),
        ("def init(fan_in, fan_out): return 3", "init", "nobody knows how to call it"),
    ],
)
def test_what_fails_is_told_without_a_picture(text, task, words):
    told = said(text, task)
    assert words in "\n".join(told["lines"])
    assert told["picture"] is None


def test_what_is_not_finite_is_left_out_of_a_picture():
    text = "import numpy as np\ndef tanh(z):\n    return np.log(z)\n"
    picture = said(text, "tanh")["picture"]
    assert None in picture["theirs"]
    assert None not in picture["ours"]
