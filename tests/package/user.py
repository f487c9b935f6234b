"""What somebody writes who has installed chalkgrad; it runs in both backends."""

import chalkgrad.numpy as cg

net = cg.network([2, 8, 1], activation="tanh")
w = net.init(rng=0)
x, targets = cg.array([[0.0, 1.0], [1.0, 0.0]]), cg.array([[1.0], [0.0]])
optimizer = cg.optimizers.adam(lr=0.1)
state = optimizer.init(w)
for _ in range(50):
    loss, grad = net.loss_and_grad(w, x, targets, cg.losses.mse)
    w, state = optimizer.step(w, grad, state)
print(f"{float(cg.losses.mse(net.forward(w, x), targets)):.6f}")
