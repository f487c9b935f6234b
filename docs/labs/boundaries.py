# ---
# description: Widths, depths, activations, noise and many starts on five small sets; which boundaries networks draw, and when training fails.
# ---

# %% [markdown]
# # A playground of boundaries
#
# Which boundary does a small network draw, and which does training fail to find? One start
# says little, so train eight of everything at once. You need:
# [decision boundaries](../perceptron/boundaries.md).

# %%
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgba

import chalkgrad.numpy as cg

SETS = {
    "moons": cg.data.moons,
    "circles": cg.data.circles,
    "spirals": cg.data.spirals,
    "xor": cg.data.xor,
    "blobs": cg.data.blobs,
}
SEEDS = 8
points = {name: draw(100) for name, draw in SETS.items()}

# %% [markdown]
# ## The one function
#
# The networks of a batch differ in their starts and in what they see: `w` has a row for each
# network, and so may the points, the labels and the rates. The third output is for the
# blobs; on the other sets it learns to keep quiet. Of the starts of a set we draw the one
# in the middle when they are sorted by their mistakes, and write above it how many of the
# eight have no mistake at all.


# %%
def train(net, x, labels, *, seeds=SEEDS, lr=0.02, steps=300):
    """Train networks from `seeds` starts on each of the sets; shape (sets, seeds)."""
    x, labels = (np.repeat(each, seeds, axis=0) for each in (x, labels))
    scheme = "he" if "relu" in net.activation else "xavier"
    w = np.tile(net.init(range(seeds), scheme=scheme), (len(x) // seeds, 1))
    step = net.plan(
        w,
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.adam(lr),
        batch_size=x.shape[-2],
    )
    for _ in range(steps):
        step(x, labels)
    right = (net.forward(step.w, x).argmax(-1) == labels).mean(-1)
    return step.w.reshape(-1, seeds, net.size), right.reshape(-1, seeds)


def plane(x, margin=0.3, ticks=40):
    (left, low), (top, high) = x.min(0) - margin, x.max(0) + margin
    across, up = np.linspace(left, top, ticks), np.linspace(low, high, ticks)
    return across, up, np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)


def draw(axis, net, w, x, labels, margin=0.3):
    """Tint the region of each class, and mark some of the points."""
    across, up, places = plane(x, margin)
    outputs = net.forward(w, places)
    for k in range(outputs.shape[1]):
        rest = np.delete(outputs, k, axis=1).max(1)
        ahead = (outputs[:, k] - rest).reshape(len(up), len(across))
        if (ahead > 0).any():
            axis.contourf(across, up, ahead, [0, 1e9], colors=f"C{k}", alpha=0.3)
    for k, marker in enumerate("os^"):
        axis.plot(*x[:40][labels[:40] == k].T, marker, color=f"C{k}", markersize=2)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def middle(right):
    return np.argsort(right, kind="stable")[len(right) // 2]


def solved(right):
    return int((right == 1).sum())


# %% [markdown]
# ## How wide?
#
# One hidden layer of ReLU units: two of them, four, sixteen.

# %% alt="Fifteen small squares: five sets of points, moons, circles, spirals, exclusive or and three blobs, below them the regions drawn by 2, 4 and 16 units. With 2 units the blobs are separated; elsewhere the boundary has a corner or two and leaves points on the wrong side. With 4, a polygon separates the circles, and exclusive or is right. With 16 all but the spirals are separated, and the spirals nearly." caption="Rows: 2, 4 and 16 units. Above each: how many of eight starts solve it. Drawn is the one in the middle."
figure, axes = plt.subplots(3, 5, figsize=(5.0, 3.9))
sets = [np.stack(each) for each in zip(*points.values(), strict=True)]
won = {}
for row, units in zip(axes, (2, 4, 16), strict=True):
    net = cg.network([2, units, 3])
    w, right = train(net, *sets)
    won[units] = [solved(each) for each in right]
    for axis, (x, labels), each, rights in zip(
        row, points.values(), w, right, strict=True
    ):
        draw(axis, net, each[middle(rights)], x, labels)
        axis.set_title(solved(rights))
    row[0].set_ylabel(f"{units} units")
plt.show()
print("units", *(f"{name:>7}" for name in SETS))
for units, counts in won.items():
    print(f"{units:5}", *(f"{count:7}" for count in counts))
assert sum(won[2]) < sum(won[4]) < sum(won[16])
assert won[2][:3] == [0, 0, 0]

# %% [markdown]
# Two units can bend a boundary along two lines, and no start separates moons, circles or spirals
# with that. Four can part the circles and the moons, and yet some starts do not get there.
# Units beyond the needed are tickets in a lottery.
#
# ## How deep?
#
# The spirals are left. Give three networks of 82 or 83 weights a chance: one layer of 16
# units, two of 6 and 7, four of 4. Each shape gets eight starts at each of three rates and is
# judged at its best.

# %%
SHAPES = ([16], [6, 7], [4, 4, 4, 4])
RATES = np.repeat([0.01, 0.03, 0.1], SEEDS)[:, None]
x, labels = points["spirals"]
deep = {}
for activation in ("relu", "tanh"):
    for shape in SHAPES:
        net = cg.network([2, *shape, 2], activation=activation)
        three = [np.stack([each] * 3) for each in (x, labels)]
        w, right = train(net, *three, lr=RATES)
        best = right.mean(1).argmax()
        deep[activation, tuple(shape)] = net, w[best], right[best]
        counts = [solved(each) for each in right]
        print(f"{activation} {net.size} {shape!s:12} solved {counts}")

# %% alt="Six small squares with two spirals and the regions that networks drew. With ReLU the boundary has corners, with tanh it is smooth. One and two layers follow the arms. Four narrow layers with ReLU miss parts of the arms; with tanh they do better." caption="Above ReLU, below tanh; one, two and four layers, nearly the same number of weights."
figure, axes = plt.subplots(2, 3, figsize=(5.0, 4.0))
for axis, (net, w, right) in zip(axes.flat, deep.values(), strict=True):
    draw(axis, net, w[middle(right)], x, labels)
    shape = ", ".join(map(str, net.sizes[1:-1]))
    axis.set_title(f"{shape}: {solved(right)} of 8")
for axis, activation in zip(axes[:, 0], ("ReLU", "tanh"), strict=True):
    axis.set_ylabel(activation)
plt.show()
means = {key: right.mean() for key, (_, _, right) in deep.items()}
assert means["relu", (4, 4, 4, 4)] < means["relu", (16,)] - 0.05
assert means["tanh", (4, 4, 4, 4)] < means["tanh", (6, 7)]
assert means["relu", (4, 4, 4, 4)] < means["tanh", (4, 4, 4, 4)]

# %% [markdown]
# With nearly the same number of weights, two layers can hold their own against one. Four
# narrow ones cannot, and with ReLU they do worst. Why? Look at what goes wrong.
#
# ## Where training fails
#
# Eight layers of four ReLU units on the moons, an easy set. Twenty starts, the worst first:

# %% alt="Twenty small squares with two moons. In the first ones the whole square has one colour or none. Then come some with a single straight cut, and in the last ones the boundary runs between the moons." caption="Eight layers of four ReLU units, twenty starts, sorted."
x, labels = points["moons"]


def deep_and_narrow(activation, skip=False):
    """Train twenty; return the network, its starts, its ends, and who is right."""
    net = cg.network([2] + [4] * 8 + [2], activation=activation, skip=skip)
    begin = net.init(range(20), scheme="xavier" if activation == "tanh" else "he")
    w, right = train(net, x[None], labels[None], seeds=20, lr=0.01)
    return net, begin, w[0], right[0]


net, begin, w, right = plain = deep_and_narrow("relu")
figure, axes = plt.subplots(4, 5, figsize=(5.0, 3.8))
for axis, i in zip(axes.flat, right.argsort(kind="stable"), strict=True):
    draw(axis, net, w[i], x, labels)
plt.show()

# %% [markdown]
# Some have one colour, or none for a tie: whatever the point, the answer is the same. When
# all four units of a layer are silent, nothing passes it, neither a signal forth nor a
# gradient back. How often is it so at the start, and how often in the end? Try three ways
# out: a ReLU that leaks, a skip around each layer, and tanh.


# %%
def constant(net, w):
    """How many networks say the same of all points?"""
    return int((np.ptp(net.forward(w, x), axis=1).max(1) < 1e-9).sum())


fate = {
    "ReLU": plain,
    "leaky": deep_and_narrow("leaky_relu"),
    "skips": deep_and_narrow("relu", skip=True),
    "tanh": deep_and_narrow("tanh"),
}
print("of 20   constant  later  solved")
for name, (net, begin, w, right) in fate.items():
    fate[name] = constant(net, begin), constant(net, w), solved(right)
    print(f"{name:6} {fate[name][0]:9} {fate[name][1]:6} {fate[name][2]:7}")
assert fate["ReLU"][1] >= fate["ReLU"][0] > 0
assert all(fate[name][:2] == (0, 0) for name in ("leaky", "skips", "tanh"))
assert fate["tanh"][2] > fate["ReLU"][2]

# %% [markdown]
# All three keep the signal alive. That is not yet a solution: many of those that leak or skip
# still end with too few cuts. Tanh, which bends everywhere and is silent nowhere, does best
# here. Wider layers are another way out: four of four units fall silent more easily than
# sixteen of sixteen.
#
# ## Far from the points
#
# Now 16 units, which know the moons, and a look from farther away. How sure are they, where
# there are points and where there are none?

# %% alt="Two squares seen from far, with small moons in the middle. Nearly all of both is strongly tinted in one of two colours, out to the edges. With ReLU the border between them ends in straight rays; with tanh it is bent. Faint is only a narrow strip along the border." caption="How sure the first of the networks is of either moon. Faint: not sure."
figure, axes = plt.subplots(1, 2, figsize=(5.0, 2.9))
across, up, places = plane(x, margin=6, ticks=60)
near = (abs(places - x.mean(0)) < abs(x - x.mean(0)).max(0)).all(1)
for axis, activation in zip(axes, ("relu", "tanh"), strict=True):
    net = cg.network([2, 16, 2], activation=activation)
    w, right = train(net, x[None], labels[None])
    score = np.subtract(*np.moveaxis(net.forward(w[0], places), -1, 0))
    p = 1 / (1 + np.exp(-abs(score)))  # of the moon that is named
    for k, side in enumerate((score[0], -score[0])):
        sure = np.where(side > 0, p[0], 0).reshape(len(up), len(across))
        shades = [to_rgba(f"C{k}", alpha) for alpha in (0.1, 0.25, 0.4, 0.6)]
        axis.contourf(across, up, sure, [0.5, 0.8, 0.95, 0.99, 1.01], colors=shades)
    axis.plot(*x.T, ".", color="C5", markersize=1)
    axis.set(title=activation, xticks=[], yticks=[], aspect="equal")
    print(
        f"{activation}: sure of {p[:, near].mean():.0%} near, {p[:, ~near].mean():.0%} far"
    )
    assert p[:, near].mean() + 0.02 < p[:, ~near].mean()
plt.show()

# %% [markdown]
# The farther from all points, the surer. A network is in doubt where classes meet, not where
# it has seen nothing: nothing in its training asks it to say "I do not know".
#
# ## The same data with noise
#
# Now blur the moons. For known noise the best possible boundary can be computed: name the
# moon that is more likely to have thrown the point there. Beside it a small network and a
# large one, eight starts for each amount of noise.


# %%
def best(places, noise):
    """Name the moon under whose noise a place is more likely."""
    angle = np.linspace(0, np.pi, 100)
    upper = np.stack([np.cos(angle), np.sin(angle)], 1)
    likely = [
        np.exp(-((places[:, None] - moon) ** 2).sum(-1) / (2 * noise**2)).mean(1)
        for moon in (upper, [1, 0.5] - upper)
    ]
    return likely[1] - likely[0]


NOISE = (0.1, 0.2, 0.3, 0.4)


def moons(n, rng):
    """The points and the labels for each noise, stacked."""
    drawn = (cg.data.moons(n, noise=noise, rng=rng) for noise in NOISE)
    return [np.stack(each) for each in zip(*drawn, strict=True)]


seen, new = moons(100, rng=0), moons(1000, rng=1)
fitted = {}
for name, hidden in (("small", [4]), ("large", [16, 16])):
    net = cg.network([2, *hidden, 2], activation="tanh")
    w, right = train(net, *seen)
    tested = np.array(
        [
            cg.training.accuracy(net, many, *each)
            for many, *each in zip(w, *new, strict=True)
        ]
    )
    fitted[name] = net, w, right, tested
ideal = np.array(
    [
        ((best(x, noise) > 0) == labels).mean()
        for x, labels, noise in zip(*new, NOISE, strict=True)
    ]
)

# %% alt="Eight small squares: moons that become more blurred from left to right, above the regions of a small network and below those of a large one, with a dashed line, the best boundary, in each. The small network's boundary is simple and stays near the dashed line. That of the large one bends round single points, and leaves the dashed line as the noise grows." caption="Noise 0.1, 0.2, 0.3 and 0.4. Above 4 units, below two layers of 16. Dashed: the best boundary there is."
figure, axes = plt.subplots(2, 4, figsize=(5.0, 3.0))
for row, (net, w, right, _) in zip(axes, fitted.values(), strict=True):
    for k, axis in enumerate(row):
        x, labels = seen[0][k], seen[1][k]
        draw(axis, net, w[k, middle(right[k])], x, labels)
        across, up, places = plane(x)
        limit = best(places, NOISE[k]).reshape(len(up), len(across))
        axis.contour(across, up, limit, [0], colors="C5", linestyles="--")
for axis, noise in zip(axes[0], NOISE, strict=True):
    axis.set_title(f"noise {noise}")
plt.show()

# %%
print("         small        large       best")
print("noise  seen  new    seen  new     new")
for k, noise in enumerate(NOISE):
    small, large = (
        f"{right[k].mean():5.1%} {tested[k].mean():5.1%}"
        for *_, right, tested in fitted.values()
    )
    print(f"{noise:4} {small:>12} {large:>12} {ideal[k]:6.1%}")
*_, small_right, small = fitted["small"]
*_, large_right, large = fitted["large"]
assert (large_right.mean(1) > small_right.mean(1)).all()
assert small[0].mean() < large[0].mean()
assert (small[2:].mean(1) > large[2:].mean(1) + 0.005).all()

# %% [markdown]
# What it has seen the large network always knows better. On new points it is ahead only
# where there is little noise; with much, it learns the noise by heart. So a network that is
# too small and one that is too large both fail, and which one is too large depends on the
# data.
#
# ## To try
#
# - Eight starts are eight opinions. Let them vote (the mean of their outputs) on the noisy
#   moons: do the large ones win back what they lost?
# - Give the four narrow layers of the spirals their rate and `skip=True`. How many starts
#   solve it now? And with tanh?
# - Draw the far picture for the spirals, and for `"sigmoid"`. Then mark the places where the
#   eight do not agree. Are those the places where each of them is unsure?
