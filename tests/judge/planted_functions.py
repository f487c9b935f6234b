"""Functions in the styles that people write, and mistakes planted in them by hand.

As `planted_optimizers`: each style is right; a mistake is a piece of it, what stands
there instead, and the names of the catalogue that it must be found under; None if it
has none.
"""

STYLES = {
    "mse": (
        "mse",
        """
import numpy as np
def subject(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)
""",
    ),
    "mse loop": (
        "mse",
        """
def subject(preds, targets):
    total = 0.0
    for p, t in zip(preds, targets):
        total += (p - t) ** 2
    return total / len(preds)
""",
    ),
    "mse both": (
        "mse",
        """
import numpy as np
def subject(x, y):
    diff = x - y
    loss = np.sum(diff ** 2) / diff.size
    dx = 2 * diff / diff.size
    return loss, dx
""",
    ),
    "mse class": (
        "mse",
        """
import numpy as np
class subject:
    def forward(self, pred, target):
        self.pred, self.target = pred, target
        return np.mean((pred - target) ** 2)
    def backward(self):
        n = self.pred.size
        return 2.0 * (self.pred - self.target) / n
""",
    ),
    "mse grad": (
        "mse_grad",
        """
import numpy as np
def subject(y, y_hat):
    n = np.size(y)
    return 2 / n * (y_hat - y)
""",
    ),
    "mae": (
        "mae",
        """
import numpy as np
def subject(*, predictions, targets):
    return abs(predictions - targets).mean()
""",
    ),
    "huber": (
        "huber",
        """
import numpy as np
def subject(y, f, delta=1.0):
    r = np.abs(y - f)
    small = 0.5 * r ** 2
    large = delta * (r - 0.5 * delta)
    return np.where(r <= delta, small, large).mean()
""",
    ),
    "huber maker": (
        "huber",
        """
def subject(delta):
    def loss(pred, target):
        total = 0
        for p, t in zip(pred.ravel(), target.ravel()):
            d = abs(p - t)
            if d <= delta:
                total += d * d / 2
            else:
                total += delta * d - delta ** 2 / 2
        return total / pred.size
    return loss
""",
    ),
    "hinge": (
        "hinge",
        """
import numpy as np
def subject(scores, t):
    margins = 1 - t * scores
    loss = np.maximum(0, margins).mean()
    grad = np.where(margins > 0, -t, 0.0) / scores.size
    return loss, grad
""",
    ),
    "bce": (
        "binary_cross_entropy",
        """
import numpy as np
def subject(y, p):
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
""",
    ),
    "bce logits": (
        "binary_cross_entropy",
        """
import numpy as np
def subject(logits, labels):
    loss = np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))
    s = 1 / (1 + np.exp(-np.clip(logits, -700, 700)))
    grad = (s - labels) / labels.size
    return {"loss": loss.mean(), "grad": grad}
""",
    ),
    "bce columns": (
        "binary_cross_entropy",
        """
import numpy as np
def subject(AL, Y):
    m = Y.shape[1]
    cost = -(1 / m) * np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))
    return np.squeeze(cost)
""",
    ),
    "softmax loss": (
        "cross_entropy",
        """
import numpy as np
def subject(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted), axis=1, keepdims=True)
    log_probs = shifted - np.log(Z)
    probs = np.exp(log_probs)
    N = x.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx
""",
    ),
    "cross entropy one-hot": (
        "cross_entropy",
        """
import numpy as np
def subject(y, t):
    if y.ndim == 1:
        t = t.reshape(1, t.size)
        y = y.reshape(1, y.size)
    batch = y.shape[0]
    return -np.sum(t * np.log(y + 1e-7)) / batch
""",
    ),
    "cross entropy layer": (
        "cross_entropy",
        """
import numpy as np
class subject:
    def __init__(self):
        self.y = self.t = None
    def forward(self, x, t):
        self.t = t
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return -np.sum(t * np.log(self.y + 1e-7)) / len(t)
    def backward(self, dout=1):
        return (self.y - self.t) / len(self.t) * dout
""",
    ),
    "cross entropy samples": (
        "cross_entropy",
        """
import numpy as np
class subject:
    def calculate(self, output, y):
        return np.mean(self.forward(output, y))
    def forward(self, y_pred, y_true):
        clipped = np.clip(y_pred, 1e-7, 1 - 1e-7)
        confidences = clipped[range(len(y_pred)), y_true]
        return -np.log(confidences)
""",
    ),
    "cross entropy python": (
        "cross_entropy",
        """
import math
def subject(logits, labels):
    total = 0.0
    for row, label in zip(logits, labels):
        top = max(row)
        z = sum(math.exp(v - top) for v in row)
        total += math.log(z) + top - row[label]
    return total / len(labels)
""",
    ),
    "cross entropy torch": (
        "cross_entropy",
        """
import torch
def subject(logits, targets):
    logp = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -logp[torch.arange(len(targets)), targets].mean()
""",
    ),
    "cross entropy grad": (
        "cross_entropy_grad",
        """
import numpy as np
def subject(logits, labels):
    e = np.exp(logits - logits.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    onehot = np.zeros_like(p)
    onehot[np.arange(len(labels)), labels] = 1
    return (p - onehot) / len(labels)
""",
    ),
    "softmax": (
        "softmax",
        """
import numpy as np
def subject(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)
""",
    ),
    "softmax back": (
        "softmax_grad",
        """
import numpy as np
def subject(dout, z):
    e = np.exp(z - z.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return p * (dout - (dout * p).sum(-1, keepdims=True))
""",
    ),
    "softmax jacobian": (
        "softmax_grad",
        """
import numpy as np
def subject(x):
    e = np.exp(x - x.max())
    s = (e / e.sum()).reshape(-1, 1)
    return np.diagflat(s) - s @ s.T
""",
    ),
    "sigmoid": (
        "sigmoid",
        """
import numpy as np
def subject(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-abs(x))), 1 - 1 / (1 + np.exp(-abs(x))))
""",
    ),
    "sigmoid scalar": (
        "sigmoid",
        """
import math
def subject(x):
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    z = math.exp(x)
    return z / (1 + z)
""",
    ),
    "sigmoid flag": (
        "sigmoid_grad",
        """
import numpy as np
def subject(x, deriv=False):
    s = 0.5 * (1 + np.tanh(x / 2))
    if deriv:
        return s * (1 - s)
    return s
""",
    ),
    "sigmoid of output": (
        "sigmoid_grad",
        """
def subject(output):
    return output * (1.0 - output)
""",
    ),
    "sigmoid layer": (
        "sigmoid_grad",
        """
import numpy as np
class subject:
    def forward(self, x):
        self.out = 0.5 * (1 + np.tanh(0.5 * x))
        return self.out
    def backward(self, dout):
        return dout * self.out * (1 - self.out)
""",
    ),
    "tanh grad": (
        "tanh_grad",
        """
import numpy as np
def subject(z):
    return 1 - np.tanh(z) ** 2
""",
    ),
    "relu": (
        "relu",
        """
def subject(x):
    out = x.copy()
    out[out < 0] = 0
    return out
""",
    ),
    "relu cache": (
        "relu",
        """
import numpy as np
def subject(Z):
    A = np.maximum(0, Z)
    cache = Z
    return A, cache
""",
    ),
    "relu back": (
        "relu_grad",
        """
import numpy as np
def subject(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ
""",
    ),
    "leaky": (
        "leaky_relu",
        """
import numpy as np
def subject(x, alpha=0.01):
    return np.where(x > 0, x, alpha * x)
""",
    ),
    "gelu": (
        "gelu",
        """
import numpy as np
def subject(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))
""",
    ),
    "softplus": (
        "softplus",
        """
import numpy as np
def subject(x):
    return np.logaddexp(0, x)
""",
    ),
    "step schedule": (
        "step",
        """
def subject(epoch, lr=0.1, step_size=10, gamma=0.5):
    return lr * gamma ** (epoch // step_size)
""",
    ),
    "cosine schedule": (
        "cosine",
        """
import math
def subject(t, lr_max, lr_min, T):
    if t >= T:
        return lr_min
    return lr_min + 0.5 * (lr_max - lr_min) * (1 + math.cos(math.pi * t / T))
""",
    ),
    "cosine class": (
        "cosine",
        """
import math
class subject:
    def __init__(self, base_lr, total_steps, eta_min=0.0):
        self.base_lr, self.total, self.low = base_lr, total_steps, eta_min
    def get_lr(self, step):
        share = min(step, self.total) / self.total
        wave = (1 + math.cos(math.pi * share)) / 2
        return self.low + (self.base_lr - self.low) * wave
""",
    ),
    "exponential maker": (
        "exponential",
        """
from math import exp
def subject(lr0, k):
    return lambda t: lr0 * exp(-k * t)
""",
    ),
    "polynomial": (
        "polynomial",
        """
def subject(step, base_lr, max_steps, power=1.0, end_lr=0.0):
    step = min(step, max_steps)
    return (base_lr - end_lr) * (1 - step / max_steps) ** power + end_lr
""",
    ),
    "warmup": (
        "warmup",
        """
def subject(step, lr, warmup_steps):
    return lr * min(1.0, (step + 1) / (warmup_steps + 1))
""",
    ),
    "accuracy": (
        "accuracy",
        """
import numpy as np
def subject(y_true, y_pred):
    return np.sum(y_true == y_pred) / len(y_true)
""",
    ),
    "accuracy scores": (
        "accuracy",
        """
import numpy as np
def subject(scores, labels):
    predictions = np.argmax(scores, axis=1)
    return float(np.mean(predictions == labels))
""",
    ),
    "accuracy loop": (
        "accuracy",
        """
def subject(actual, predicted):
    correct = 0
    for i in range(len(actual)):
        if actual[i] == predicted[i]:
            correct += 1
    return correct / float(len(actual))
""",
    ),
    "confusion": (
        "confusion",
        """
import numpy as np
def subject(y_true, y_pred, num_classes):
    cm = np.zeros((num_classes, num_classes), dtype=int)
    for t, p in zip(y_true, y_pred):
        cm[t, p] += 1
    return cm
""",
    ),
    "perceptron": (
        "perceptron",
        """
import numpy as np
def subject(X, y, epochs=100, lr=1.0):
    w = np.zeros(X.shape[1])
    b = 0.0
    for _ in range(epochs):
        errors = 0
        for xi, t in zip(X, y):
            if t * (np.dot(w, xi) + b) <= 0:
                w = w + lr * t * xi
                b = b + lr * t
                errors += 1
        if errors == 0:
            break
    return w, b
""",
    ),
    "perceptron class": (
        "perceptron",
        """
import numpy as np
class subject:
    def __init__(self, eta=0.01, n_iter=10):
        self.eta = eta
        self.n_iter = n_iter
    def fit(self, X, y):
        self.w_ = np.zeros(1 + X.shape[1])
        for _ in range(self.n_iter):
            for xi, target in zip(X, y):
                update = self.eta * (target - self.predict(xi))
                self.w_[1:] += update * xi
                self.w_[0] += update
        return self
    def predict(self, X):
        return np.where(X @ self.w_[1:] + self.w_[0] >= 0.0, 1, -1)
""",
    ),
    "init": (
        "init",
        """
import numpy as np
def subject(fan_in, fan_out):
    return np.random.randn(fan_in, fan_out) * np.sqrt(2.0 / fan_in)
""",
    ),
    "backprop pairs": (
        "backprop",
        """
import numpy as np
def subject(layers, X, Y):
    hs = [X]
    for i, (W, b) in enumerate(layers):
        z = hs[-1] @ W + b
        hs.append(z if i == len(layers) - 1 else np.tanh(z))
    e = np.exp(hs[-1] - hs[-1].max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    n = len(X)
    loss = -np.sum(Y * np.log(p)) / n
    delta = (p - Y) / n
    grads = []
    for i in reversed(range(len(layers))):
        grads.insert(0, (hs[i].T @ delta, delta.sum(axis=0)))
        if i:
            delta = delta @ layers[i][0].T * (1 - hs[i] ** 2)
    return loss, grads
""",
    ),
    "backprop separate": (
        "backprop",
        """
import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def subject(x, y, W1, b1, W2, b2):
    n = x.shape[0]
    a1 = sigmoid(x.dot(W1) + b1)
    a2 = sigmoid(a1.dot(W2) + b2)
    d2 = (a2 - y) * a2 * (1 - a2) / n
    dW2 = a1.T.dot(d2)
    db2 = d2.sum(axis=0)
    d1 = d2.dot(W2.T) * a1 * (1 - a1)
    dW1 = x.T.dot(d1)
    db1 = d1.sum(axis=0)
    return dW1, db1, dW2, db2
""",
    ),
    "backprop columns": (
        "backprop",
        """
import numpy as np
def subject(parameters, cache, X, Y):
    m = X.shape[1]
    W2 = parameters["W2"]
    A1, A2 = cache["A1"], cache["A2"]
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
""",
    ),
    "backprop net": (
        "backprop",
        """
import numpy as np
def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))
class subject:
    def __init__(self, sizes):
        self.num_layers = len(sizes)
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]
    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        s = sigmoid(zs[-1])
        delta = (activations[-1] - y) * s * (1 - s)
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].T)
        for l in range(2, self.num_layers):
            s = sigmoid(zs[-l])
            delta = np.dot(self.weights[-l + 1].T, delta) * s * (1 - s)
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l - 1].T)
        return nabla_b, nabla_w
""",
    ),
    "backprop params": (
        "backprop",
        """
import numpy as np
class subject:
    def __init__(self, input_size, hidden_size, output_size):
        self.params = {
            "W1": 0.01 * np.random.randn(input_size, hidden_size),
            "b1": np.zeros(hidden_size),
            "W2": 0.01 * np.random.randn(hidden_size, output_size),
            "b2": np.zeros(output_size),
        }
    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N = X.shape[0]
        hidden = np.maximum(0, X @ W1 + b1)
        scores = hidden @ W2 + b2
        if y is None:
            return scores
        scores = scores - scores.max(axis=1, keepdims=True)
        probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        loss = -np.log(probs[np.arange(N), y]).sum() / N
        dscores = probs.copy()
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads = {}
        grads["W2"] = hidden.T @ dscores
        grads["b2"] = dscores.sum(axis=0)
        dhidden = dscores @ W2.T
        dhidden[hidden <= 0] = 0
        grads["W1"] = X.T @ dhidden
        grads["b1"] = dhidden.sum(axis=0)
        return loss, grads
""",
    ),
    "backprop flat": (
        "backprop",
        """
import numpy as np
def subject(w, x, y, sizes):
    layers, i = [], 0
    for d, k in zip(sizes, sizes[1:]):
        layers.append((w[i:i + d * k].reshape(d, k), w[i + d * k:i + d * k + k]))
        i += d * k + k
    hs = [x]
    for W, b in layers[:-1]:
        hs.append(np.maximum(hs[-1] @ W + b, 0))
    out = hs[-1] @ layers[-1][0] + layers[-1][1]
    loss = np.mean((out - y) ** 2)
    delta = 2 * (out - y) / out.size
    parts = []
    for h, (W, b) in zip(hs[::-1], layers[::-1]):
        parts += [delta.sum(0), (h.T @ delta).ravel()]
        delta = delta @ W.T * (h > 0)
    return loss, np.concatenate(parts[::-1])
""",
    ),
    "grad values": (
        "grad",
        """
import math
class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self._backward = lambda: None
        self._prev = children
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out
    def __pow__(self, n):
        out = Value(self.data ** n, (self,))
        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad
        out._backward = _backward
        return out
    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,))
        def _backward():
            self.grad += (1 - t ** 2) * out.grad
        out._backward = _backward
        return out
    def __neg__(self):
        return self * -1
    def __sub__(self, other):
        return self + (-other)
    def __rsub__(self, other):
        return -self + other
    def __truediv__(self, other):
        return self * other ** -1
    __radd__, __rmul__ = __add__, __mul__
    def backward(self):
        topo, visited = [], set()
        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build(child)
                topo.append(v)
        build(self)
        self.grad = 1.0
        for v in reversed(topo):
            v._backward()
subject = Value
""",
    ),
    "grad differences": (
        "grad",
        """
import numpy as np
def subject(f, x, h=1e-4):
    grad = np.zeros_like(x)
    for i in range(x.size):
        kept = x[i]
        x[i] = kept + h
        up = f(x)
        x[i] = kept - h
        down = f(x)
        grad[i] = (up - down) / (2 * h)
        x[i] = kept
    return grad
""",
    ),
}

# Style, piece, what stands there instead, the names that must be found.
PLANTED = [
    ("mse", "** 2", "** 1", {"the square is missing"}),
    ("mse", "(y_true - y_pred) ** 2", "abs(y_true - y_pred)", {"sizes, not squares"}),
    ("mse", "y_true - y_pred", "y_true + y_pred", {"added, not subtracted"}),
    (
        "mse",
        "np.mean((y_true - y_pred) ** 2)",
        "np.mean(y_true - y_pred) ** 2",
        {"the size of the difference is lost"},
    ),
    (
        "mse",
        "np.mean((y_true - y_pred) ** 2)",
        "np.sqrt(np.mean((y_true - y_pred) ** 2))",
        {"the root is taken"},
    ),
    ("mse", "np.mean((", "-np.mean((", {"the sign of the loss"}),
    ("mse", "np.mean", "np.max", {"the largest alone"}),
    ("mse", "np.mean", "np.median", {"the median"}),
    ("mse", "** 2", "** 3", {"cubed"}),
    ("mse loop", "total +=", "total =", {"one example alone"}),
    ("mse loop", "    return total", "        return total", {"one example alone"}),
    ("mse loop", "len(preds)", "(len(preds) - 1)", {"divided by n − 1"}),
    (
        "mse loop",
        "zip(preds, targets)",
        "zip(preds[1:], targets[1:])",
        {"the first example is left out"},
    ),
    (
        "mse loop",
        "zip(preds, targets)",
        "zip(preds[:-1], targets[:-1])",
        {"the last example is left out"},
    ),
    (
        "mse both",
        "dx = 2 * diff / diff.size",
        "dx = diff / diff.size",
        {"the 2 of the derivative is missing"},
    ),
    (
        "mse both",
        "dx = 2 * diff / diff.size",
        "dx = 2 * diff",
        {"the gradient is not divided by n"},
    ),
    ("mse both", "dx = 2 *", "dx = -2 *", {"the sign of the gradient"}),
    (
        "mse both",
        "np.sum(diff ** 2) / diff.size",
        "np.sum(diff ** 2)",
        {"the value is not divided by n"},
    ),
    (
        "mse both",
        "2 * diff / diff.size",
        "2 * diff ** 2 / diff.size",
        {"the gradient is squared"},
    ),
    (
        "mse class",
        "self.pred - self.target",
        "self.target - self.pred",
        {"the sign of the gradient"},
    ),
    ("mse class", " / n", "", {"the gradient is not divided by n"}),
    (
        "mse class",
        "2.0 * (self.pred - self.target)",
        "2.0 * self.pred",
        {"the gradient is that of the prediction squared"},
    ),
    ("mse grad", "y_hat - y", "y - y_hat", {"the sign of the gradient"}),
    ("mse grad", "(y_hat - y)", "(y_hat - y) ** 2", {"the gradient is squared"}),
    ("mse grad", "(y_hat - y)", "np.sign(y_hat - y)", None),
    ("mae", "abs(", "(", {"the size is missing"}),
    (
        "mae",
        "abs(predictions - targets)",
        "((predictions - targets) ** 2)",
        {"squares, not sizes"},
    ),
    ("mae", ".mean()", ".max()", {"the largest alone"}),
    ("huber", "0.5 * r ** 2", "r ** 2", {"the ½ of the square is missing"}),
    ("huber", "(r - 0.5 * delta)", "r", {"the line does not meet the parabola"}),
    ("huber", "delta * (r - 0.5", "(r - 0.5", {"the line has the slope 1"}),
    (
        "huber",
        "r <= delta, small, large",
        "r <= delta, large, small",
        {"the pieces are exchanged"},
    ),
    (
        "huber",
        "r = np.abs(y - f)",
        "r = f - y",
        {"the size is missing in the condition"},
    ),
    ("huber", "r <= delta", "r <= 1.0", None),
    ("huber maker", "d <= delta", "True", {"a square everywhere"}),
    (
        "huber maker",
        "delta ** 2 / 2",
        "delta / 2",
        {"the line does not meet the parabola"},
    ),
    ("huber maker", "d * d / 2", "d / 2", None),
    ("hinge", "1 - t * scores", "1 + t * scores", {"the sign of the margin"}),
    ("hinge", "1 - t * scores", "0 - t * scores", {"no margin"}),
    ("hinge", "np.maximum(0, margins)", "margins", {"the maximum with 0 is missing"}),
    ("hinge", "np.where(margins > 0, -t, 0.0)", "-t", {"the gradient everywhere"}),
    (
        "hinge",
        "np.where(margins > 0, -t, 0.0)",
        "np.where(margins > 0, 0.0, -t)",
        {"the gradient of those that are right"},
    ),
    ("hinge", "-t, 0.0)", "-1.0, 0.0)", {"the gradient without the target"}),
    ("hinge", "-t, 0.0)", "t, 0.0)", {"the sign of the gradient"}),
    ("bce", "-np.mean", "np.mean", {"the sign of the loss"}),
    ("bce", " + (1 - y) * np.log(1 - p)", "", {"the term of y = 0 is missing"}),
    ("bce", "y * np.log(p) + ", "", {"the term of y = 1 is missing"}),
    ("bce", "+ (1 - y)", "- (1 - y)", {"a sign between the terms"}),
    ("bce", "np.log(1 - p)", "np.log(p)", {"log p in both terms"}),
    (
        "bce",
        "y * np.log(p) + (1 - y) * np.log(1 - p)",
        "y * np.log(1 - p) + (1 - y) * np.log(p)",
        {"the labels exchanged"},
    ),
    (
        "bce",
        "y * np.log(p) + (1 - y) * np.log(1 - p)",
        "y * p + (1 - y) * (1 - p)",
        {"the logarithm is missing"},
    ),
    ("bce logits", "s - labels", "labels - s", {"the sign of the gradient"}),
    (
        "bce logits",
        "(s - labels) / labels.size",
        "(s - labels)",
        {"the gradient is not divided by n"},
    ),
    (
        "bce logits",
        "(s - labels)",
        "(s - labels) * s * (1 - s)",
        {"the sigmoid's derivative once more"},
    ),
    ("bce logits", "(s - labels)", "s", {"the labels are missing in the gradient"}),
    ("bce columns", "-(1 / m)", "(1 / m)", {"the sign of the loss"}),
    ("bce columns", "Y * np.log(AL) + ", "", {"the term of y = 1 is missing"}),
    (
        "softmax loss",
        "dx[np.arange(N), y] -= 1",
        "dx[:, y] -= 1",
        {"all labels for everyone"},
    ),
    (
        "softmax loss",
        "dx[np.arange(N), y] -= 1",
        "dx -= 1",
        {"1 is subtracted everywhere"},
    ),
    (
        "softmax loss",
        "    dx[np.arange(N), y] -= 1\n",
        "",
        {"the labels are missing in the gradient"},
    ),
    ("softmax loss", "    dx /= N\n", "", {"the gradient is not divided by n"}),
    (
        "softmax loss",
        "log_probs[np.arange(N), y]",
        "log_probs[np.arange(N), y - 1]",
        {"labels shifted by one"},
    ),
    ("softmax loss", "-np.sum(log_probs", "np.sum(log_probs", {"the sign of the loss"}),
    (
        "softmax loss",
        "axis=1, keepdims=True)\n    log",
        "axis=0, keepdims=True)\n    log",
        {"softmax over the examples"},
    ),
    (
        "softmax loss",
        "    probs =",
        "    y = y - 1\n    probs =",
        {"labels shifted by one"},
    ),
    ("cross entropy one-hot", "np.log(y + 1e-7)", "(y + 1e-7)", None),
    ("cross entropy one-hot", "np.log(y + 1e-7)", "np.log(1 - y)", {"log(1 − p)"}),
    (
        "cross entropy one-hot",
        "/ batch",
        "/ y.size",
        {"averaged over the classes, too", "1e-07 is added in the logarithm"},
    ),
    (
        "cross entropy layer",
        "e / e.sum(axis=1, keepdims=True)",
        "e / e.sum()",
        {"one sum for all rows", "1e-07 is added in the logarithm"},
    ),
    (
        "cross entropy layer",
        "self.y - self.t",
        "self.t - self.y",
        {"the sign of the gradient", "1e-07 is added in the logarithm"},
    ),
    ("cross entropy samples", "-np.log", "np.log", {"the sign of the loss"}),
    (
        "cross entropy samples",
        "clipped[range(len(y_pred)), y_true]",
        "clipped[:, y_true]",
        {"all labels for everyone"},
    ),
    (
        "cross entropy samples",
        "clipped[range(len(y_pred)), y_true]",
        "clipped.max(axis=1)",
        {"the largest class in place of the label"},
    ),
    ("cross entropy python", "- row[label]", "", {"the label's logit is missing"}),
    (
        "cross entropy python",
        "math.log(z) + top - row[label]",
        "-row[label]",
        {"given the logarithms of the probabilities"},
    ),
    ("cross entropy python", "total +=", "total =", {"one example alone"}),
    ("cross entropy torch", "dim=1", "dim=0", {"softmax over the examples"}),
    ("cross entropy torch", "-logp[", "logp[", {"the sign of the loss"}),
    (
        "cross entropy torch",
        "targets].mean()",
        "targets].mean() / logits.shape[1]",
        {"averaged over the classes, too"},
    ),
    ("cross entropy grad", "p - onehot", "onehot - p", {"the sign of the gradient"}),
    (
        "cross entropy grad",
        "(p - onehot)",
        "(p - onehot) * p * (1 - p)",
        {"the softmax's derivative once more"},
    ),
    (
        "cross entropy grad",
        "e.sum(1, keepdims=True)",
        "e.sum(0, keepdims=True)",
        {"softmax over the examples"},
    ),
    (
        "softmax",
        "keepdims=True))\n    return e / np.sum(e, axis=-1",
        "keepdims=True))\n    return e / np.sum(e, axis=0",
        {"over the wrong axis"},
    ),
    ("softmax", "np.sum(e, axis=-1, keepdims=True)", "np.sum(e)", None),
    ("softmax", " - np.max(z, axis=-1, keepdims=True)", "", {"overflows: not shifted"}),
    ("softmax", "np.exp(z -", "np.exp(-z +", {"the sign of z"}),
    ("softmax", "/ np.sum(e, axis=-1, keepdims=True)", "", {"no sum"}),
    (
        "softmax back",
        "(dout - (dout * p).sum(-1, keepdims=True))",
        "(1 - p) * dout",
        {"the diagonal for the whole"},
    ),
    ("softmax back", "dout - (", "dout + (", {"a plus for the minus"}),
    ("softmax back", "(dout * p).sum(-1", "dout.sum(-1", {"the sum without p"}),
    (
        "softmax back",
        "(dout * p).sum(-1",
        "(dout * p).sum(0",
        {"the sum over the wrong axis"},
    ),
    (
        "softmax jacobian",
        "- s @ s.T",
        "- np.diagflat(s ** 2)",
        {"the diagonal for the whole"},
    ),
    ("softmax jacobian", "- s @ s.T", "+ s @ s.T", {"a plus for the minus"}),
    (
        "sigmoid",
        "1 - 1 / (1 + np.exp(-abs(x)))",
        "1 / (1 + np.exp(-abs(x)))",
        {"e to the size"},
    ),
    ("sigmoid", "x >= 0", "x < 0", {"the sign of the exponent"}),
    ("sigmoid scalar", "z / (1 + z)", "1 / (1 + z)", {"e to the size"}),
    (
        "sigmoid flag",
        "return s * (1 - s)",
        "return x * (1 - x)",
        {"the derivative given the output"},
    ),
    (
        "sigmoid flag",
        "return s * (1 - s)",
        "return s * (1 + s)",
        {"a plus for the minus"},
    ),
    ("sigmoid flag", "return s * (1 - s)", "return s", {"(1 − σ) is missing"}),
    (
        "sigmoid flag",
        "return s * (1 - s)",
        "return s * (1 - x)",
        {"of the wrong variable"},
    ),
    ("sigmoid of output", "1.0 - output", "1.0 + output", {"a plus for the minus"}),
    ("sigmoid layer", "* (1 - self.out)", "", {"(1 − σ) is missing"}),
    ("sigmoid layer", "dout * self.out", "self.out", {"nothing from above"}),
    ("tanh grad", "** 2", "", {"the square is missing"}),
    (
        "tanh grad",
        "1 - np.tanh(z) ** 2",
        "np.tanh(z) * (1 - np.tanh(z))",
        {"the slope of the sigmoid"},
    ),
    ("relu", "out < 0", "out > 0", {"the minimum"}),
    ("relu", "x.copy()", "x", {"writes over the z that it is given"}),
    ("relu", "out[out < 0] = 0", "out[out < 0] *= 0.01", {"a leak"}),
    ("relu cache", "np.maximum(0, Z)", "np.maximum(1, Z)", {"1 at least"}),
    ("relu cache", "np.maximum(0, Z)", "np.abs(Z)", {"the size"}),
    ("relu back", "Z <= 0", "Z >= 0", {"below 0"}),
    ("relu back", "Z <= 0", "dA <= 0", {"the sign of what comes from above decides"}),
    ("relu back", "    dZ[Z <= 0] = 0\n", "", {"no slope"}),
    ("leaky", "alpha * x)", "alpha)", {"the slope, not its line"}),
    ("leaky", "alpha * x)", "0.01 * x)", {"`slope` is 0.01, whatever is asked"}),
    ("leaky", "x, alpha * x", "alpha * x, x", {"the slopes exchanged"}),
    ("gelu", "x ** 3", "x ** 2", {"the square in place of the cube"}),
    ("gelu", "0.5 * x", "x", {"twice as large", "the tanh approximation"}),
    ("gelu", "np.sqrt(2 / np.pi)", "(2 / np.pi)", {"2/π without its root"}),
    ("softplus", "np.logaddexp(0, x)", "np.log(1 + np.exp(x))", {"overflows"}),
    (
        "softplus",
        "np.logaddexp(0, x)",
        "np.logaddexp(0, -x)",
        {"the sign of the exponent"},
    ),
    ("step schedule", "//", "/", {"no stairs"}),
    ("step schedule", "epoch // step_size", "epoch", {"falls in every step"}),
    ("step schedule", "** (", "* (", {"times, not to the power"}),
    ("step schedule", "epoch //", "(epoch + 1) //", {"a step too early"}),
    ("step schedule", "lr * gamma", "0.1 * gamma", {"`lr` is 0.1, whatever is asked"}),
    ("cosine schedule", "math.pi * t / T", "2 * math.pi * t / T", {"a whole wave"}),
    ("cosine schedule", "0.5 * ", "", {"the ½ is missing"}),
    ("cosine schedule", "1 + math", "1 - math", {"upside down"}),
    ("cosine schedule", "(lr_max - lr_min)", "lr_max", {"the floor is added"}),
    ("cosine schedule", "return lr_min\n", "return 0\n", None),
    ("cosine class", "math.pi * share", "share", {"π is missing"}),
    ("cosine class", "math.cos", "math.sin", {"the sine"}),
    ("exponential maker", "-k * t", "k * t", {"the sign of the exponent"}),
    ("exponential maker", "exp(-k * t)", "(1 / (1 + k * t))", {"1/t"}),
    ("polynomial", ") ** power", ")", {"no power"}),
    ("polynomial", "(base_lr - end_lr)", "base_lr", {"the floor is added"}),
    (
        "polynomial",
        "    step = min(step, max_steps)\n",
        "    power = round(power)\n",
        {"goes below the floor"},
    ),
    ("warmup", "min(", "max(", {"the maximum in place of the minimum"}),
    (
        "warmup",
        "min(1.0, (step + 1) / (warmup_steps + 1))",
        "(step + 1) / warmup_steps",
        {"climbs for ever"},
    ),
    ("accuracy", " / len(y_true)", "", {"the count"}),
    ("accuracy", "==", "!=", {"the share of errors"}),
    (
        "accuracy",
        "np.sum(y_true == y_pred) / len",
        "np.sum(y_true == y_pred) // len",
        {"a division of whole numbers"},
    ),
    ("accuracy scores", "argmax", "argmin", {"the smallest score"}),
    (
        "accuracy scores",
        "predictions == labels",
        "predictions + 1 == labels",
        {"the class is one too high"},
    ),
    (
        "accuracy loop",
        "range(len(actual))",
        "range(len(actual) - 1)",
        {"the last example is left out"},
    ),
    ("accuracy loop", "correct / float(len(actual))", "correct", {"the count"}),
    ("confusion", "cm[t, p] += 1", "cm[t, p] = 1", {"each pair counts once"}),
    (
        "confusion",
        "    for t, p in zip(y_true, y_pred):\n        cm[t, p] += 1\n",
        "    cm[y_true, y_pred] += 1\n",
        {"each pair counts once"},
    ),
    ("confusion", "cm[t, p]", "cm[t, t]", {"the truth twice"}),
    ("confusion", "np.zeros", "np.ones", {"begins with 1"}),
    ("perceptron", "<= 0", "< 0", {"nothing is learnt"}),
    ("perceptron", "<= 0", ">= 0", {"what is right is added"}),
    ("perceptron", "w + lr * t * xi", "w - lr * t * xi", {"the sign of the weights"}),
    ("perceptron", "b + lr * t", "b", {"the bias never moves"}),
    ("perceptron", "b + lr * t", "b + lr", {"the bias moves without the target"}),
    (
        "perceptron",
        "w + lr * t * xi",
        "w + lr * xi",
        {"the weights move without the target"},
    ),
    ("perceptron", "lr * t", "t", None),
    (
        "perceptron class",
        "self.w_[0] += update",
        "self.w_[0] -= update",
        {"the sign of the bias", "steps of 2, and on the boundary it says +1"},
    ),
    (
        "perceptron class",
        "self.w_[1:] += update * xi",
        "self.w_[1:] += update",
        {
            "the input is missing in the step",
            "steps of 2, and on the boundary it says +1",
        },
    ),
    (
        "init",
        "np.sqrt(2.0 / fan_in)",
        "(2.0 / fan_in)",
        {"the variance in place of the deviation"},
    ),
    ("init", " * np.sqrt(2.0 / fan_in)", "", {"no scale"}),
    ("init", "* np.sqrt(2.0 / fan_in)", "* 0", {"all are 0"}),
    (
        "init",
        "np.random.randn(fan_in, fan_out)",
        "np.random.rand(fan_in, fan_out)",
        {"one sided"},
    ),
    ("init", "2.0 / fan_in", "fan_in / 2.0", {"multiplied, not divided"}),
    (
        "backprop pairs",
        " * (1 - hs[i] ** 2)",
        "",
        {"the slope of the hidden units is missing"},
    ),
    (
        "backprop pairs",
        "(1 - hs[i] ** 2)",
        "hs[i] * (1 - hs[i])",
        {"the slope of sigmoid"},
    ),
    (
        "backprop pairs",
        "delta = (p - Y) / n",
        "delta = p - Y",
        {"the gradient is not divided by n"},
    ),
    (
        "backprop pairs",
        "delta = (p - Y) / n",
        "delta = (Y - p) / n",
        {"the sign of the gradient"},
    ),
    (
        "backprop pairs",
        "delta.sum(axis=0)",
        "delta.mean(axis=0)",
        {"the gradient of the biases is averaged once more"},
    ),
    (
        "backprop pairs",
        "layers[i][0].T",
        "layers[i][0]",
        {"the weights are not transposed on the way back"},
    ),
    (
        "backprop pairs",
        "hs[i].T @ delta",
        "(hs[i].T @ delta) / n",
        {"the gradient of the weights is averaged once more"},
    ),
    (
        "backprop pairs",
        "delta.sum(axis=0)",
        "delta[-1]",
        {"the gradient of the biases is that of one example"},
    ),
    (
        "backprop pairs",
        "delta.sum(axis=0)",
        "0 * delta.sum(axis=0)",
        {"the biases have no gradient"},
    ),
    (
        "backprop pairs",
        "layers[i][0].T",
        "layers[i - 1][0].T",
        {"the weights of another layer on the way back"},
    ),
    ("backprop separate", " * a2 * (1 - a2)", "", None),
    (
        "backprop separate",
        "W2.T",
        "W2",
        {
            "half the sum over the outputs",
            "the weights are not transposed on the way back",
        },
    ),
    (
        "backprop separate",
        "a1 * (1 - a1)",
        "(1 - a1)",
        {"half of the slope", "half the sum over the outputs"},
    ),
    (
        "backprop separate",
        "d1 = d2.dot(W2.T) * a1 * (1 - a1)",
        "d1 = d2.dot(W2.T)",
        {"half the sum over the outputs", "the slope of the hidden units is missing"},
    ),
    ("backprop separate", "db1 = d1.sum(axis=0)", "db1 = d1.sum(axis=1)", None),
    (
        "backprop columns",
        "np.power(A1, 2)",
        "A1",
        {"the square in the slope is missing", "examples are columns"},
    ),
    (
        "backprop columns",
        "np.dot(W2.T, dZ2)",
        "np.dot(W2, dZ2)",
        {"examples are columns", "the weights are not transposed on the way back"},
    ),
    (
        "backprop columns",
        "A2 - Y",
        "Y - A2",
        {"examples are columns", "the sign of the gradient"},
    ),
    (
        "backprop columns",
        "dW2 = np.dot(dZ2, A1.T) / m",
        "dW2 = np.dot(dZ2, A1.T)",
        {"the gradient of the weights is not averaged", "examples are columns"},
    ),
    (
        "backprop net",
        "s * (1 - s)\n            nabla",
        "1\n            nabla",
        {
            "one example at a time",
            "half the sum over the outputs",
            "the slope of the hidden units is missing",
        },
    ),
    (
        "backprop net",
        "activations[-1] - y",
        "y - activations[-1]",
        {"the sign of the gradient", "one example at a time"},
    ),
    (
        "backprop params",
        "        dhidden[hidden <= 0] = 0\n",
        "",
        {"the slope of the hidden units is missing"},
    ),
    (
        "backprop params",
        "        dscores /= N\n",
        "",
        {"the gradient is not divided by n"},
    ),
    (
        "backprop params",
        "dhidden[hidden <= 0]",
        "dhidden[dhidden <= 0]",
        {"the sign of the gradient decides"},
    ),
    ("backprop params", "dhidden.sum(axis=0)", "dhidden.sum()", None),
    (
        "backprop flat",
        "2 * (out - y)",
        "(out - y)",
        {"the 2 of the derivative is missing"},
    ),
    ("backprop flat", " * (h > 0)", "", {"the slope of the hidden units is missing"}),
    (
        "backprop flat",
        "delta @ W.T",
        "delta @ W",
        {"the weights are not transposed on the way back"},
    ),
    (
        "grad values",
        "self.grad += out.grad\n            other.grad += out.grad",
        "self.grad = out.grad\n            other.grad = out.grad",
        {"the node that forgets"},
    ),
    (
        "grad values",
        "self.grad += other.data * out.grad",
        "self.grad += self.data * out.grad",
        {"the factors of a b"},
    ),
    (
        "grad values",
        "other.data * out.grad\n            other.grad += self.data * out.grad",
        "self.data * out.grad\n            other.grad += other.data * out.grad",
        {"the factors of a b"},
    ),
    (
        "grad values",
        "n * self.data ** (n - 1)",
        "self.data ** (n - 1)",
        {"the power is no factor"},
    ),
    ("grad values", "1 - t ** 2", "1 - t", {"the slope of tanh"}),
    ("grad values", "self.grad = 1.0", "self.grad = 0.0", {"it starts with 0"}),
    ("grad values", "reversed(topo)", "topo", {"the order of the nodes"}),
    ("grad differences", "(2 * h)", "h", {"half the difference quotient"}),
    ("grad differences", "x[i] = kept - h", "x[i] = kept", {"half the gradient"}),
    ("grad differences", "up - down", "down - up", {"the sign of all"}),
]
STYLES["softmax of a list"] = (
    "softmax",
    """
import math
def subject(xs):
    top = max(xs)
    powers = [math.exp(x - top) for x in xs]
    return [power / sum(powers) for power in powers]
""",
)
STYLES["cross entropy of p and q"] = (
    "cross_entropy",
    """
import numpy as np
def subject(p, q):
    return -np.sum(p * np.log(np.maximum(q, 1e-300)), axis=-1).mean()
""",
)
