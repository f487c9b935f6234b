"""Optimizers in the styles that people write, and mistakes planted in them by hand.

Each style is a right implementation. A mistake is a piece of it and what stands there
instead, with the name under which the catalogue knows it; None if it knows none.
"""

STYLES = {
    # A function that is given all it keeps.
    "adam function": (
        "adam",
        """
import numpy as np
def adam(theta, grad, m, v, t, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad ** 2
    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
    theta = theta - alpha * m_hat / (np.sqrt(v_hat) + epsilon)
    return theta, m, v
subject = adam
""",
    ),
    # A class with state made at the first call.
    "adam class": (
        "adam",
        """
import numpy as np
class Adam:
    def __init__(self, learning_rate=0.001, b1=0.9, b2=0.999):
        self.learning_rate = learning_rate
        self.eps = 1e-8
        self.m = None
        self.v = None
        self.b1 = b1
        self.b2 = b2
        self.t = 0
    def update(self, w, grad_wrt_w):
        if self.m is None:
            self.m = np.zeros(np.shape(grad_wrt_w))
            self.v = np.zeros(np.shape(grad_wrt_w))
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * grad_wrt_w
        self.v = self.b2 * self.v + (1 - self.b2) * np.power(grad_wrt_w, 2)
        m_hat = self.m / (1 - self.b1 ** self.t)
        v_hat = self.v / (1 - self.b2 ** self.t)
        self.w_updt = self.learning_rate * m_hat / (np.sqrt(v_hat) + self.eps)
        return w - self.w_updt
subject = Adam
""",
    ),
    # Dicts of parameters and gradients, updated in place; the rate is corrected.
    "adam dicts": (
        "adam",
        """
import numpy as np
class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999):
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.iter = 0
        self.m = None
        self.v = None
    def update(self, params, grads):
        if self.m is None:
            self.m, self.v = {}, {}
            for key, val in params.items():
                self.m[key] = np.zeros_like(val)
                self.v[key] = np.zeros_like(val)
        self.iter += 1
        fix1 = 1.0 - self.beta1 ** self.iter
        fix2 = 1.0 - self.beta2 ** self.iter
        for key in params.keys():
            self.m[key] += (1 - self.beta1) * (grads[key] - self.m[key])
            self.v[key] += (1 - self.beta2) * (grads[key] ** 2 - self.v[key])
            root = np.sqrt(self.v[key] / fix2)
            params[key] -= self.lr * self.m[key] / fix1 / (root + 1e-7)
subject = Adam
""",
    ),
    # Lists of arrays that the constructor is given.
    "adam lists": (
        "adam",
        """
import numpy as np
class Adam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params = list(params)
        self.lr, self.betas, self.eps = lr, betas, eps
        self.m = [np.zeros_like(p) for p in self.params]
        self.v = [np.zeros_like(p) for p in self.params]
        self.steps = 0
    def step(self, grads):
        self.steps += 1
        b1, b2 = self.betas
        for p, g, m, v in zip(self.params, grads, self.m, self.v):
            m *= b1
            m += (1 - b1) * g
            v *= b2
            v += (1 - b2) * g * g
            p -= self.lr * (m / (1 - b1 ** self.steps)) / (
                np.sqrt(v / (1 - b2 ** self.steps)) + self.eps)
subject = Adam
""",
    ),
    # A closure.
    "adam closure": (
        "adam",
        """
import math
def make_adam(lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v, t = 0.0, 0.0, 0
    def step(x, dx):
        nonlocal m, v, t
        t = t + 1
        m = beta1 * m + (1.0 - beta1) * dx
        v = beta2 * v + (1.0 - beta2) * dx * dx
        rate = lr * math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t)
        return x - rate * m / (v ** 0.5 + eps * math.sqrt(1 - beta2 ** t))
    return step
subject = make_adam
""",
    ),
    # A state in a dict, given as None at first.
    "adam state": (
        "adam",
        """
import numpy as np
def step(w, g, state=None, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    if not state:
        state = {"m": np.zeros_like(w), "v": np.zeros_like(w), "t": 0}
    t = state["t"] + 1
    m = beta1 * state["m"] + (1 - beta1) * g
    v = beta2 * state["v"] + (1 - beta2) * np.square(g)
    upd = (m / (1 - beta1 ** t)) / (np.sqrt(v / (1 - beta2 ** t)) + eps)
    return w - lr * upd, {"m": m, "v": v, "t": t}
subject = step
""",
    ),
    "sgd function": (
        "sgd",
        """
def sgd(params, grads, velocity, lr=0.01, momentum=0.9, weight_decay=0.0):
    grads = grads + weight_decay * params
    velocity = momentum * velocity + grads
    return params - lr * velocity, velocity
subject = sgd
""",
    ),
    "sgd class": (
        "sgd",
        """
import numpy as np
class Momentum:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr = lr
        self.momentum = momentum
        self.v = None
    def update(self, params, grads):
        if self.v is None:
            self.v = {}
            for key, val in params.items():
                self.v[key] = np.zeros_like(val)
        for key in params.keys():
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key]
subject = Momentum
""",
    ),
    "nesterov": (
        "sgd",
        """
class SGD:
    velocity = None
    def __init__(self, learning_rate, mu=0.9, nesterov=False):
        self.lr, self.mu, self.nesterov = learning_rate, mu, nesterov
    def __call__(self, weights, gradient):
        old = 0 if self.velocity is None else self.velocity
        self.velocity = self.mu * old + gradient
        if self.nesterov:
            return weights - self.lr * (gradient + self.mu * self.velocity)
        return weights - self.lr * self.velocity
subject = SGD
""",
    ),
    "rmsprop function": (
        "rmsprop",
        """
import numpy as np
def rmsprop(w, dw, cache, learning_rate=0.01, decay_rate=0.99, eps=1e-8):
    cache = decay_rate * cache + (1 - decay_rate) * dw ** 2
    w = w - learning_rate * dw / (np.sqrt(cache) + eps)
    return w, cache
subject = rmsprop
""",
    ),
    "rmsprop config": (
        "rmsprop",
        """
import numpy as np
def rmsprop(w, dw, config=None):
    config.setdefault('learning_rate', 1e-2)
    config.setdefault('decay_rate', 0.99)
    config.setdefault('epsilon', 1e-8)
    config.setdefault('cache', np.zeros_like(w))
    cache = config['cache'] * config['decay_rate'] + (1 - config['decay_rate']) * dw**2
    next_w = w - config['learning_rate'] * dw / (np.sqrt(cache) + config['epsilon'])
    config['cache'] = cache
    return next_w, config
subject = rmsprop
""",
    ),
    "adagrad class": (
        "adagrad",
        """
import numpy as np
class AdaGrad:
    def __init__(self, lr=0.01, eps=1e-10):
        self.lr, self.eps, self.h = lr, eps, {}
    def apply_gradients(self, grads_and_vars):
        for i, (g, w) in enumerate(grads_and_vars):
            self.h[i] = self.h.get(i, 0.0) + g * g
            w -= self.lr * g / (np.sqrt(self.h[i]) + self.eps)
subject = AdaGrad
""",
    ),
    "adagrad numbers": (
        "adagrad",
        """
def adagrad(x, g, s, lr=0.01, eps=1e-10):
    for i in range(len(x)):
        s[i] = s[i] + g[i] ** 2
        x[i] = x[i] - lr * g[i] / (s[i] ** 0.5 + eps)
    return x, s
subject = adagrad
""",
    ),
    "adamw function": (
        "adamw",
        """
import numpy as np
def adamw(w, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, wd=1e-2):
    w = w - lr * wd * w
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    w = w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w, m, v
subject = adamw
""",
    ),
    "adadelta": (
        "adadelta",
        """
import numpy as np
def adadelta(w, g, Eg, Ed, lr=1.0, rho=0.9, eps=1e-6):
    Eg = rho * Eg + (1 - rho) * g ** 2
    d = np.sqrt(Ed + eps) / np.sqrt(Eg + eps) * g
    Ed = rho * Ed + (1 - rho) * d ** 2
    return w - lr * d, Eg, Ed
subject = adadelta
""",
    ),
    "adamax": (
        "adamax",
        """
import numpy as np
def adamax(w, g, m, u, t, lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g) + eps)
    return w - lr / (1 - beta1 ** t) * m / u, m, u
subject = adamax
""",
    ),
    "lion": (
        "lion",
        """
import numpy as np
class Lion:
    def __init__(self, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
        self.lr, self.b1, self.b2, self.wd = lr, beta1, beta2, weight_decay
        self.m = 0
    def step(self, w, g):
        c = self.b1 * self.m + (1 - self.b1) * g
        w = w - self.lr * (np.sign(c) + self.wd * w)
        self.m = self.b2 * self.m + (1 - self.b2) * g
        return w
subject = Lion
""",
    ),
    "layer": (
        "adam",
        """
import numpy as np
class Optimizer_Adam:
    def __init__(self, learning_rate=0.001, epsilon=1e-8, beta_1=0.9, beta_2=0.999):
        self.learning_rate = learning_rate
        self.iterations = 0
        self.epsilon = epsilon
        self.beta_1 = beta_1
        self.beta_2 = beta_2
    def update_params(self, layer):
        if not hasattr(layer, 'weight_cache'):
            layer.weight_momentums = np.zeros_like(layer.weights)
            layer.weight_cache = np.zeros_like(layer.weights)
            layer.bias_momentums = np.zeros_like(layer.biases)
            layer.bias_cache = np.zeros_like(layer.biases)
        b1, b2, k = self.beta_1, self.beta_2, self.iterations + 1
        layer.weight_momentums = b1 * layer.weight_momentums + (1 - b1) * layer.dweights
        layer.bias_momentums = b1 * layer.bias_momentums + (1 - b1) * layer.dbiases
        layer.weight_cache = b2 * layer.weight_cache + (1 - b2) * layer.dweights**2
        layer.bias_cache = b2 * layer.bias_cache + (1 - b2) * layer.dbiases**2
        rate = self.learning_rate / (1 - b1**k)
        layer.weights += -rate * layer.weight_momentums / (
            np.sqrt(layer.weight_cache / (1 - b2**k)) + self.epsilon)
        layer.biases += -rate * layer.bias_momentums / (
            np.sqrt(layer.bias_cache / (1 - b2**k)) + self.epsilon)
    def post_update_params(self):
        self.iterations += 1
subject = Optimizer_Adam
""",
    ),
    "objects": (
        "sgd",
        """
class SGD:
    def __init__(self, parameters, lr=0.1, momentum=0.9):
        self.parameters, self.lr, self.momentum = parameters, lr, momentum
        self.buffers = [0.0 for _ in parameters]
    def step(self):
        for i, p in enumerate(self.parameters):
            self.buffers[i] = self.momentum * self.buffers[i] + p.grad
            p.data = p.data - self.lr * self.buffers[i]
subject = SGD
""",
    ),
    "coursera": (
        "adam",
        """
import numpy as np
def update_parameters_with_adam(parameters, grads, v, s, t, learning_rate=0.01,
                                beta1=0.9, beta2=0.999, epsilon=1e-8):
    L = len(parameters) // 2
    for l in range(1, L + 1):
        for k in ("W" + str(l), "b" + str(l)):
            v["d" + k] = beta1 * v["d" + k] + (1 - beta1) * grads["d" + k]
            vc = v["d" + k] / (1 - beta1 ** t)
            s["d" + k] = beta2 * s["d" + k] + (1 - beta2) * grads["d" + k] ** 2
            sc = s["d" + k] / (1 - beta2 ** t)
            parameters[k] = parameters[k] - learning_rate * vc / (np.sqrt(sc) + epsilon)
    return parameters, v, s
subject = update_parameters_with_adam
""",
    ),
}

LOOP = "for p, g, m, v in zip(self.params, grads, self.m, self.v):\n"
COUNT = "        self.steps += 1\n"
STYLES["lamb function"] = (
    "lamb",
    """
import numpy as np
def subject(
    w, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.01
):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
    update = m_hat / (np.sqrt(v_hat) + eps) + weight_decay * w
    size, length = np.linalg.norm(w), np.linalg.norm(update)
    ratio = size / length if size > 0 and length > 0 else 1.0
    return w - lr * ratio * update, m, v
""",
)
STYLES["muon class"] = (
    "muon",
    """
import numpy as np
class subject:
    def __init__(self, lr=0.02, momentum=0.95, nesterov=True, weight_decay=0.0):
        self.lr, self.mu, self.nesterov, self.wd = lr, momentum, nesterov, weight_decay
        self.m = 0.0
    def update(self, w, grad):
        self.m = self.mu * self.m + (1 - self.mu) * grad
        u = self.mu * self.m + (1 - self.mu) * grad if self.nesterov else self.m
        length = np.sqrt((u * u).sum())
        x = u / length if length > 0 else u
        tall = x.shape[0] > x.shape[1]
        if tall:
            x = x.T
        for _ in range(5):
            a = x @ x.T
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        if tall:
            x = x.T
        gain = max(1.0, w.shape[1] / w.shape[0]) ** 0.5
        return w * (1 - self.lr * self.wd) - self.lr * gain * x
""",
)

# What is not given is 0 in the first step.
STYLES["adam slots with defaults"] = (
    "adam",
    """
def adam(w, g, m=0.0, v=0.0, t=1, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    w = w - lr * (m / (1 - b1 ** t)) / ((v / (1 - b2 ** t)) ** 0.5 + eps)
    return w, m, v
subject = adam
""",
)
# A generator that is sent gradients.
STYLES["adam generator"] = (
    "adam",
    """
import numpy as np
def adam(w, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v, t = np.zeros_like(w), np.zeros_like(w), 0
    while True:
        g = yield w
        t += 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g ** 2
        w = w - lr * (m / (1 - beta1 ** t)) / (np.sqrt(v / (1 - beta2 ** t)) + eps)
subject = adam
""",
)
# A whole walk: it asks for gradients, and returns where it ends, or the path.
STYLES["adam loop"] = (
    "adam",
    """
import numpy as np
def adam(grad_f, x0, n_steps=100, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    x, m, v = np.array(x0, float), 0.0, 0.0
    for t in range(1, n_steps + 1):
        g = grad_f(x)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g ** 2
        x = x - lr * m / (1 - b1 ** t) / (np.sqrt(v / (1 - b2 ** t)) + eps)
    return x
subject = adam
""",
)
STYLES["sgd loop with its path"] = (
    "sgd",
    """
def descend(f, gradient, start, learning_rate=0.1, momentum=0.0, max_iter=50):
    x, u, path = start, 0.0 * start, [start]
    for _ in range(max_iter):
        u = momentum * u + gradient(x)
        x = x - learning_rate * u
        path.append(x)
    return path
subject = descend
""",
)
# Three functions, as JAX has its optimizers.
STYLES["adam triple"] = (
    "adam",
    """
import numpy as np
def adam(step_size, b1=0.9, b2=0.999, eps=1e-8):
    def init(x0):
        return x0, np.zeros_like(x0), np.zeros_like(x0)
    def update(i, g, state):
        x, m, v = state
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * np.square(g) + b2 * v
        mhat = m / (1 - b1 ** (i + 1))
        vhat = v / (1 - b2 ** (i + 1))
        return x - step_size * mhat / (np.sqrt(vhat) + eps), m, v
    def get_params(state):
        return state[0]
    return init, update, get_params
subject = adam
""",
)
# A class that gives the change alone.
STYLES["adam get_update"] = (
    "adam",
    """
import numpy as np
class Adam:
    def __init__(self, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps = lr, b1, b2, eps
        self.m, self.v, self.t = None, None, 0
    def get_update(self, grad):
        if self.m is None:
            self.m, self.v = np.zeros_like(grad), np.zeros_like(grad)
        self.t += 1
        self.m = self.m + (1 - self.b1) * (grad - self.m)
        self.v = self.v + (1 - self.b2) * (grad ** 2 - self.v)
        mean = self.m / (1 - self.b1 ** self.t)
        return -self.lr * mean / (np.sqrt(self.v / (1 - self.b2 ** self.t)) + self.eps)
subject = Adam
""",
)
# Lists of numbers: nothing else is meant.
STYLES["adam lists of numbers"] = (
    "adam",
    """
import math
def adam(theta, grad, state=None, alpha=0.001, b1=0.9, b2=0.999, epsilon=1e-8):
    if state is None:
        state = {"m": [0.0] * len(theta), "v": [0.0] * len(theta), "t": 0}
    state["t"] += 1
    t, new = state["t"], []
    for i, (p, g) in enumerate(zip(theta, grad)):
        state["m"][i] = b1 * state["m"][i] + (1 - b1) * g
        state["v"][i] = b2 * state["v"][i] + (1 - b2) * g * g
        mean = state["m"][i] / (1 - b1 ** t)
        root = math.sqrt(state["v"][i] / (1 - b2 ** t))
        new.append(p - alpha * mean / (root + epsilon))
    return new, state
subject = adam
""",
)

# Style, what stands there, what stands there instead, and its name in the catalogue.
PLANTED = [
    ("lamb function", "ratio * update", "update", "no ratio"),
    ("lamb function", "size / length if", "length / size if", "the ratio upside down"),
    (
        "lamb function",
        "+ weight_decay * w",
        "- weight_decay * w",
        "the sign of the decay",
    ),
    ("lamb function", "norm(update)", "norm(g)", "the length of the gradient"),
    ("lamb function", "v / (1 - beta2 ** t)", "v", None),
    ("muon class", "range(5)", "range(4)", "an iteration too few"),
    ("muon class", "-4.7750", "4.7750", "the sign of b"),
    (
        "muon class",
        "w.shape[1] / w.shape[0]",
        "w.shape[0] / w.shape[1]",
        "weights as (outputs, inputs)",
    ),
    ("muon class", "(1 - self.lr * self.wd)", "1", "no decay"),
    ("adam function", "(1 - beta1 ** t)", "(1 - beta1)", "β₁ is not raised to t"),
    ("adam function", "beta1 ** t", "beta1 * t", "1 − β₁ t in place of 1 − β₁^t"),
    ("adam function", "theta - alpha", "theta + alpha", "the step is added"),
    ("adam function", "grad ** 2", "grad", "squares forgotten"),
    ("adam function", "m / (1 - beta1 ** t)", "m", "only v is corrected"),
    ("adam function", "v / (1 - beta2 ** t)", "v", "only m is corrected"),
    (
        "adam function",
        "(np.sqrt(v_hat) + epsilon)",
        "np.sqrt(v_hat + epsilon)",
        "ε inside the root",
    ),
    (
        "adam function",
        "/ (np.sqrt(v_hat) + epsilon)",
        "/ np.sqrt(v_hat) + epsilon",
        "ε added to the weight",
    ),
    ("adam function", "np.sqrt(v_hat) + epsilon", "v_hat + epsilon", "no root"),
    (
        "adam function",
        "alpha * m_hat",
        "0.001 * m_hat",
        "`lr` is 0.001, whatever is asked",
    ),
    ("adam function", "(1 - beta1) * grad", "grad", "no (1 − β) in m"),
    (
        "adam function",
        "return theta, m, v",
        "return theta, m_hat, v_hat",
        "the corrected mean is kept",
    ),
    (
        "adam function",
        "(1 - beta2) * grad ** 2",
        "((1 - beta2) * grad) ** 2",
        "1 − β squared in v",
    ),
    ("adam function", "m_hat / (np", "grad / (np", "the gradient in place of m"),
    (
        "adam function",
        "beta2 * v + (1 - beta2)",
        "(1 - beta2) * v + beta2",
        "the shares of v exchanged",
    ),
    (
        "adam function",
        "v / (1 - beta2 ** t)",
        "v / (1 - beta1 ** t)",
        "β₁ in both corrections",
    ),
    ("adam function", "np.sqrt(v_hat)", "np.sqrt(np.mean(v_hat))", "one rate for all"),
    (
        "adam function",
        "np.sqrt(v_hat)",
        "np.linalg.norm(v_hat ** 0.5)",
        "one norm for all",
    ),
    ("adam class", "        self.t += 1\n", "        self.t = 1\n", "t never grows"),
    (
        "adam class",
        "return w - self.w_updt",
        "return w + self.w_updt",
        "the step is added",
    ),
    (
        "adam class",
        "return w - self.w_updt",
        "w -= self.w_updt; return self.w_updt",
        "the step in place of the weights",
    ),
    (
        "adam class",
        "self.b1 = b1",
        "self.b1 = 0.9",
        "`beta1` is 0.9, whatever is asked",
    ),
    ("adam class", "self.b2 = b2", "self.b2 = b1", "beta1 in place of beta2"),
    (
        "adam class",
        "self.b1 = b1\n        self.b2 = b2",
        "self.b1 = b2\n        self.b2 = b1",
        "the betas exchanged",
    ),
    (
        "adam class",
        "        self.t += 1\n",
        "        self.t += 2\n",
        "t grows twice a step",
    ),
    ("adam class", "self.m = self.b1 * self.m +", "self.m = self.m +", "m never fades"),
    (
        "adam class",
        "        self.m = self.b1",
        "        m = self.b1",
        "the weights do not move",
    ),
    (
        "adam class",
        "if self.m is None",
        "if True",
        ("m is forgotten", "v is forgotten"),
    ),
    ("adam class", "self.learning_rate * m_hat", "m_hat", "no rate"),
    (
        "adam dicts",
        "fix1 = 1.0 - self.beta1 ** self.iter",
        "fix1 = 1.0",
        "only v is corrected",
    ),
    (
        "adam dicts",
        "        self.iter += 1\n        fix1",
        "        fix1",
        "t is 0 in the first step",
    ),
    (
        "adam dicts",
        "for key in params.keys():\n            self.m",
        "for key in params.keys():\n            self.iter += 1\n            self.m",
        None,
    ),
    ("adam dicts", "params[key] -= ", "params[key] += ", "the step is added"),
    ("adam dicts", "(root + 1e-7)", "root", "no ε"),
    (
        "adam lists",
        "        self.steps += 1\n        b1",
        "        b1",
        "t is 0 in the first step",
    ),
    (
        "adam lists",
        LOOP,
        f"{LOOP}            self.steps += 1\n",
        None,
    ),
    (
        "adam lists",
        f"{COUNT}        b1, b2 = self.betas\n        {LOOP}",
        f"        b1, b2 = self.betas\n        {LOOP}    {COUNT}",
        "steps are counted once for each array",
    ),
    ("adam lists", "v *= b2", "v *= b1", "v fades with β₁"),
    ("adam lists", "b1, b2 = self.betas", "b2, b1 = self.betas", "the betas exchanged"),
    (
        "adam lists",
        "for p, g, m, v in zip(self.params, grads, self.m, self.v):",
        "for p, g in zip(self.params, grads):\n            m, v = self.m[0], self.v[0]",
        None,
    ),
    ("adam closure", "return x - rate", "return x + rate", "the step is added"),
    (
        "adam closure",
        "math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t)",
        "(1 - beta2 ** t) / (1 - beta1 ** t)",
        None,
    ),
    (
        "adam closure",
        "eps * math.sqrt(1 - beta2 ** t)",
        "eps",
        "ε before the correction",
    ),
    ("adam closure", "t = t + 1", "t = max(t, 1)", "t never grows"),
    ("adam state", '"t": t}', '"t": 0}', "t never grows"),
    (
        "adam state",
        'return w - lr * upd, {"m": m',
        'return w - lr * upd, {"m": g',
        None,
    ),
    ("adam state", "np.square(g)", "np.abs(g)", "v of sizes"),
    ("adam state", "return w - lr * upd", "return w - lr * g", None),
    ("adam state", '"v": v, "t"', '"v": np.zeros_like(v), "t"', "v is forgotten"),
    (
        "sgd function",
        "momentum * velocity + grads",
        "momentum * velocity + (1 - momentum) * grads",
        "momentum as (1 − μ) g",
    ),
    (
        "sgd function",
        "momentum * velocity + grads",
        "momentum * velocity - grads",
        None,
    ),
    (
        "sgd function",
        "params - lr * velocity, velocity",
        "params - lr * velocity, grads",
        "momentum on the step alone",
    ),
    (
        "sgd function",
        "grads + weight_decay * params",
        "grads + weight_decay",
        "the decay without the weights",
    ),
    (
        "sgd function",
        "grads + weight_decay * params",
        "grads - weight_decay * params",
        "the decay grows the weights",
    ),
    (
        "sgd function",
        "grads + weight_decay * params",
        "grads + weight_decay * params ** 2",
        "the decay of the squared weights",
    ),
    (
        "sgd function",
        "grads + weight_decay * params",
        "grads + 2 * weight_decay * params",
        "the decay without the half",
    ),
    (
        "sgd function",
        "velocity = momentum * velocity + grads\n",
        "velocity = momentum * velocity + lr * grads\n",
        "the velocity is multiplied by the rate, too",
    ),
    ("sgd class", "- self.lr * grads[key]", "+ self.lr * grads[key]", None),
    (
        "sgd class",
        "params[key] += self.v[key]",
        "params[key] -= self.v[key]",
        "the step is added",
    ),
    (
        "sgd class",
        "self.momentum = momentum",
        "self.momentum = 0.9",
        "`momentum` is 0.9, whatever is asked",
    ),
    (
        "sgd class",
        "self.v[key] = self.momentum * self.v[key] - self.lr",
        "self.v[key] = self.v[key] - self.lr",
        "the velocity never fades",
    ),
    (
        "nesterov",
        "gradient + self.mu * self.velocity",
        "gradient + self.mu * old",
        None,
    ),
    ("nesterov", "if self.nesterov:", "if False:", None),
    ("nesterov", "if self.nesterov:", "if True:", None),
    ("nesterov", "self.velocity = self.mu", "SGD.velocity = self.mu", None),
    (
        "rmsprop function",
        "decay_rate * cache + (1 - decay_rate) * dw ** 2",
        "cache + dw ** 2",
        "v is a sum",
    ),
    ("rmsprop function", "(1 - decay_rate) * dw ** 2", "dw ** 2", "no (1 − β) in v"),
    (
        "rmsprop function",
        "(np.sqrt(cache) + eps)",
        "np.sqrt(cache + eps)",
        "ε inside the root",
    ),
    ("rmsprop function", "return w, cache", "return w, cache * 0", "v is forgotten"),
    (
        "rmsprop function",
        "dw / (np.sqrt(cache) + eps)",
        "dw / (cache + eps)",
        "no root",
    ),
    ("rmsprop config", "config['cache'] = cache", "pass", None),
    (
        "rmsprop config",
        "config['decay_rate']) * dw**2",
        "config['decay_rate']) * dw",
        "squares forgotten",
    ),
    (
        "rmsprop config",
        "w - config['learning_rate']",
        "w + config['learning_rate']",
        "the step is added",
    ),
    ("adagrad class", "self.h.get(i, 0.0) + g * g", "g * g", "v is forgotten"),
    ("adagrad class", "g * g", "g", "squares forgotten"),
    (
        "adagrad class",
        "self.h[i] = self.h.get(i, 0.0)",
        "self.h[i] = self.h.get(i, 0.1)",
        "v starts at 0.1",
    ),
    ("adagrad class", "self.h.get(i, 0.0)", "0.9 * self.h.get(i, 0.0)", None),
    (
        "adagrad class",
        "self.lr, self.eps, self.h = lr, eps, {}",
        "self.lr, self.eps, self.h = lr, eps, HS",
        None,
    ),
    ("adagrad numbers", "s[i] ** 0.5 + eps", "s[i] + eps", "no root"),
    ("adagrad numbers", "s[i] = s[i] + g[i] ** 2", "s[i] = s[i] + g[0] ** 2", None),
    ("adagrad numbers", "range(len(x))", "range(len(x) - 1)", None),
    ("adamw function", "w = w - lr * wd * w", "g = g + wd * w", "the decay coupled"),
    (
        "adamw function",
        "w = w - lr * wd * w",
        "w = w - wd * w",
        "the decay is not multiplied by the rate",
    ),
    ("adamw function", "w = w - lr * wd * w\n", "pass\n", "no decay"),
    (
        "adamw function",
        "w = w - lr * wd * w",
        "w = w + lr * wd * w",
        "the decay grows the weights",
    ),
    (
        "adamw function",
        "w = w - lr * wd * w",
        "w = w - lr * wd",
        "the decay is subtracted as it is",
    ),
    ("adadelta", "(1 - rho) * d ** 2", "(1 - rho) * g ** 2", "u of gradients"),
    (
        "adadelta",
        "np.sqrt(Ed + eps) / np.sqrt(Eg + eps)",
        "np.sqrt(Eg + eps) / np.sqrt(Ed + eps)",
        "the fraction upside down",
    ),
    (
        "adadelta",
        "return w - lr * d, Eg, Ed",
        "return w - lr * d, Eg, Ed * 0",
        "u is forgotten",
    ),
    ("adamax", "np.abs(g) + eps", "g + eps", "the largest with its sign"),
    ("adamax", "np.maximum", "np.minimum", "the smallest"),
    ("adamax", "lr / (1 - beta1 ** t)", "lr", "m is not corrected"),
    ("adamax", "beta2 * u, np", "u, np", "u never fades"),
    ("lion", "np.sign(c)", "c", "no sign"),
    ("lion", "self.b2 * self.m + (1 - self.b2) * g", "c", "beta1 in place of beta2"),
    (
        "lion",
        "c = self.b1 * self.m + (1 - self.b1) * g",
        "c = g",
        "the sign of the gradient",
    ),
    ("layer", "layer.weights += -", "layer.weights += ", None),
    ("layer", "        self.iterations += 1", "        pass", "t never grows"),
    ("layer", "(1 - b2) * layer.dbiases**2", "(1 - b2) * layer.dweights**2", None),
    ("objects", "self.momentum * self.buffers[i] + p.grad", "p.grad", "no momentum"),
    (
        "objects",
        "self.buffers[i] = self.momentum * self.buffers[i] + p.grad",
        "self.buffers[0] = self.momentum * self.buffers[0] + p.grad",
        None,
    ),
    ("coursera", 's["d" + k] / (1 - beta2 ** t)', 's["d" + k]', "only m is corrected"),
    ("coursera", 'grads["d" + k] ** 2', 'grads["d" + k]', "squares forgotten"),
    (
        "coursera",
        "parameters[k] - learning_rate",
        "parameters[k] + learning_rate",
        "the step is added",
    ),
    (
        "adam slots with defaults",
        "return w, m, v",
        "return w",
        {"m is forgotten", "v is forgotten"},
    ),
    ("adam slots with defaults", "/ (1 - b1 ** t)", "", "only v is corrected"),
    ("adam generator", "        t += 1\n", "        t = 1\n", "t never grows"),
    ("adam generator", "w - lr", "w + lr", "the step is added"),
    ("adam loop", "g ** 2", "g", "squares forgotten"),
    (
        "adam loop",
        "range(1, n_steps + 1)",
        "range(2, n_steps + 2)",
        "t is one too large",
    ),
    (
        "sgd loop with its path",
        "x - learning_rate",
        "x + learning_rate",
        "the step is added",
    ),
    ("adam triple", "(i + 1))\n        vhat", "i)\n        vhat", None),
    ("adam get_update", "grad ** 2 - self.v", "grad - self.v", "squares forgotten"),
    (
        "adam lists of numbers",
        "root + epsilon",
        "math.sqrt(root * root + epsilon)",
        "ε inside the root",
    ),
]


def make(source: str) -> object:
    """Run a source and return its subject."""
    space: dict[str, object] = {"HS": {}, "__name__": "planted"}
    exec(source, space)
    return space["subject"]


def plant(style: str, before: str, after: str) -> tuple[str, str]:
    """Return the task and the source with the mistake in it."""
    task, source = STYLES[style]
    assert before in source, (style, before)
    return task, source.replace(before, after)
