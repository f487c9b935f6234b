"""The judge of functions is judged: its catalogue, and what is right in libraries."""

import re
from pathlib import Path

import numpy as np
import pytest

import chalkgrad.numpy as cg
from chalkgrad.judge import _grads, _networks, _rosenblatt
from chalkgrad.judge._call_verdicts import compute
from chalkgrad.judge._calls import FunctionTask
from chalkgrad.judge._tasks import find_task

DOCS = Path(__file__).parents[2] / "docs"
TASKS = [n for n in cg.judge.list_tasks() if isinstance(find_task(n), FunctionTask)]
OPTIMIZERS = set(cg.judge.list_tasks()) - set(TASKS)


BY_FORMULA = {
    "backprop": _networks.FORMULAS.values(),
    "grad": [_grads.FORMULA],
    "perceptron": [_rosenblatt.FORMULA],
    "init": [],
}


def public(name):
    """Return what of ours is judged under a name."""
    if name == "perceptron":
        return cg.perceptron.fit
    if name.startswith("perceptron_loss"):
        return getattr(cg.losses, name.replace("perceptron_loss", "perceptron"))
    for module in (cg.losses, cg.activations, cg.schedules):
        if name in module.__all__:
            return getattr(module, name)
    return None


def formulas(name):
    """Go through the formulas of a task, each with its forms' deviations."""
    if name in BY_FORMULA:
        yield from BY_FORMULA[name]
        return
    task = find_task(name)
    subject = public(name) or (lambda y_true, y_pred: 0.0)
    seen = []
    for form in task.ways_to_call(subject):
        if all(form.formula is not other for other in seen):
            seen.append(form.formula)
            yield form.formula


HARMLESS: set[str] = set()


def parts(x):
    """Return the names of what is made of numbers."""
    made = set(vars(x)) - {"inputs", "truth", "layers", "f"}
    return [n for n in made if isinstance(getattr(x, n), float | np.ndarray)]


OURS = [n for n in TASKS if public(n) is not None and n not in ("warmup",)]


@pytest.mark.parametrize("name", OURS)
def test_our_own_are_right(name):
    verdict = cg.judge.judge(public(name), name)
    assert verdict.outcome == "right", str(verdict)


@pytest.mark.parametrize("name", OURS)
def test_our_twins_are_right(name):
    twin = pytest.importorskip("chalkgrad.torch")
    subject = public(name)
    module = next(
        m
        for m in ("losses", "activations", "schedules", "perceptron")
        if f".{m}." in subject.__module__
    )
    ours = getattr(getattr(twin, module), subject.__name__)
    verdict = cg.judge.judge(ours, name)
    assert verdict.outcome == "right", str(verdict)


@pytest.mark.parametrize("name", TASKS)
def test_no_deviation_is_the_right_formula(name):
    """In some case every mistake and convention gives other numbers than ours."""
    tasks = [find_task(name)]
    if f"{name}_grad" in TASKS:
        tasks.append(find_task(f"{name}_grad"))
    if name == "init":
        return
    cases = [c for task in tasks for c in task.cases({}) if not c.is_extreme]
    for formula in formulas(name):
        for one in formula.deviations:
            if one.kind == "limit":
                continue
            differs = False
            for case in cases:
                try:
                    made, right = compute(formula, case, [one]), compute(formula, case)
                except (IndexError, ValueError, ZeroDivisionError):
                    continue
                for line in parts(right):
                    a, b = (np.asarray(getattr(x, line), float) for x in (made, right))
                    differs |= a.shape != b.shape or not np.allclose(
                        a, b, rtol=1e-9, atol=1e-12, equal_nan=True
                    )
            assert differs or one.name in HARMLESS, one.name


@pytest.mark.parametrize("name", TASKS)
def test_every_limit_is_right_but_at_extremes(name):
    task = find_task(name)
    for formula in formulas(name):
        for one in formula.deviations:
            if one.kind != "limit":
                continue
            case = task.cases({})[0]
            made, right = compute(formula, case, [one]), compute(formula, case)
            for line in parts(right):
                a, b = (np.asarray(getattr(x, line), float) for x in (made, right))
                # What is added in a logarithm is off by as little.
                assert np.allclose(a, b, rtol=2e-2, atol=1e-3, equal_nan=True), one.name


def anchors(page):
    text = (DOCS / f"{page}.md").read_text("utf-8")
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    words = [re.sub(r"[^\w\s-]", "", title.lower()).strip() for title in titles]
    return {"", *(re.sub(r"[\s]+", "-", title) for title in words)}


@pytest.mark.parametrize("name", TASKS)
def test_every_entry_says_why_and_names_a_page_that_is_there(name):
    for formula in formulas(name):
        for one in formula.deviations:
            assert one.why.endswith("."), one.name
            assert one.changes, one.name
            path, _, anchor = one.page.rstrip("/").partition("/#")
            assert anchor in anchors(path), one.page


@pytest.mark.parametrize("name", TASKS)
def test_the_sheet_and_the_forms_are_there(name):
    sheet = cg.judge.describe(name)
    assert sheet.startswith(f"# {name}\n")
    assert len(find_task(name).forms) == 3
    for form in find_task(name).forms:
        assert form in sheet


# --- Libraries ------------------------------------------------------------------------


def torch_cases():
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    nn = torch.nn
    return {
        "F.mse_loss": (F.mse_loss, "mse"),
        "F.l1_loss": (F.l1_loss, "mae"),
        "F.huber_loss": (F.huber_loss, "huber"),
        "F.smooth_l1_loss": (F.smooth_l1_loss, "huber"),
        "F.cross_entropy": (F.cross_entropy, "cross_entropy"),
        "F.nll_loss": (F.nll_loss, "cross_entropy"),
        "F.bce": (F.binary_cross_entropy, "binary_cross_entropy"),
        "F.bce_logits": (F.binary_cross_entropy_with_logits, "binary_cross_entropy"),
        "nn.MSELoss": (nn.MSELoss, "mse"),
        "nn.MSELoss()": (nn.MSELoss(), "mse"),
        "nn.MSELoss sum": (nn.MSELoss(reduction="sum"), "mse"),
        "nn.MSELoss none": (nn.MSELoss(reduction="none"), "mse"),
        "nn.L1Loss": (nn.L1Loss, "mae"),
        "nn.HuberLoss": (nn.HuberLoss, "huber"),
        "nn.SmoothL1Loss": (nn.SmoothL1Loss, "huber"),
        "nn.CrossEntropyLoss": (nn.CrossEntropyLoss, "cross_entropy"),
        "nn.BCELoss": (nn.BCELoss, "binary_cross_entropy"),
        "nn.BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, "binary_cross_entropy"),
        "torch.relu": (torch.relu, "relu"),
        "torch.sigmoid": (torch.sigmoid, "sigmoid"),
        "torch.tanh": (torch.tanh, "tanh"),
        "nn.ReLU": (nn.ReLU, "relu"),
        "nn.Sigmoid": (nn.Sigmoid, "sigmoid"),
        "nn.Tanh": (nn.Tanh, "tanh"),
        "nn.LeakyReLU": (nn.LeakyReLU, "leaky_relu"),
        "F.leaky_relu": (F.leaky_relu, "leaky_relu"),
        "nn.GELU": (nn.GELU, "gelu"),
        "nn.GELU tanh": (nn.GELU(approximate="tanh"), "gelu"),
        "nn.Softplus": (nn.Softplus, "softplus"),
        "F.softplus": (F.softplus, "softplus"),
        "nn.Identity": (nn.Identity, "identity"),
        "F.softmax": (F.softmax, "softmax"),
        "torch.softmax": (lambda z: torch.softmax(torch.as_tensor(z), -1), "softmax"),
        "nn.Softmax": (nn.Softmax(dim=-1), "softmax"),
    }


FOUND = {
    "F.smooth_l1_loss": {"divided by δ"},
    "nn.SmoothL1Loss": {"divided by δ"},
    "F.nll_loss": {"given the logarithms of the probabilities"},
    "nn.MSELoss sum": {"summed, not averaged"},
    "nn.MSELoss none": {"not reduced"},
    "nn.GELU tanh": {"the tanh approximation"},
}


@pytest.mark.parametrize("name", torch_cases())
def test_what_torch_computes_is_right_or_of_a_named_convention(name):
    subject, task = torch_cases()[name]
    verdict = cg.judge.judge(subject, task)
    assert verdict, str(verdict)
    conventions = {
        one.name
        for group in verdict.findings
        for one in group
        if one.kind == "convention"
    }
    assert conventions == FOUND.get(name, set()), str(verdict)


def scheduler(name, *args, **options):
    """Return a schedule of torch as a function of t."""
    torch = pytest.importorskip("torch")

    def rate(t, lr):
        weight = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([weight], lr=lr)
        plan = getattr(torch.optim.lr_scheduler, name)(optimizer, *args, **options)
        for _ in range(t):
            optimizer.step()
            plan.step()
        return plan.get_last_lr()[0]

    return rate


@pytest.mark.parametrize(
    ("make", "task", "options", "found"),
    [
        (("StepLR", 4, 0.5), "step", {"every": 4, "factor": 0.5}, set()),
        (
            ("ExponentialLR", 0.9),
            "exponential",
            {"rate": 0.9},
            {"a factor for each step"},
        ),
        (
            ("CosineAnnealingLR", 9, 0.01),
            "cosine",
            {"steps": 9, "floor": 0.01},
            {"goes on as a wave"},
        ),
        (
            ("CosineAnnealingWarmRestarts", 5, 2),
            "cosine_restarts",
            {"period": 5, "multiplier": 2, "floor": 0.0},
            set(),
        ),
        (
            ("PolynomialLR", 8, 2.0),
            "polynomial",
            {"steps": 8, "power": 2.0, "floor": 0.0},
            set(),
        ),
        (
            ("LinearLR", 0.25, 1.0, 6),
            "linear",
            {"steps": 6, "start_factor": 0.25, "end_factor": 1.0},
            set(),
        ),
        (("ConstantLR", 1.0), "constant", {}, set()),
    ],
    ids=lambda x: x[0] if isinstance(x, tuple) else None,
)
@pytest.mark.filterwarnings("ignore")
def test_a_schedule_of_torch_is_right_or_of_a_named_convention(
    make, task, options, found
):
    verdict = cg.judge.judge(scheduler(*make), task, **options)
    assert verdict, str(verdict)
    assert verdict.names == found, str(verdict)


@pytest.mark.parametrize(
    ("path", "task"),
    [
        ("scipy.special:softmax", "softmax"),
        ("scipy.special:expit", "sigmoid"),
        ("sklearn.metrics:accuracy_score", "accuracy"),
        ("sklearn.metrics:confusion_matrix", "confusion"),
        ("sklearn.metrics:mean_squared_error", "mse"),
        ("sklearn.metrics:mean_absolute_error", "mae"),
        ("sklearn.metrics:log_loss", "cross_entropy"),
        ("sklearn.metrics:hinge_loss", "hinge"),
        ("numpy:tanh", "tanh"),
        ("numpy:positive", "identity"),
    ],
)
def test_what_other_libraries_compute_is_right(path, task):
    module, _, name = path.partition(":")
    subject = getattr(pytest.importorskip(module), name)
    verdict = cg.judge.judge(subject, task)
    assert verdict, str(verdict)


# --- Bad input ------------------------------------------------------------------------


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="judge: mse has no option delta; it has none"):
        cg.judge.judge(cg.losses.mse, "mse", delta=1.0)
    with pytest.raises(TypeError, match="compare: mse needs `targets`"):
        cg.judge.compare(cg.losses.mse, "mse", predictions=[1.0])
    with pytest.raises(
        ValueError, match="`predictions` must be made of finite numbers"
    ):
        cg.judge.compare(cg.losses.mse, "mse", predictions=["a"], targets=[1.0])
    verdict = cg.judge.judge(3, "mse")
    assert verdict.outcome == "not judged"
    assert "write it as one of" in verdict.reason
