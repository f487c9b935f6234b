"""Three optimizers that somebody wrote, to be judged."""

import numpy as np


class Adam:
    """Adam, but for one thing."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m = self.v = 0.0

    def update(self, w, grad):
        """Return the new weights."""
        self.m = self.beta1 * self.m + (1 - self.beta1) * grad
        self.v = self.beta2 * self.v + (1 - self.beta2) * grad**2
        m_hat = self.m / (1 - self.beta1)
        v_hat = self.v / (1 - self.beta2)
        return w - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


def momentum(w, g, v, lr=0.1, momentum=0.9):
    """Return the new weights and the new velocity."""
    v = momentum * v + (1 - momentum) * g
    return w - lr * v, v


def adagrad(params, grads, cache, learning_rate=0.01, epsilon=1e-10):
    """Return the new weights and the new sum of squares."""
    cache = cache + grads**2
    return params - learning_rate * grads / (np.sqrt(cache) + epsilon), cache
