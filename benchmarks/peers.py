"""Training steps, as the users of each library would write them.

Every function takes a `Task` and returns a `Runner` whose run is an epoch: for each
batch loss, gradient and a step of Adam. All start from the same weights. A library that
is not installed is an absent contestant.
"""

import importlib
import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import chalkgrad.numpy
from benchmarks.harness import AbsentError, Runner

LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8


class Task(NamedTuple):
    """What to train, on what."""

    sizes: tuple[int, ...]
    activation: str
    loss: str
    """"cross_entropy" or "binary_cross_entropy"."""
    x: Any
    """Batches, shape (k, b, d), float32."""
    y: Any
    """Their labels: (k, b) class ids, or (k, b, 1) floats 0 and 1."""
    w: Any
    """The weights to start from, float32."""

    @property
    def net(self) -> Any:
        """Our description of the network."""
        return chalkgrad.numpy.network(self.sizes, activation=self.activation)

    @property
    def layers(self) -> list[tuple[Any, Any]]:
        """A matrix and a bias for each layer, as most libraries keep them."""
        return [(W.copy(), b.copy()) for W, b in self.net.layers(self.w)]


def needs(library: str) -> Any:
    """Import a library, or say that it is not here."""
    name = library.partition(".")[0]
    if importlib.util.find_spec(name) is None:
        raise AbsentError(f"{name} is not installed")
    return importlib.import_module(library)


def mean(losses: Any) -> float:
    """Average the losses of an epoch, of any library's numbers."""
    return float(np.mean([float(loss) for loss in losses]))


def epochs(task: Task, step: Callable[[Any, Any], Any], to: Any = np.asarray) -> Runner:
    """Make a run of an epoch of steps; `to` makes the library's arrays."""
    batches = [(to(x), to(y)) for x, y in zip(task.x, task.y, strict=True)]

    def run() -> list[Any]:
        return [step(x, y) for x, y in batches]

    return Runner(run, len(batches), mean)


# --- Ours -----------------------------------------------------------------------------


def plan(task: Task, backend: str = "numpy", device: str = "cpu", **how: Any) -> Runner:
    """Our step with everything allocated once."""
    cg = needs(f"chalkgrad.{backend}")
    net = cg.network(task.sizes, activation=task.activation)
    step = net.plan(
        cg.array(task.w, device=device),
        loss=getattr(cg.losses, task.loss),
        optimizer=cg.optimizers.adam(LR),
        batch_size=task.x.shape[1],
        **how,
    )
    return epochs(task, step, partial(cg.array, device=device))


def reference(task: Task, backend: str = "numpy", device: str = "cpu") -> Runner:
    """Our functions, which read like the slide."""
    cg = needs(f"chalkgrad.{backend}")
    net = cg.network(task.sizes, activation=task.activation)
    loss, opt = getattr(cg.losses, task.loss), cg.optimizers.adam(LR)
    w = cg.array(task.w, device=device)
    state = opt.init(w)

    def step(x: Any, y: Any) -> Any:
        nonlocal w, state
        value, grad = net.loss_and_grad(w, x, y, loss)
        w, state = opt.step(w, grad, state)
        return value

    return epochs(task, step, partial(cg.array, device=device))


# --- scikit-learn ---------------------------------------------------------------------


def sklearn(task: Task) -> Runner:
    """MLPClassifier, an epoch a call, in the given order."""
    net = needs("sklearn.neural_network").MLPClassifier(
        task.sizes[1:-1],
        activation=task.activation,
        batch_size=task.x.shape[1],
        learning_rate_init=LR,
        # It does not correct v for its start at 0 before it adds epsilon: in the first
        # steps a smaller one has the effect of ours.
        epsilon=EPS / 25,
        alpha=0.0,
        shuffle=False,
    )
    x = task.x.reshape(-1, task.sizes[0])
    y = task.y.reshape(-1).astype(int)
    net.partial_fit(x, y, classes=np.unique(y))  # makes the weights, which we replace
    for k, (W, b) in enumerate(task.layers):
        net.coefs_[k][...], net.intercepts_[k][...] = W, b
    rule = net._optimizer
    rule.t = 0
    for moment in (*rule.ms, *rule.vs):
        moment[...] = 0

    def run() -> list[float]:
        net.partial_fit(x, y)
        return [net.loss_]

    return Runner(run, len(task.x), mean)


# --- PyTorch --------------------------------------------------------------------------


def torch_model(task: Task, device: str) -> tuple[Any, Any]:
    """Return a module with the weights of a task, and its loss."""
    torch = needs("torch")
    activation = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[task.activation]
    modules = []
    for W, b in task.layers:
        linear = torch.nn.Linear(*W.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(W.T))
            linear.bias.copy_(torch.tensor(b))
        modules += [linear, activation()]
    functional = torch.nn.functional
    loss = {
        "cross_entropy": functional.cross_entropy,
        "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
    }[task.loss]
    return torch.nn.Sequential(*modules[:-1]).to(device), loss


def torch_eager(task: Task, device: str = "cpu", **how: bool) -> Runner:
    """Modules, autograd and torch.optim, as in every tutorial."""
    torch = needs("torch")
    net, loss = torch_model(task, device)
    opt = torch.optim.Adam(net.parameters(), lr=LR, **how)

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        value = loss(net(x), y)
        value.backward()
        opt.step()
        return value.detach()

    return epochs(task, step, partial(torch.tensor, device=device))


def torch_compiled(
    task: Task, device: str = "cpu", *, mode: str | None = None, bf16: bool = False
) -> Runner:
    """The whole step compiled: forward and backward, and the optimizer."""
    torch = needs("torch")
    net, loss = torch_model(task, device)
    opt = torch.optim.Adam(net.parameters(), lr=torch.tensor(LR, device=device))
    # The limit on recompilations is shared by all that compile in a process.
    torch.compiler.reset()

    def height(x: Any, y: Any) -> Any:
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            return loss(net(x), y)

    forward = torch.compile(height, mode=mode)
    advance = torch.compile(opt.step)

    def step(x: Any, y: Any) -> Any:
        value = forward(x, y)
        value.backward()
        advance()
        opt.zero_grad()
        return value.detach().clone()  # with CUDA graphs the next step writes over it

    return epochs(task, step, partial(torch.tensor, device=device))


# --- JAX ------------------------------------------------------------------------------


def jax_loss(task: Task) -> Callable[[Any, Any, Any], Any]:
    """Return the mean loss, a function of the layers."""
    jax, optax = needs("jax"), needs("optax")
    activate = {"relu": jax.nn.relu, "tanh": jax.numpy.tanh}[task.activation]

    def loss(layers: Any, x: Any, y: Any) -> Any:
        *hidden, (W, b) = layers
        for V, c in hidden:
            x = activate(x @ V + c)
        z = x @ W + b
        if task.loss == "cross_entropy":
            each = optax.softmax_cross_entropy_with_integer_labels(z, y)
        else:  # written out, and without the axis of length 1: XLA is quicker so
            z, y = z[:, 0], y[:, 0]
            log1p = jax.numpy.log1p(jax.numpy.exp(-abs(z)))
            each = jax.numpy.maximum(z, 0) - z * y + log1p
        return each.mean()

    return loss


def _jax_step(task: Task) -> tuple[Any, Any]:
    jax, optax = needs("jax"), needs("optax")
    slope, opt = jax.value_and_grad(jax_loss(task)), optax.adam(LR)

    def step(carry: Any, batch: Any) -> Any:
        layers, state = carry
        value, grad = slope(layers, *batch)
        updates, state = opt.update(grad, state)
        return (optax.apply_updates(layers, updates), state), value

    layers = jax.tree.map(jax.numpy.asarray, task.layers)
    return step, (layers, opt.init(layers))


def jax_step(task: Task) -> Runner:
    """A jitted step, which may write over what it is given."""
    step, carry = _jax_step(task)
    jax = needs("jax")
    jitted = jax.jit(step, donate_argnums=0)

    def one(x: Any, y: Any) -> Any:
        nonlocal carry
        carry, value = jitted(carry, (x, y))
        return value

    runner = epochs(task, one, jax.numpy.asarray)

    def run() -> list[Any]:
        losses = runner.run()
        losses[-1].block_until_ready()  # calls return before the work is done
        return losses

    return runner._replace(run=run)


def jax_epoch(task: Task) -> Runner:
    """A jitted epoch, which does not return to Python between steps."""
    step, carry = _jax_step(task)
    jax = needs("jax")
    batches = jax.numpy.asarray(task.x), jax.numpy.asarray(task.y)
    epoch = jax.jit(lambda carry, b: jax.lax.scan(step, carry, b), donate_argnums=0)

    def run() -> Any:
        nonlocal carry
        carry, losses = epoch(carry, batches)
        return losses.block_until_ready()

    return Runner(run, len(task.x), mean)


# --- Tapes ----------------------------------------------------------------------------


class Adam:
    """Adam over a list of arrays, for libraries that bring none."""

    def __init__(self, weights: list[Any]) -> None:
        self.weights, self.t = weights, 0
        self.m = [np.zeros_like(w) for w in weights]
        self.v = [np.zeros_like(w) for w in weights]

    def step(self, grads: list[Any]) -> None:
        """Step, in place."""
        self.t += 1
        scale = LR * (1 - BETA2**self.t) ** 0.5 / (1 - BETA1**self.t)
        eps = EPS * (1 - BETA2**self.t) ** 0.5
        for w, g, m, v in zip(self.weights, grads, self.m, self.v, strict=True):
            m *= BETA1
            m += (1 - BETA1) * g
            v *= BETA2
            v += (1 - BETA2) * g**2
            w -= scale * m / (np.sqrt(v) + eps)


def autograd(task: Task) -> Runner:
    """HIPS autograd, over plain NumPy."""
    value_and_grad = needs("autograd").value_and_grad
    np_ = needs("autograd.numpy")
    weights = [a for layer in task.layers for a in layer]
    opt = Adam(weights)
    activate = {"relu": lambda z: np_.maximum(z, 0), "tanh": np_.tanh}[task.activation]

    def loss(weights: Any, x: Any, y: Any) -> Any:
        for W, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            x = activate(np_.dot(x, W) + b)
        z = np_.dot(x, weights[-2]) + weights[-1]
        if task.loss == "cross_entropy":
            top = z.max(axis=1, keepdims=True)
            log_sum = np_.log(np_.sum(np_.exp(z - top), axis=1)) + top[:, 0]
            return np_.mean(log_sum - z[np.arange(len(y)), y])
        return np_.mean(np_.maximum(z, 0) - z * y + np_.log1p(np_.exp(-np_.abs(z))))

    slope = value_and_grad(loss)

    def step(x: Any, y: Any) -> Any:
        value, grads = slope(weights, x, y)
        opt.step(grads)
        return value

    return epochs(task, step)


def mygrad(task: Task) -> Runner:
    """MyGrad, whose tensors wrap NumPy arrays."""
    mg = needs("mygrad")
    nnet = needs("mygrad.nnet")
    weights = [mg.tensor(a) for layer in task.layers for a in layer]
    opt = Adam([w.data for w in weights])
    activate = {"relu": nnet.activations.relu, "tanh": mg.tanh}[task.activation]

    def step(x: Any, y: Any) -> Any:
        for W, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            x = activate(mg.matmul(x, W) + b)
        z = mg.matmul(x, weights[-2]) + weights[-1]
        if task.loss == "cross_entropy":
            loss = nnet.losses.softmax_crossentropy(z, y)
        else:
            loss = (mg.maximum(z, 0) - z * y + mg.log1p(mg.exp(-mg.abs(z)))).mean()
        loss.backward()
        opt.step([w.grad for w in weights])
        return loss.data

    return epochs(task, step)
