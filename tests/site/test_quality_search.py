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
    "/training/backpropagation/": ["backpropagation", "chain rule"],
    "/training/gradient-descent/": ["gradient descent", "momentum", "saddle point"],
    "/training/hardware/": ["bf16", "mixed precision", "gpu"],
    "/training/learning-rate/": ["learning rate", "warmup"],
    "/training/loss-functions/": ["cross entropy", "mse", "huber"],
    "/training/loss-landscapes/": ["local minima", "sharpness"],
    "/training/practical-problems/": [
        *("vanishing gradients", "exploding gradients", "overfitting"),
        *("dropout", "early stopping", "xavier initialization"),
    ],
    "/training/reverse-mode/": ["automatic differentiation"],
    "/training/stochastic-gradient-descent/": ["sgd", "minibatch", "batch size"],
    "/labs/digits/": ["mnist"],
    "/reference/activations/": ["relu", "softmax"],
    "/reference/autodiff/": ["autodiff", "jacobian"],
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
        meta.filter(has_text="matching").wait_for(timeout=10_000)
        first = page.locator(".md-search-result__list > li > a").first
        return first.evaluate("a => new URL(a.href).pathname")

    yield asked
    page.close()


def test_there_are_words_enough():
    assert len(ASKED) >= 30


@pytest.mark.parametrize("words", ASKED)
def test_the_usual_words_lead_to_the_page_that_treats_them(ask, words):
    assert ask(words) == ASKED[words]
