"""The loss along a line, NumPy backend, with everything allocated once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from chalkgrad._core._numpy import Array
from chalkgrad.network._plan_numpy import ForwardBackward

__all__ = ["LineEvaluator"]


class LineEvaluator(ForwardBackward):
    """The losses at w + s d for many s, a few at a time.

    What the first layer gives is z + s z_d, so two products do for all.
    """

    def __init__(
        self,
        net: Any,
        x: Array,
        y: Array,
        loss: Callable[..., Any],
        d: Array,
        count: int,
    ) -> None:
        super().__init__(net, np.zeros((count, net.size), d.dtype), loss)
        self._lay_out(x.shape)
        np.copyto(self._rows, x)
        self._d, self._y, self._z_d = d, y, self._first(d)

    def _first(self, w: Array) -> Array:
        """What the first layer of one network gives."""
        d, k = self._net.sizes[:2]
        z: Array = w[: (d + 1) * k].reshape(d + 1, k).T @ self._layers[0].h
        return z

    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, w: Array, steps: Array) -> Array:
        """Return the loss at w + s d for each s; not finite where it has none."""
        z, count, losses = self._first(w), len(self.w), []
        first, last = self._layers[0].z, self._layers[-1].z
        for start in range(0, len(steps), count):
            s = np.zeros(count, w.dtype)  # the last few may be fewer
            some = steps[start : start + count]
            s[: len(some)] = some
            np.multiply(self._d, s[:, None], out=self.w)
            np.add(self.w, w, out=self.w)
            np.multiply(self._z_d, s[:, None, None], out=first)
            np.add(first, z, out=first)
            self._go_on()
            losses.append(self._loss(last, self._y)[: len(some)])
        return np.concatenate(losses)
