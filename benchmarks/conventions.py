"""What do libraries mean by the same name? Each question is asked of the running code.

``python -m benchmarks.conventions`` lets PyTorch, Keras, optax and ours take a few
steps with one weight, where the possible readings of a formula give different numbers,
and says which reading the numbers are those of. It needs what chalkgrad itself does
not: ``pip install jax keras optax``. The page on adaptive rates shows what it writes.
"""

import inspect
import math
import os
from collections.abc import Callable, Sequence
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
import jax
import keras
import optax
import torch

import chalkgrad.numpy as cg
from benchmarks.record import keep, machine

jax.config.update("jax_enable_x64", True)

LIBRARIES = ("PyTorch", "Keras", "optax", "chalkgrad")
# What each library calls a rule; None: it has none.
NAMES: dict[str, Sequence[str | None]] = {
    "sgd": ("SGD", "SGD", "sgd", "sgd"),
    "adagrad": ("Adagrad", "Adagrad", "adagrad", "adagrad"),
    "adadelta": ("Adadelta", "Adadelta", "adadelta", "adadelta"),
    "rmsprop": ("RMSprop", "RMSprop", "rmsprop", "rmsprop"),
    "adam": ("Adam", "Adam", "adam", "adam"),
    "adamw": ("AdamW", "AdamW", "adamw", "adamw"),
    "nadam": ("NAdam", "Nadam", "nadam", "nadam"),
    "lion": (None, "Lion", "lion", "lion"),
}
# What each library calls an argument.
ARGUMENTS = {
    "lr": ("lr", "learning_rate", "learning_rate", "lr"),
    "eps": ("eps", "epsilon", "eps", "eps"),
    "momentum": ("momentum", "momentum", "momentum", "momentum"),
    "weight decay": ("weight_decay",) * 4,
}
DECAYS = {
    "rmsprop": ("alpha", "rho", "decay", "decay"),
    "adadelta": ("rho", "rho", "rho", "decay"),
}


def rule(library: str, name: str) -> Any:
    """Find a rule in a library."""
    called = NAMES[name][LIBRARIES.index(library)]
    home = {
        "PyTorch": torch.optim,
        "Keras": keras.optimizers,
        "optax": optax,
        "chalkgrad": cg.optimizers,
    }[library]
    return None if called is None else getattr(home, called)


def walk(
    library: str,
    name: str,
    grads: Sequence[float],
    *,
    lrs: Sequence[float] | None = None,
    **chosen: Any,
) -> list[float]:
    """Step from 1 along given slopes; return where each step ends."""
    i = LIBRARIES.index(library)
    chosen = {ARGUMENTS.get(key, DECAYS.get(name))[i]: x for key, x in chosen.items()}
    rates = list(lrs or [0.1] * len(grads))
    lr = ARGUMENTS["lr"][i]
    make, places = rule(library, name), []
    if library == "PyTorch":
        p = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
        opt = make([p], **{lr: rates[0]}, **chosen)
        for g, rate in zip(grads, rates, strict=True):
            opt.param_groups[0]["lr"] = rate
            p.grad = torch.full_like(p, g)
            opt.step()
            places.append(p.item())
    elif library == "Keras":
        v = keras.Variable([1.0], dtype="float64")
        opt = make(**{lr: rates[0]}, **chosen)
        for g, rate in zip(grads, rates, strict=True):
            opt.learning_rate = rate
            opt.apply([jax.numpy.array([g])], [v])
            places.append(float(v.numpy()[0]))
    elif library == "optax":
        table = jax.numpy.array(rates)
        opt = make(**{lr: lambda t: table[t]}, **chosen)
        w = jax.numpy.ones(1)
        state = opt.init(w)
        for g in grads:
            change, state = opt.update(jax.numpy.array([g]), state, w)
            w = optax.apply_updates(w, change)
            places.append(float(w[0]))
    else:
        opt = make(**{lr: lambda t: rates[t]}, **chosen)
        w = cg.array([1.0])
        state = opt.init(w)
        for g in grads:
            w, state = opt.step(w, cg.array([g]), state)
            places.append(float(w[0]))
    return places


def decide(got: float, readings: dict[str, float]) -> str:
    """Say which reading gives the number."""
    found = [
        words
        for words, number in readings.items()
        # The way from 1, not the place; Keras steps in float32 here and there.
        if math.isclose(1 - got, 1 - number, rel_tol=3e-6)
    ]
    return found[0] if len(found) == 1 else "otherwise"


def default(library: str, name: str, argument: str) -> str:
    """Read a default from a signature."""
    i = LIBRARIES.index(library)
    called = (DECAYS[name] if argument == "decay" else ARGUMENTS[argument])[i]
    found = inspect.signature(rule(library, name)).parameters.get(called)
    if found is None or found.default is inspect.Parameter.empty:
        return "none"
    return f"{found.default:g}" if isinstance(found.default, float) else "none"


def momentum_and_rate(library: str) -> str:
    """Does the rate multiply the velocity when it is used, or when it is gathered?"""
    place = walk(library, "sgd", [1.0, 0.0], lrs=[0.1, 0.0], momentum=0.9)[1]
    return decide(place, {"the velocity": 0.9, "each gradient in it": 0.81})


def first_velocity(library: str) -> str:
    """Is the first velocity the gradient, or a part of it?"""
    place = walk(library, "sgd", [1.0], momentum=0.9)[0]
    return decide(place, {"the gradient": 0.9, "1 - μ of it": 0.99})


def adagrad_start(library: str) -> str:
    """What is in the sum of squares before the first gradient?"""
    place = walk(library, "adagrad", [0.3])[0]
    return decide(place, {"0": 0.9, "0.1": 1 - 0.03 / math.sqrt(0.19)})


def eps_of(name: str, v: Callable[[float], float]) -> Callable[[str], str]:
    """Make the question where eps stands, for a rule whose first v is `v(g²)`."""

    def ask(library: str) -> str:
        # 1 is so large that its place shows.
        place = walk(library, name, [1.0], eps=1.0)[0]
        inside = math.sqrt(v(1.0) + 1.0)
        outside = math.sqrt(v(1.0)) + 1.0
        return decide(
            place,
            {
                "inside the root": 1 - 0.1 / inside,
                "outside the root": 1 - 0.1 / outside,
            },
        )

    return ask


def eps_of_adagrad(library: str) -> str:
    """Where does eps stand in Adagrad, whatever its sum starts from?"""
    start = {"0": 0.0, "0.1": 0.1}.get(adagrad_start(library), math.nan)
    return eps_of("adagrad", lambda square: square + start)(library)


def eps_of_rmsprop(library: str) -> str:
    """Where does eps stand in RMSprop, whatever its decay?"""
    share = 1 - float(default(library, "rmsprop", "decay"))
    return eps_of("rmsprop", lambda square: share * square)(library)


def eps_of_adam(library: str) -> str:
    """Is eps added to the root of the corrected mean of squares, or before?"""
    place = walk(library, "adam", [1.0], eps=1.0)[0]
    root = math.sqrt(0.001)
    return decide(
        place,
        {
            "after the correction": 1 - 0.1 / (1 + 1),
            "before the correction": 1 - 0.1 * root / (root + 1),
        },
    )


def rmsprop_correction(library: str) -> str:
    """Is RMSprop's mean of squares corrected for its start at 0?"""
    share = 1 - float(default(library, "rmsprop", "decay"))
    place = walk(library, "rmsprop", [1.0], eps=1e-12)[0]
    return decide(place, {"no": 1 - 0.1 / math.sqrt(share), "yes": 0.9})


def decay_of_adamw(library: str) -> str:
    """How much does a step without a slope take away?"""
    place = walk(library, "adamw", [0.0], **{"weight decay": 0.5})[0]
    return decide(place, {"η λ w": 0.95, "λ w": 0.5})


def decay_of_sgd(library: str) -> str:
    """Is SGD's weight decay part of the gradient, or apart from it?"""
    if "weight_decay" not in inspect.signature(rule(library, "sgd")).parameters:
        return "none"
    chosen = {"momentum": 0.9, "weight decay": 0.5}
    place = walk(library, "sgd", [0.0, 0.0], **chosen)[1]
    coupled = 0.95 - 0.1 * (0.9 * 0.5 + 0.5 * 0.95)
    return decide(place, {"in the gradient": coupled, "apart": 0.95 * 0.95})


def momentum_of_nadam(library: str) -> str:
    """Does NAdam's momentum warm up?"""
    place = walk(library, "nadam", [1.0], eps=1e-12)[0]
    share, readings = 0.1, {"no": 1 + 0.9 * 0.1 / (1 - 0.9**2)}
    for words, pace in (("by 0.96^(0.004 t)", 0.004), ("by 0.96^t", 1.0)):
        now, ahead = (0.9 * (1 - 0.5 * 0.96 ** (pace * t)) for t in (1, 2))
        readings[words] = 1 + ahead * share / (1 - now * ahead)
    return decide(place, {words: 1 - 0.1 * along for words, along in readings.items()})


QUESTIONS: list[tuple[str, Callable[[str], str]]] = [
    ("SGD: the rate multiplies", momentum_and_rate),
    ("SGD: the first velocity is", first_velocity),
    ("SGD: weight decay is", decay_of_sgd),
    ("Adagrad: the sum starts at", adagrad_start),
    ("Adagrad: ε is", eps_of_adagrad),
    ("RMSprop: ε is", eps_of_rmsprop),
    ("RMSprop: bias correction", rmsprop_correction),
    ("RMSprop: the decay, by default", lambda lib: default(lib, "rmsprop", "decay")),
    ("Adadelta: the rate, by default", lambda lib: default(lib, "adadelta", "lr")),
    ("Adam: ε is added", eps_of_adam),
    ("Adam: ε, by default", lambda lib: default(lib, "adam", "eps")),
    ("AdamW: a step takes away", decay_of_adamw),
    (
        "AdamW: the decay, by default",
        lambda lib: default(lib, "adamw", "weight decay"),
    ),
    ("NAdam: μ warms up", momentum_of_nadam),
    (
        "Lion: the decay, by default",
        lambda lib: (
            default(lib, "lion", "weight decay") if rule(lib, "lion") else "no Lion"
        ),
    ),
]


def main() -> None:
    """Ask, and keep the answers."""
    rows = [[words, *map(ask, LIBRARIES)] for words, ask in QUESTIONS]
    table = {"head": ["what", *LIBRARIES], "rows": rows}
    keep("conventions", machine("torch", "keras", "optax", "jax"), table=table)
    for row in rows:
        print(*row, sep=" | ")  # noqa: T201


if __name__ == "__main__":
    main()
