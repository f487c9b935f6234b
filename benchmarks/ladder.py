"""The same work, written in many ways: how far apart are they?

``python -m benchmarks.ladder`` times one layer and one Adam step, from Python loops to
compiled code, on one thread. All take turns in each round, and what counts is the ratio
within a round, in CPU time. ``--device cuda`` adds the GPU, in wall time, and writes
``ladder-cuda.json``. The page on hardware draws from what it writes.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.gpu import after_all_work
from benchmarks.harness import Runner, interleaved
from benchmarks.record import keep, machine

BATCH, D, K = 256, 256, 256
WEIGHTS, FEW = 4_194_304, 65_536  # loops step a few weights only
LR, B1, B2, EPS = 1e-3, 0.9, 0.999, 1e-8
BLOCK = 65_536  # weights; what Adam needs for them fits into a cache
SLICE = 0.02  # seconds that one try takes at least


class Rung(NamedTuple):
    """One way to do the work, and how much of the work it does."""

    run: Callable[[], Any]  # returns what it computed
    share: float = 1.0


def arrays() -> dict[str, Any]:
    """Draw what the work is done on, in float32."""
    rng = np.random.default_rng(0)
    drawn = {
        "x": rng.normal(size=(BATCH, D)),
        "W": rng.normal(size=(D, K)) * (2 / D) ** 0.5,
        "b": rng.normal(size=K),
        "w": rng.normal(size=WEIGHTS),
        "g": rng.normal(size=WEIGHTS),
    }
    return {name: a.astype("float32") for name, a in drawn.items()}


# --- One layer: relu(x W + b) ---------------------------------------------------------


def layer(device: str) -> dict[str, Rung]:
    """A layer with 256 inputs and 256 outputs, on 256 examples, in float32."""
    data = arrays()
    x, W, b = data["x"], data["W"], data["b"]
    rows, matrix, bias = x.tolist(), W.tolist(), b.tolist()
    out = np.empty((BATCH, K), "float32")
    x64, W64, b64 = (a.astype("float64") for a in (x, W, b))

    def loops() -> Any:
        outputs = []
        for row in rows:
            output = []
            for k in range(K):
                z = bias[k]
                for d in range(D):
                    z += row[d] * matrix[d][k]
                output.append(z if z > 0 else 0.0)
            outputs.append(output)
        return outputs

    def planned() -> Any:
        np.matmul(x, W, out=out)
        np.add(out, b, out=out)
        return np.maximum(out, 0, out=out)

    def relu_layer(x: Any, W: Any, b: Any) -> Any:
        return torch.relu(torch.addmm(b, x, W))

    here = [torch.from_numpy(a) for a in (x, W, b)]
    compiled = torch.compile(relu_layer)
    rungs = {
        "Python loops": Rung(loops),
        "NumPy, no matrix product": Rung(
            lambda: np.maximum((x[:, :, None] * W).sum(1) + b, 0)
        ),
        "NumPy, float64": Rung(lambda: np.maximum(x64 @ W64 + b64, 0)),
        "NumPy": Rung(lambda: np.maximum(x @ W + b, 0)),
        "NumPy, in place": Rung(planned),
        "PyTorch": Rung(lambda: relu_layer(*here)),
        "PyTorch, compiled": Rung(lambda: compiled(*here)),
    }
    if device == "cuda":
        there = [a.cuda() for a in here]
        half = [a.bfloat16() for a in there]
        on_gpu = torch.compile(relu_layer)

        def tf32() -> Any:
            torch.backends.cuda.matmul.allow_tf32 = True
            found = relu_layer(*there)
            torch.backends.cuda.matmul.allow_tf32 = False
            return found

        rungs["PyTorch, GPU"] = Rung(lambda: relu_layer(*there))
        rungs["PyTorch, GPU, TF32"] = Rung(tf32)
        rungs["PyTorch, GPU, bfloat16"] = Rung(lambda: relu_layer(*half))
        rungs["PyTorch, GPU, compiled"] = Rung(lambda: on_gpu(*there))
    return rungs


# --- One step of Adam -----------------------------------------------------------------


def formula(w: Any, g: Any, m: Any, v: Any) -> Any:
    """The step as the slide writes it, the first one: t = 1."""
    m = B1 * m + (1 - B1) * g
    v = B2 * v + (1 - B2) * g**2
    return w - LR * (m / (1 - B1)) / ((v / (1 - B2)) ** 0.5 + EPS), m, v


def adam(device: str) -> dict[str, Rung]:
    """An Adam step on 4 194 304 weights, in float32."""
    data = arrays()
    w, g = data["w"], data["g"]
    m, v = np.zeros_like(w), np.zeros_like(w)
    lists = [a[:FEW].tolist() for a in (w, g, m, v)]
    outs = [np.empty_like(w) for _ in range(3)]
    scratch = np.empty_like(w)

    def loops() -> Any:
        new = []
        for w, g, m, v in zip(*lists, strict=True):
            m = B1 * m + (1 - B1) * g
            v = B2 * v + (1 - B2) * g**2
            update = LR * (m / (1 - B1)) / ((v / (1 - B2)) ** 0.5 + EPS)
            new.append((w - update, m, v))
        return [a[0] for a in new]

    def stepped(part: slice) -> None:
        new_w, new_m, new_v = (a[part] for a in outs)
        free, slope = scratch[part], g[part]
        np.multiply(m[part], B1, out=new_m)
        np.multiply(slope, 1 - B1, out=free)
        np.add(new_m, free, out=new_m)
        np.multiply(slope, slope, out=free)
        np.multiply(free, 1 - B2, out=free)
        np.multiply(v[part], B2, out=new_v)
        np.add(new_v, free, out=new_v)
        np.multiply(new_v, 1 / (1 - B2), out=free)
        np.sqrt(free, out=free)
        np.add(free, EPS, out=free)
        np.divide(new_m, free, out=free)
        np.multiply(free, LR / (1 - B1), out=free)
        np.subtract(w[part], free, out=new_w)

    def in_place() -> Any:
        stepped(slice(None))
        return outs[0]

    def in_blocks() -> Any:
        for start in range(0, WEIGHTS, BLOCK):
            stepped(slice(start, start + BLOCK))
        return outs[0]

    here = [torch.from_numpy(a) for a in (w, g, m, v)]
    compiled = torch.compile(formula)
    rungs = {
        "Python loops": Rung(loops, FEW / WEIGHTS),
        "NumPy": Rung(lambda: formula(w, g, m, v)[0]),
        "NumPy, in place": Rung(in_place),
        "NumPy, in blocks": Rung(in_blocks),
        "PyTorch": Rung(lambda: formula(*here)[0]),
        "PyTorch, compiled": Rung(lambda: compiled(*here)[0]),
    }
    if device == "cuda":
        there = [a.cuda() for a in here]
        on_gpu = torch.compile(formula)
        rungs["PyTorch, GPU"] = Rung(lambda: formula(*there)[0])
        rungs["PyTorch, GPU, compiled"] = Rung(lambda: on_gpu(*there)[0])
    return rungs


# --- What the machine can do ----------------------------------------------------------


def ceilings() -> dict[str, tuple[Rung, float]]:
    """A large product, a copy and an addition in place, with what each does."""
    a, b, out = (np.ones((1024, 1024), "float32") for _ in range(3))
    a64, b64, out64 = (np.ones((1024, 1024)) for _ in range(3))
    source, target = (np.ones(2**26, "float32") for _ in range(2))
    flops, moved = 2 * 1024**3 / 1e9, 2 * 4 * 2**26 / 1e9
    return {
        "gflops": (Rung(lambda: np.matmul(a, b, out=out)), flops),
        "gflops, float64": (Rung(lambda: np.matmul(a64, b64, out=out64)), flops),
        "copy": (Rung(lambda: np.copyto(target, source)), moved),
        "in_place": (Rung(lambda: np.add(target, 1, out=target)), moved),
    }


def race(
    rungs: dict[str, Rung], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Time all in turn; return the microseconds of the whole work, by round."""
    runners = {name: Runner(rung.run, rung.share) for name, rung in rungs.items()}
    for runner in runners.values():
        runner.run()  # compiles what is compiled
    return interleaved(runners, rounds=rounds, slice_=SLICE, clock=clock)


def error(rung: Rung, truth: Any) -> float:
    """How far off a rung is, against the size of the truth."""
    found = rung.run()
    if isinstance(found, torch.Tensor):
        found = found.float().cpu().numpy()
    found = np.asarray(found, "float64")
    truth = truth[: len(found)]
    return float(f"{np.linalg.norm(found - truth) / np.linalg.norm(truth):.3g}")


def truths() -> dict[str, Any]:
    """Compute what is right, in float64."""
    x, W, b, w, g = (a.astype("float64") for a in arrays().values())
    return {"layer": np.maximum(x @ W + b, 0), "adam": formula(w, g, 0 * w, 0 * w)[0]}


def main() -> None:
    """Measure, and keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    on_gpu = args.device == "cuda"
    clock = after_all_work if on_gpu else time.process_time
    out: dict[str, Any] = {}
    works = {
        "layer": (layer, 2 * BATCH * D * K, 4 * (BATCH * D + (D + 1) * K + BATCH * K)),
        "adam": (adam, 14 * WEIGHTS, 28 * WEIGHTS),
    }
    right = truths()
    with threadpool_limits(1):
        top = ceilings()
        times = race({name: rung for name, (rung, _) in top.items()}, 5, clock)
        out["ceilings"] = {
            name: round(amount / min(times[name]) * 1e6, 1)
            for name, (_, amount) in top.items()
        }
        print(out["ceilings"], flush=True)  # noqa: T201
        for name, (make, flops, moved) in works.items():
            rungs = make(args.device)
            errors = {who: error(rung, right[name]) for who, rung in rungs.items()}
            times = race(rungs, args.rounds, clock)
            first = np.array(times["Python loops"])
            out[name] = {"title": make.__doc__, "flops": flops, "bytes": moved}
            out[name]["rungs"] = [
                {
                    "name": who,
                    "us": us,
                    "ratio": float(f"{np.median(first / us):.3g}"),
                    "error": errors[who],
                }
                for who, us in times.items()
            ]
            for rung in out[name]["rungs"]:
                print(name, rung["name"], min(rung["us"]), rung["ratio"], flush=True)  # noqa: T201
    device = torch.cuda.get_device_name() if on_gpu else "cpu"
    name = "ladder-cuda" if on_gpu else "ladder"
    keep(name, machine("numpy", "torch", device=device), **out)


if __name__ == "__main__":
    main()
