"""What an installed package knows of the lecture is what the tests of the pages say."""

import doctest
import tomllib

import pytest

from chalkdocs import claims
from chalkdocs.sources import DOCS, ROOT
from chalkgrad.lecture import _answers as answers
from chalkgrad.lecture import _claims as lecture
from chalkgrad.lecture import _reading as reading

OPTIONS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]
SETTINGS = OPTIONS["ini_options"]


def test_pages_are_read_as_the_tests_read_them():
    assert {name: SETTINGS[name] for name in reading.SETTINGS} == reading.SETTINGS
    assert float(SETTINGS["doctest_plus_rtol"]) == answers.RTOL
    flags = set(SETTINGS["doctest_optionflags"]) - {"FLOAT_CMP"}
    assert sum(doctest.OPTIONFLAGS_BY_NAME[name] for name in flags) == answers.FLAGS


def test_every_claim_is_judged_on_one_page():
    found = lecture.find_verdicts(lecture.find_pages())
    assert found.keys() == claims.claims().keys()
    for key, block in claims.claim_blocks(DOCS).items():
        assert found[key].page == DOCS / block.page
        assert found[key].verdict == block.verdict


@pytest.mark.parametrize(
    ("want", "got", "others", "expected"),
    [
        ("array([1., 0.3333])", "tensor([1., 0.33333], dtype=torch.float64)", True, 1),
        ("array([1., 0.3333])", "tensor([1., 0.33333])", True, 0),
        ("array([1., 0.3333])", "tensor([1., 0.3335], dtype=torch.float64)", True, 0),
        ("np.float64(1.5)", "1.5", True, 1),
        ("np.float64(1.5)", "1.5", False, 0),
        ("[[1 2]\n [3 4]]", "tensor([[1, 2],\n        [3, 4]])", True, 1),
        ("{'a': 1, ...}", "{'a': 1, 'b': 2}", False, 1),
        ("True", "False", False, 0),
    ],
)
def test_an_answer_of_another_backend(want, got, others, expected):
    checker = answers.Checker(allows_other_numbers=others)
    assert checker.check_output(want, got, answers.FLAGS) is bool(expected)
