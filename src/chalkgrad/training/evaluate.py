"""How well a network does: its loss, accuracy, confusion and predictions."""

from typing import Any, TypeAlias

import numpy as np

from chalkgrad._core import check
from chalkgrad._core.backend import convert_frame, from_numpy, to_numpy
from chalkgrad._core.rows import count_rows, iter_chunks
from chalkgrad._core.types import (
    AnyArray,
    ArrayOrFrame,
    ArrayT,
    Loss,
    Model,
)
from chalkgrad.activations._numpy import sigmoid, softmax
from chalkgrad.training._processes import SingleProcess
from chalkgrad.training._step import finite_loss_and_grad, has_classes

__all__ = ["accuracy", "confusion", "evaluate", "predict", "probabilities"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def accuracy(
    net: Model, w: AnyArray, x: ArrayOrFrame, labels: ArrayOrFrame
) -> float | Array:
    r"""Share of the examples whose class the network names.

    It names the class with the largest output; with one output, class 1 where that is
    above 0.

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (size,) or (m, size)
        Its weights.
    x : Array of shape (n, d)
        The examples.
    labels : Array of int, of shape (n,)
        Their classes. With one output: 0 or 1, or -1 or 1, and shape (n, 1) will do.

    Returns
    -------
    float, or numpy.ndarray of shape (m,)
        From 0 to 1.

    Raises
    ------
    TypeError
        If `labels` is not an array of integers.
    IndexError
        If a label is not one of the network's classes.
    ShapeError, ValueError
        If `labels` does not have one class for each row of `x`, or if an output is nan;
        also as `net.forward`.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.separable(100)
    >>> net = cg.network([2, 1])
    >>> cg.training.accuracy(net, cg.array([0.6, 0.8, -0.2]), x, labels)
    1.0
    """
    named, classes, _ = _named_and_true("accuracy", net, w, x, labels)
    share = (named == classes).mean(axis=-1)
    return float(share) if share.ndim == 0 else share


def confusion(net: Model, w: AnyArray, x: ArrayOrFrame, labels: ArrayOrFrame) -> Array:
    r"""Count who is taken for whom: row $i$, column $j$ is "class $i$, named $j$".

    What is on the diagonal is right.

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (size,)
        Its weights.
    x : Array of shape (n, d)
        The examples.
    labels : Array of int, of shape (n,)
        Their classes, as in `accuracy`.

    Returns
    -------
    numpy.ndarray of int, shape (c, c)
        How many examples; a network with one output has two classes.

    Raises
    ------
    TypeError, IndexError, ShapeError, ValueError
        As `accuracy`; also if `w` is more than one network.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> x, labels = cg.data.separable(100)
    >>> net = cg.network([2, 1])
    >>> cg.training.confusion(net, cg.array([0.6, 0.8, -0.2]), x, labels)
    array([[50,  0],
           [ 0, 50]])
    """
    check.one_network("confusion", w)
    named, classes, count = _named_and_true("confusion", net, w, x, labels)
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (classes, named), 1)
    return table


def predict(net: Model, w: ArrayT, x: ArrayOrFrame) -> ArrayT:
    r"""Name the class of each example: the one with the largest output.

    With one output it is class 1 where that is above 0, and class 0 elsewhere.

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (size,) or (m, size)
        Its weights.
    x : Array of shape (n, d), or LazyRows
        The examples.

    Returns
    -------
    Array of int, of shape (n,) or (m, n)
        The classes, from 0. ``classes[k]`` is the name of class k if the labels were
        numbered by `cg.data.encode_labels`.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `net.forward`; also if an output is nan.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> net = cg.network([2, 1])
    >>> x = cg.array([[1.0, 1.0], [-1.0, -1.0]])
    >>> cg.training.predict(net, cg.array([0.6, 0.8, -0.2]), x)
    array([1, 0])
    """
    return from_numpy(_classes(_outputs("predict", net, w, x)), w)


def probabilities(net: Model, w: ArrayT, x: ArrayOrFrame) -> ArrayT:
    r"""Return how probable each class is, to a network trained with cross-entropy.

    They are the softmax of the outputs; with one output $z$, they are
    $1 - \sigma(z)$ and $\sigma(z)$. After training with another loss, they are numbers
    from 0 to 1 that mean no probability.

    Parameters
    ----------
    net : Network
        The network.
    w : Array of shape (size,) or (m, size)
        Its weights.
    x : Array of shape (n, d), or LazyRows
        The examples.

    Returns
    -------
    Array of shape (n, c) or (m, n, c)
        A row sums to 1; a network with one output has two classes. The largest is that
        of the class that `predict` names.

    Raises
    ------
    TypeError, ShapeError, ValueError
        As `predict`; also if an output is infinite.

    Examples
    --------
    >>> import chalkgrad.numpy as cg
    >>> net = cg.network([2, 1])
    >>> x = cg.array([[1.0, 1.0], [-1.0, -1.0]])
    >>> cg.training.probabilities(net, cg.array([0.6, 0.8, -0.2]), x).round(3)
    array([[0.231, 0.769],
           [0.832, 0.168]])
    """
    outputs = _outputs("probabilities", net, w, x)
    if np.isinf(outputs).any():
        raise ValueError(
            "probabilities: an output of the network is infinite; look at `w` and `x`."
        )
    if outputs.shape[-1] > 1:
        return from_numpy(softmax(outputs), w)
    both = np.concatenate([sigmoid(-outputs), sigmoid(outputs)], axis=-1)
    return from_numpy(both, w)


def evaluate(
    net: Model,
    w: Any,
    validation: tuple[Any, Any] | None,
    loss: Loss,
    processes: SingleProcess,
) -> tuple[Any, Any]:
    """Return the loss and, of classes, the accuracy on `validation`."""
    if validation is None:
        return None, None
    n, shape = len(validation[0]), w.shape[:-1]

    def value() -> Array:
        mean = np.zeros(shape)
        for _, xs, ys in iter_chunks(*validation):
            mean += to_numpy(finite_loss_and_grad(net, w, xs, ys, loss)[0]) * (
                len(xs) / n
            )
        return mean

    def right() -> Array:
        return np.asarray(accuracy(net, w, *validation))

    judged = processes.weighted_all_reduce_mean(value, n, shape)
    if not has_classes(validation[1]):
        return judged, None
    return judged, processes.weighted_all_reduce_mean(right, n, shape)


def _named_and_true(
    where: str, net: Model, w: Any, x: Any, labels: Any
) -> tuple[Array, Array, int]:
    """Return the classes that the network names, the true ones, how many there are."""
    check.model(where, net)
    x = convert_frame(where, "x", x, w)
    labels = convert_frame(where, "labels", labels, w)
    n = count_rows(where, x=x, labels=labels)
    check.class_ids(where, labels, (n,))
    outputs, true = _outputs(where, net, w, x), to_numpy(labels)
    named, count, low = _classes(outputs), outputs.shape[-1], 0
    if count == 1:
        count, low = 2, -1
        true = true[:, 0] if true.shape == (n, 1) else true
    if true.shape != (n,):
        raise check.ShapeError(
            f"{where}: `labels` must be one class for each row of `x`, shape ({n},), "
            f"got {true.shape}."
        )
    wanted = f"class ids go from 0 to {count - 1}, for the network has {count} classes"
    good = (true >= low) & (true < count)
    check.values(where, "labels", true, good, wanted, IndexError)
    return named, np.maximum(true, 0), count


def _outputs(where: str, net: Model, w: Any, x: Any) -> Array:
    """Return the outputs for all rows, computed a portion at a time."""
    check.model(where, net)
    x = convert_frame(where, "x", x, w)
    count_rows(where, x=x)
    parts = [to_numpy(net.forward(w, xs)) for _, xs, _ in iter_chunks(x, range(len(x)))]
    outputs = np.concatenate(parts, axis=-2)
    if np.isnan(outputs).any():
        raise ValueError(
            f"{where}: an output of the network is nan, which names no class; look at "
            "`w` and `x`."
        )
    return outputs


def _classes(outputs: Array) -> Array:
    """Return the class of each row of outputs."""
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > 0).astype(np.int64)
    named: Array = outputs.argmax(axis=-1)
    return named
