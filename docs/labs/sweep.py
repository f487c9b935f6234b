# ---
# description: A thousand networks with a thousand learning rates, trained in one call.
# ---

# %% [markdown]
# # A sweep of a thousand networks
#
# Which learning rate is best? Try a thousand. The weights of a network are one vector `w`;
# the weights of many networks are one more axis in front of it, and so are their rates.
# Then a sweep is not a loop. You need: [gradient descent](../training/gradient-descent.md).

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

import chalkgrad.numpy as cg

x, labels = cg.data.moons(30, noise=0.1)
net = cg.network([2, 8, 2])

# %% [markdown]
# ## The thousand
#
# 200 rates from 0.001 to 100, evenly spaced in the exponent, and 5 starts for each: one
# start proves nothing. Row by row, `w` holds a network and `rates` its rate.

# %%
rates = np.repeat(np.geomspace(0.001, 100, 200), 5)[:, None]
starts = np.tile(net.init(rng=range(5)), (200, 1))
print("weights", starts.shape)
print("rates", rates.shape)


# %%
def train(w, optimizer, steps=200):
    state = optimizer.init(w)
    with np.errstate(all="ignore"):  # some diverge
        for _ in range(steps):
            _, grad = net.loss_and_grad(w, x, labels, cg.losses.cross_entropy)
            w, state = optimizer.step(w, grad, state)
        loss, _ = net.loss_and_grad(w, x, labels, cg.losses.cross_entropy)
    return w, loss


began = time.perf_counter()
w, loss = train(starts, cg.optimizers.sgd(lr=rates))
together = time.perf_counter() - began

# %% [markdown]
# Is it the same as a thousand runs one after another? Take every fiftieth network and train
# it alone.

# %%
some = range(0, 1000, 50)
began = time.perf_counter()
alone = [train(starts[i], cg.optimizers.sgd(lr=float(rates[i, 0])))[1] for i in some]
one_by_one = (time.perf_counter() - began) / len(some) * 1000
same = np.isclose(loss[some], alone, rtol=1e-6).sum()
print(f"{same} of {len(some)} end at the same loss")
print(f"one by one would take {one_by_one / together:.0f} times as long")

# %% [markdown]
# The arithmetic is the same. What a thousand calls cost more is everything around it: for
# so small a network Python works longer on a call than the processor on its numbers.
#
# ## What came out


# %%
def draw(axis, loss, colour, name):
    runs = np.nan_to_num(loss, nan=np.inf).reshape(200, 5)
    ends = np.clip(np.sort(runs, axis=1), 1e-4, 10)
    grid = rates[::5, 0]
    axis.fill_between(
        grid, ends[:, 0], ends[:, 4], color=colour, alpha=0.25, linewidth=0
    )
    axis.loglog(grid, ends[:, 2], color=colour, label=name)
    best = grid[ends[:, 2].argmin()]
    print(f"{name}: {ends[:, 2].min():.4f} at the rate {best:.2g}")


# %% alt="The loss after 200 steps against the rate, both logarithmic: a line for the median of five starts in a band from the best to the worst. It falls from left to right, slowly at first, reaches its lowest place at a rate of a few units, and right of it jumps up to chance level, and beyond." caption="Gradient descent, 1000 networks: median, best and worst of five starts."
figure, axis = plt.subplots()
draw(axis, loss, "C0", "sgd")
axis.axhline(np.log(2), color="C5", linestyle="--", linewidth=1)
axis.text(0.001, 1, "chance level", color="C5")
axis.set(xlabel="learning rate", ylabel="loss after 200 steps (nats)", ylim=(1e-4, 10))
plt.show()

# %% [markdown]
# Three regions. On the left, rates so small that 200 steps lead nowhere. In the middle, the
# larger the better. On the right, runs diverge. The best rate is close to that edge, and
# which starts diverge there is a matter of luck: look how the band widens.
#
# ## Does a better optimizer need less luck?
#
# The same call with other optimizers. Their rates are columns too.

# %% alt="The same graph for three optimizers. All three curves fall and then rise steeply. The one of Adam falls first, the one of momentum next, that of plain gradient descent last and least deep. The bands are wide, and widest right before the cliff." caption="The same thousand rates and starts for three optimizers."
figure, axis = plt.subplots()
draw(axis, loss, "C0", "sgd")
for colour, name, optimizer in (
    ("C1", "momentum", cg.optimizers.sgd(lr=rates, momentum=0.9)),
    ("C2", "adam", cg.optimizers.adam(lr=rates)),
):
    draw(axis, train(starts, optimizer)[1], colour, name)
axis.set(xlabel="learning rate", ylabel="loss after 200 steps (nats)", ylim=(1e-4, 10))
axis.legend()
plt.show()

# %% [markdown]
# Each optimizer has rates of its own: what is right for one is too little for another and
# too much for a third. So comparing optimizers at one rate says nothing. Give each its
# sweep, and compare them at their best. And look at the bands before you believe a line:
# with five starts, the place of the lowest point is partly luck.
#
# ## To try
#
# - Take 2000 steps instead of 200. Which side of the curve moves, and which stays?
# - Write `import chalkgrad.torch as cg`, and make the arrays that NumPy made with
#   `cg.array`. On a GPU, count how many networks fit into the time of one.
# - Keep the rate and sweep the size of the initial weights: multiply `starts` by a column of factors.
