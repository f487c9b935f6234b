"""Networks, NumPy backend: the reference.

The weights of a network are one vector `w`. A layer with d inputs and k outputs owns
d * k numbers for its matrix W, row by row, and k numbers for its bias b. `layers` reads
them as views, so what is written into a layer is written into `w`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from chalkgrad._core import check
from chalkgrad._core._numpy import Array, Fused, Primitive, TracedArray, array, arrays
from chalkgrad._core.made import Call
from chalkgrad._core.names import ELEMENTWISE
from chalkgrad._core.types import Optimizer
from chalkgrad.activations import _numpy as activations
from chalkgrad.autodiff._numpy import vjp
from chalkgrad.losses import _numpy as losses
from chalkgrad.losses._loss import as_loss
from chalkgrad.network._plan_numpy import Plan

__all__ = ["Network", "network"]

SCHEMES = ("he", "xavier", "normal", "zeros", "orthogonal")


def network(
    sizes: Sequence[int], *, activation: str = "relu", skip: bool = False
) -> "Network":
    r"""Describe a network of layers $h_{l+1} = \sigma(h_l W_l + b_l)$.

    The last layer has no $\sigma$.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden units, outputs: ``[2, 16, 1]``. ``[2, 1]`` is one neuron.
    activation : str
        One of "identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu", "softplus":
        $\sigma$ of the hidden layers.
    skip : bool
        Add to each hidden layer its own input, where both have one size.

    Returns
    -------
    Network
        Immutable; it holds no weights.

    Raises
    ------
    TypeError
        If a size is not a whole number.
    ValueError
        If there are fewer than two sizes, one is below 1, or `activation` is not known.

    References
    ----------
    [Rumelhart, Hinton and Williams (1986)][rumelhart1986].

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> net = cg.network([2, 16, 1], activation="tanh")
    >>> net.size
    65
    """
    whole = check.sizes("network", sizes)
    check.choice("network", "activation", activation, ELEMENTWISE)
    return Network(whole, activation, check.boolean("network", "skip", skip))


@dataclass(frozen=True, repr=False)
class Network:
    """A description of layers over a flat vector; made by `network`."""

    sizes: tuple[int, ...]
    activation: str
    skip: bool

    def __repr__(self) -> str:
        return repr(Call(network, vars(self)))

    @property
    def size(self) -> int:
        """Number of weights, biases among them."""
        return sum((d + 1) * k for d, k in pairwise(self.sizes))

    def init(
        self,
        rng: int | np.random.Generator | Sequence[int] | Array = 0,
        *,
        scheme: str = "he",
        dtype: str = "float64",
        device: str | None = None,
    ) -> Array:
        r"""Draw weights to start from; biases are 0.

        Of a layer with d inputs and k outputs the scheme draws W from a normal
        distribution with standard deviation

        - ``"he"``: $\sqrt{2/d}$, which keeps the variance through ReLU;
        - ``"xavier"``: $\sqrt{2/(d+k)}$, a compromise between both directions;
        - ``"normal"``: 0.01 whatever the size, the habit before those two;
        - ``"zeros"``: 0, which cannot tell hidden units apart;

        or with ``"orthogonal"`` as a random matrix with orthonormal columns or rows.

        Parameters
        ----------
        rng : int, numpy.random.Generator, sequence or array of int
            A seed. NumPy draws in both backends: the same seed gives the same weights.
            A sequence of m seeds, or an array of them, gives m networks.
        scheme : "he", "xavier", "normal", "zeros" or "orthogonal"
            How to draw.
        dtype : "float32" or "float64"
            Drawn in float64, then rounded.
        device : str, optional
            As in `cg.array`.

        Returns
        -------
        Array of shape (size,) or (m, size)
            The weights, one vector a network.

        Raises
        ------
        ValueError
            If `scheme` or `dtype` is not known.

        References
        ----------
        [He et al. (2015)][he2015]; [Glorot and Bengio (2010)][glorot2010];
        [Saxe, McClelland and Ganguli (2014)][saxe2014].

        Examples
        --------
        >>> import chalkgrad.numpy as cg
        >>> net = cg.network([2, 3, 1])
        >>> tuple(net.init(rng=0).shape), tuple(net.init(rng=range(5)).shape)
        ((13,), (5, 13))
        """
        check.choice("init", "scheme", scheme, SCHEMES)
        check.choice("init", "dtype", dtype, check.FLOATS)
        return array(draw_weights(self, rng, scheme), dtype=dtype, device=device)

    def layers(self, w: Array) -> list[tuple[Array, Array]]:
        """Read the layers of `w` as views.

        Parameters
        ----------
        w : Array of shape (..., size)
            Weights of one network, or of many.

        Returns
        -------
        list of (W, b)
            W has shape (..., d, k), b has shape (..., k).

        Raises
        ------
        TypeError
            If `w` is not a float array of this backend.
        ShapeError
            If its last axis does not have `size` numbers.

        Examples
        --------
        >>> import chalkgrad.numpy as cg
        >>> net = cg.network([2, 3, 1])
        >>> [(tuple(W.shape), tuple(b.shape)) for W, b in net.layers(net.init(rng=0))]
        [((2, 3), (3,)), ((3, 1), (1,))]
        """
        arrays.float_array("layers", "w", w, finite=False)
        check.shapes("layers", w=(w, f"... {self.size}"))
        return self._views(w)

    def _views(self, w: Array) -> list[tuple[Array, Array]]:
        views, start = [], 0
        for d, k in pairwise(self.sizes):
            end = start + d * k
            W = w[..., start:end].reshape(*w.shape[:-1], d, k)
            views.append((W, w[..., end : end + k]))
            start = end + k
        return views

    def forward(self, w: Array, x: Array) -> Array:
        """Compute the outputs.

        Parameters
        ----------
        w : Array of shape (..., size)
            Weights of one network, or of many.
        x : Array of shape (n, d) or (..., n, d)
            A row for each example. All networks see the same rows, or each its own.

        Returns
        -------
        Array of shape (..., n, k)
            The last layer's outputs: predictions, scores or logits.

        Raises
        ------
        TypeError
            If an argument is not a float array of this backend, or the dtypes differ.
        ShapeError
            If `w` or `x` does not fit the network.

        Examples
        --------
        >>> import chalkgrad.numpy as cg
        >>> net = cg.network([2, 1])
        >>> net.forward(cg.array([1.0, 2.0, 0.5]), cg.array([[1.0, 1.0], [0.0, 0.0]]))
        array([[3.5],
               [0.5]])
        """
        out: Array = outputs(self, w, x)
        return out

    @np.errstate(over="ignore", invalid="ignore")  # inf and nan tell it
    def loss_and_grad(
        self,
        w: Array,
        x: Array,
        y: Array,
        loss: Callable[..., Any],
        *,
        weights: Array | None = None,
    ) -> tuple[Array, Array]:
        r"""Compute the mean loss over the rows, and its gradient by backpropagation.

        Forward, every layer keeps its input $h_l$ and $z_l = h_l W_l + b_l$. Backward,
        with $\delta_l = \partial L/\partial z_l$:
        $\partial L/\partial W_l = h_l^T \delta_l$, $\partial L/\partial b_l$ is the sum
        of the rows of $\delta_l$, and
        $\delta_{l-1} = \delta_l W_l^T \odot \sigma'(z_{l-1})$.

        Parameters
        ----------
        w : Array of shape (..., size)
            Weights of one network, or of many.
        x : Array of shape (n, d) or (..., n, d)
            A row for each example.
        y : Array of shape (n,), (n, k), or with the leading axes of `x`
            Targets or labels, as `loss` takes them.
        loss : function
            One of ``cg.losses``, a functools.partial of one, or your own, as
            ``cg.losses.loss`` takes it.
        weights : Array of shape (n,), or with the leading axes of `x`, optional
            What each row counts, as the loss takes it.

        Returns
        -------
        loss : Array of shape (...)
            The mean loss of each network.
        grad : Array of shape (..., size)
            Its gradient, in the order of `w`.

        Raises
        ------
        TypeError, ShapeError, ValueError, IndexError
            As `forward`, `loss` and ``cg.losses.loss``.

        References
        ----------
        [Rumelhart, Hinton and Williams (1986)][rumelhart1986].

        Examples
        --------
        >>> import chalkgrad.numpy as cg
        >>> net = cg.network([1, 1])
        >>> x, y = cg.array([[1.0], [2.0]]), cg.array([[2.0], [4.0]])
        >>> net.loss_and_grad(cg.array([1.0, 0.0]), x, y, cg.losses.mse)
        (np.float64(2.5), array([-5., -3.]))
        """
        f = as_loss("loss_and_grad", loss, losses.mse)
        last, steps = self._run("loss_and_grad", w, x)
        arrays.own_nonempty("loss_and_grad", "y", y)
        if weights is not None:
            arrays.own_nonempty("loss_and_grad", "weights", weights)
        networks = w.shape[:-1]
        if x.ndim == 2:
            y = np.broadcast_to(y, networks + y.shape)
            if weights is not None:
                weights = np.broadcast_to(weights, networks + weights.shape)
        try:
            value, slopes = f.mean_and_grad(last, y, weights, lead=len(networks))
        except ValueError:  # of outputs that are not finite: it may be for these
            arrays.finite("loss_and_grad", "x", x)
            arrays.finite("loss_and_grad", "w", w)
            raise
        grad, _ = self._back(w, steps, slopes)
        return value, grad

    def plan(
        self,
        w: Array,
        *,
        loss: Callable[..., Any],
        optimizer: Optimizer,
        batch_size: int,
        state: Any = None,
        precision: str = "full",
    ) -> Plan:
        r"""Plan a training step: everything it needs is allocated here, once.

        ``step = net.plan(w, ...)``, then ``step(x, y)`` takes one step and gives the
        loss before it. The sums are those of `loss_and_grad` and of the optimizer;
        they are done in another order, so they differ in the last digits.

        Parameters
        ----------
        w : Array of shape (..., size)
            Where to start; the plan steps in a copy, ``step.w``.
        loss : function
            One of ``cg.losses``, a functools.partial of one, or your own, as
            ``cg.losses.loss`` takes it.
        optimizer : Optimizer
            The rule for stepping.
        batch_size : int
            The most rows that a step will see; 1 or more.
        state : optional
            ``step.state`` of an earlier plan, to go on from there.
        precision : "full", "tf32" or "bf16"
            Of the matrix products, in the PyTorch backend; NumPy knows "full" only.

        Returns
        -------
        Plan
            ``step(x, y)`` takes a step and returns the loss before it; the rows are
            `batch_size` or fewer. ``step.w`` is where it has come to, ``step.state``
            the optimizer's state. A step has two halves: ``step.gradient(x, y)``, which
            writes ``step.grad``, and ``step.update()``. If the loss or its gradient is
            not finite, ``step`` raises ValueError, and nothing has changed.

        Raises
        ------
        TypeError, ShapeError, ValueError
            If `w` is not the finite weights of such networks, `loss` not what
            ``cg.losses.loss`` takes, `batch_size` not a whole number above 0, or
            `precision` not one of this backend.

        Examples
        --------
        >>> import chalkgrad.numpy as cg
        >>> x, targets = cg.data.line(100, noise=0)  # y = 2 x + 1
        >>> net = cg.network([1, 1])
        >>> step = net.plan(
        ...     net.init(scheme="zeros"),
        ...     loss=cg.losses.mse,
        ...     optimizer=cg.optimizers.sgd(0.1),
        ...     batch_size=100,
        ... )
        >>> losses = [step(x, targets) for _ in range(200)]
        >>> step.w
        array([2., 1.])
        """
        check.choice("plan", "precision", precision, ("full",))
        return Plan(self, w, loss, optimizer, batch_size, state)

    def _back(
        self, w: Array, steps: list[tuple[Array, Array]], delta: Array
    ) -> tuple[Array, Callable[[], Array]]:
        """The gradient for `w`, given that for the outputs; and how to get x's."""
        grad = np.empty(w.shape, delta.dtype)
        grads, layers = self._views(grad), self._views(w)
        slope = getattr(activations, f"{self.activation}_grad")

        def before(layer: int) -> Array:
            """The gradient for the input of a layer."""
            W, _ = layers[layer]
            skips = layer < len(steps) - 1 and self._skips(layer)
            return dz @ W.mT + delta if skips else dz @ W.mT

        for layer in reversed(range(len(steps))):
            h, z = steps[layer]
            dz = delta * slope(z) if layer < len(steps) - 1 else delta
            grad_W, grad_b = grads[layer]
            grad_W[...] = h.mT @ dz
            grad_b[...] = dz.sum(-2)
            if layer > 0:
                delta = before(layer)
        return grad, lambda: before(0)

    def _run(
        self, where: str, w: Array, x: Array
    ) -> tuple[Array, list[tuple[Array, Array]]]:
        """The outputs; and of every layer its input and its pre-activation."""
        w, x = arrays.float_arrays(where, w=w, x=x)
        check.weights_match_inputs(where, w, x, self.size, self.sizes[0])
        activate = getattr(activations, self.activation)
        steps: list[tuple[Array, Array]] = []
        h, start = x, 0
        for layer, (d, k) in enumerate(pairwise(self.sizes)):
            if layer > 0:  # what the layer before gave becomes the input of this one
                h = activate(steps[-1][1]) + (h if self._skips(layer - 1) else 0)
            steps.append((h, affine(w, h, start, k)))
            start += (d + 1) * k
        return steps[-1][1], steps

    def _skips(self, layer: int) -> bool:
        return self.skip and self.sizes[layer] == self.sizes[layer + 1]


@Primitive
def outputs(net: Network, w: Array, x: Array) -> Array:
    """Compute what `Network.forward` returns."""
    return net._run("forward", w, x)[0]


def _network_rule(i: int) -> Callable[..., Any]:
    """Make the rule for the weights, i = 1, or the inputs, i = 2."""

    def rule(g: Any, steps: Any, *args: Any) -> Any:
        if isinstance(g, TracedArray):  # somebody differentiates this, too
            before, after = args[:i], args[i + 1 :]
            f = outputs.__wrapped__  # layer by layer
            _, pull_back = vjp(lambda a: f(*before, a, *after), args[i])
            return pull_back(g)
        net, w, _ = args
        for_w, for_x = net._back(w, steps, g)
        return for_w if i == 1 else for_x()

    return rule


outputs.fused_rule = Fused(
    lambda net, w, x: net._run("forward", w, x),
    [None, _network_rule(1), _network_rule(2)],
)


@Primitive
def affine(w: Array, h: Array, start: int, k: int) -> Array:
    """Compute h W + b of the layer with k outputs that begins at `start` in `w`."""
    d = h.shape[-1]
    end = start + d * k
    W = w[..., start:end].reshape(*w.shape[:-1], d, k)
    z: Array = h @ W
    z += w[..., None, end : end + k]
    return z


def _layer_weights(g: Any, _: Any, w: Any, h: Any, start: int, k: int) -> Any:
    own = (*w.shape[:-1], -1)
    before = np.zeros((*w.shape[:-1], start), w.dtype)
    matrix = (np.swapaxes(h, -1, -2) @ g).reshape(own)
    rest = w.shape[-1] - start - matrix.shape[-1] - k
    after = np.zeros((*w.shape[:-1], rest), w.dtype)
    return np.concatenate([before, matrix, np.sum(g, -2), after], -1)


def _layer_inputs(g: Any, _: Any, w: Any, h: Any, start: int, k: int) -> Any:
    d = h.shape[-1]
    W = np.reshape(w[..., start : start + d * k], (*w.shape[:-1], d, k))
    return g @ np.swapaxes(W, -1, -2)


affine.rules = [_layer_weights, _layer_inputs]


def draw_weights(net: Any, rng: Any, scheme: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Draw the weights of a network of either backend, with NumPy."""
    if getattr(rng, "shape", ()):  # an array of seeds; of one alone NumPy knows
        rng = rng.tolist()
    if isinstance(rng, Sequence) and not isinstance(rng, str | bytes) and len(rng):
        return np.stack([draw_weights(net, seed, scheme) for seed in rng])
    try:
        if rng is None or isinstance(rng, Sequence):  # NumPy would take them
            raise TypeError
        generator = np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(
            "init: `rng` must be a seed (a whole number, 0 or more), a NumPy "
            f"Generator, or a sequence of seeds, got {rng!r}."
        ) from None
    w = np.zeros(net.size)
    start = 0
    for d, k in pairwise(net.sizes):
        w[start : start + d * k] = _matrix(generator, d, k, scheme).ravel()
        start += (d + 1) * k
    return w


def _matrix(rng: np.random.Generator, d: int, k: int, scheme: str) -> Array:
    if scheme == "orthogonal":
        q, r = np.linalg.qr(rng.standard_normal((max(d, k), min(d, k))))
        q = q * np.sign(np.diag(r))  # without it, not all rotations are as likely
        return q if d >= k else q.T
    std: float = {
        "he": np.sqrt(2 / d),
        "xavier": np.sqrt(2 / (d + k)),
        "normal": 0.01,
        "zeros": 0.0,
    }[scheme]
    return rng.standard_normal((d, k)) * std
