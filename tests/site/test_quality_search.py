"""The search: the words of a student lead to the page that treats them."""

import pytest

FIRST = {
    "/perceptron/boundaries/": ["svm", "decision boundary"],
    "/perceptron/neuron/": ["perceptron"],
    "/perceptron/universal-approximation/": ["universal approximation"],
    "/perceptron/wiring/": ["xor"],
    "/traditional-ml/comparison/": ["random forest"],
    "/traditional-ml/pipeline/": ["feature engineering"],
    "/training/adaptive-rates/": ["adam", "rmsprop", "adagrad", "weight decay"],
    "/training/backpropagation/": ["backpropagation", "chain rule", "jacobian"],
    "/training/gradient-descent/": ["gradient descent", "momentum", "saddle point"],
    "/training/hardware/": ["bf16", "mixed precision", "gpu"],
    "/training/learning-rate/": ["learning rate", "warmup"],
    "/training/loss-functions/": ["cross entropy", "mse", "huber"],
    "/training/loss-landscapes/": ["local minima", "sharpness"],
    "/training/practical-problems/": [
        *("vanishing gradients", "exploding gradients"),
        "xavier initialization",
    ],
    "/training/overfitting/": ["overfitting", "dropout", "early stopping"],
    "/training/reverse-mode/": ["automatic differentiation"],
    "/training/stochastic-gradient-descent/": ["sgd", "minibatch", "batch size"],
    "/labs/digits/": ["mnist"],
    "/reference/activations/": ["relu", "softmax"],
    "/reference/autodiff/": ["autodiff"],
    "/reference/schedules/": ["cosine schedule"],
}
ASKED = {words: page for page, group in FIRST.items() for words in group}


@pytest.fixture(scope="module")
def ask(chromium, base):
    """Ask the search of one tab; return the page that it names first."""
    page = chromium.new_page()
    page.goto(base)
    field = page.locator(".md-search__input")
    meta = page.locator(".md-search-result__meta")

    def asked(words):
        meta.evaluate("meta => { meta.textContent = ''; }")
        field.fill(words)
        field.press("End")  # the theme listens to keys
        meta.filter(has_text="matching").wait_for()
        first = page.locator(".md-search-result__list > li > a").first
        return first.evaluate("a => new URL(a.href).pathname")

    yield asked
    page.close()


def test_there_are_words_enough():
    assert len(ASKED) >= 30


@pytest.mark.parametrize("words", ASKED)
def test_the_usual_words_lead_to_the_page_that_treats_them(ask, words):
    assert ask(words) == ASKED[words]


def test_words_written_before_the_theme_has_started_are_found(page, base):
    held = []
    page.route("**/bundle.*.js", lambda route: held.append(route))
    page.goto(base, wait_until="commit")
    page.locator(".md-header__button[for=__search]").wait_for(state="attached")
    page.evaluate("document.getElementById('__search').click()")
    page.locator(".md-search__input").fill("adam")
    while not held:
        page.wait_for_timeout(20)
    held.pop().continue_()
    page.locator(".md-search-result__link").first.wait_for()
