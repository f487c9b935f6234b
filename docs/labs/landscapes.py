# ---
# description: Deep networks with and without skip connections, their loss surface seen from near and from far, and what of it is only the ruler.
# ---

# %% [markdown]
# # Loss landscapes with and without skips
#
# A picture of a loss depends on where you stand, how far you look, and how long your steps
# are. Which difference between plain networks and those with skip connections is there
# whatever you choose, and which one did you choose? You need:
# [loss landscapes](../training/loss-landscapes.md).

# %%
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgba

import chalkgrad.numpy as cg

loss = cg.losses.cross_entropy
x, labels = cg.data.digits()
x, labels = x[:200], labels[:200]

# %% [markdown]
# ## Stand at the same height
#
# A surface at the top of a hill and at the bottom look different anywhere. So
# train networks of 4, 10 and 20 hidden layers, three starts each, and stop each one at the
# first step where its loss is below one half. The networks with skips start with smaller
# hidden weights, or the sum of all their layers would grow too large.


# %%
def start(net, seeds):
    w = net.init(seeds)
    if net.skip:
        hidden = net.layers(w)[1:-1]
        for W, _ in hidden:
            W *= len(hidden) ** -0.5
    return w


def walk(net, w, height=0.5, steps=400):
    """All places of each network, from its start to where it is below the height."""
    optimizer, places, heights = cg.optimizers.adam(lr=1e-3), [w], []
    state = optimizer.init(w)
    for _ in range(steps):
        value, grad = net.loss_and_grad(w, x, labels, loss)
        heights.append(value)
        if (np.min(heights, axis=0) < height).all():
            break
        w, state = optimizer.step(w, grad, state)
        places.append(w)
    arrived = np.argmax(np.array(heights) < height, axis=0)
    assert (arrived > 0).all()  # all of them did arrive
    return [np.array(places)[: last + 1, i] for i, last in enumerate(arrived)]


KINDS = {False: "plain", True: "skips"}
networks, walks = {}, {}
for depth in (4, 10, 20):
    for skip in KINDS:
        net = cg.network([64] + [16] * depth + [10], skip=skip)
        networks[depth, skip] = net
        walks[depth, skip] = walk(net, start(net, range(3)))
        steps = [len(path) - 1 for path in walks[depth, skip]]
        print(f"{depth:2} layers, {KINDS[skip]}: {steps} steps")

# %% [markdown]
# All of them arrive, plain or not, and about equally fast. At these depths training is no
# harder without skips. Is the surface any different?
#
# ## Sharpness
#
# The sharpness is the largest curvature in any direction. It is one number, and needs no
# picture.

# %% alt="Sharpness against the number of hidden layers, 4, 10 and 20, on a logarithmic scale, three dots for each kind of network. With 4 layers plain networks lie somewhat above those with skips. The plain ones then rise steeply, to thousands at 20 layers; those with skips rise far less." caption="Twice three networks for each depth, all at a loss just below one half."
sharp = {
    (depth, skip): [
        cg.landscape.sharpness(
            net, path[-1], x, labels, loss, tolerance=0.01
        ).eigenvalue
        for path in walks[depth, skip]
    ]
    for (depth, skip), net in networks.items()
}
figure, axis = plt.subplots()
for skip, marker in ((False, "o"), (True, "s")):
    at = [depth for depth in (4, 10, 20) for _ in range(3)]
    values = [value for depth in (4, 10, 20) for value in sharp[depth, skip]]
    axis.loglog(at, values, marker, label=KINDS[skip], alpha=0.8)
axis.set(xlabel="hidden layers", ylabel="sharpness")
axis.set_xticks([4, 10, 20], ["4", "10", "20"])
axis.minorticks_off()
axis.legend()
plt.show()

# %%
for depth in (4, 10, 20):
    ratio = np.median(sharp[depth, False]) / np.median(sharp[depth, True])
    print(f"{depth:2} layers: plain {ratio:4.1f} times as sharp")
assert np.median(sharp[20, False]) > 3 * np.median(sharp[20, True])

# %% [markdown]
# With few layers the two are much alike; with 20 they are not.
#
# ## From near and from far
#
# Now the pictures. Take the networks of 20 layers from the first start, and one pair of
# directions for each, scaled by filter: at distance 1 the weights into each unit have
# changed by as much as their own length. Look at the same surface three times, the last
# time a hundred times as far as the first.


# %%
def ground(axis, net, w, directions, radius, levels, points=23):
    """Shade by height: the higher, the stronger; a line at each level."""
    heights = cg.landscape.loss_grid(
        net, w, x, labels, loss, directions, radius=radius, points=points
    )
    steps = np.linspace(-radius, radius, points)
    seen = steps, steps, np.log10(heights).T, levels
    shades = [to_rgba("C0", alpha) for alpha in np.linspace(0.05, 0.8, len(levels))]
    axis.contourf(*seen, colors=shades, extend="max")
    axis.contour(*seen, colors="C5", linewidths=0.6, linestyles="solid")
    axis.set(aspect="equal", xticks=[], yticks=[])


# %% alt="Six squares seen from above, shaded by height, a plain network above and one with skips below. From near, both show smooth ovals, closer together for the plain one. At the middle distance the plain network's surface is a narrow valley whose lines no longer run parallel; from far its rings are many and crooked. With skips there are a few rounded rings at each distance." caption="20 layers, as far as 0.02, 0.2 and 2 times the length of the weights. From line to line the loss grows by a tenth of a power of ten, by a fifth, and by a whole one."
figure, axes = plt.subplots(2, 3, figsize=(5.0, 4.1))
views = ((0.02, 0.1), (0.2, 0.2), (2.0, 1.0))
for row, (skip, kind) in zip(axes, KINDS.items(), strict=True):
    net, w = networks[20, skip], walks[20, skip][0][-1]
    d = cg.landscape.directions(net, w)
    for axis, (radius, step) in zip(row, views, strict=True):
        ground(axis, net, w, d, radius, np.log10(0.4) + step * np.arange(11))
        axis.plot(0, 0, "+", color="C1", markersize=9)
        axis.set_title(f"{kind}, {radius:g}")
plt.show()

# %% [markdown]
# From near, everything is a bowl: that is what sharpness measures. How far does the bowl
# reach? A bowl bends up everywhere, so walk lines in two directions from each of the three
# networks, and count the share that bends down.


# %%
def lines(skip, normalize, radius, points=41):
    """The loss on two lines from each of the three networks, a row for each line."""
    net = networks[20, skip]
    return np.array(
        [
            cg.landscape.loss_grid(
                net, path[-1], x, labels, loss, d, radius=radius, points=points
            )
            for path in walks[20, skip]
            for d in cg.landscape.directions(net, path[-1], normalize=normalize)
        ]
    )


def bends_down(heights):
    return (np.diff(heights, n=2) < 0).mean()


print("   as far as  plain  skips")
far = {}
for radius in (0.02, 0.2, 2.0):
    far[radius] = [bends_down(lines(skip, "filter", radius)) for skip in KINDS]
    plain, skips = far[radius]
    print(f"{radius:12g} {plain:6.0%} {skips:6.0%}")
assert far[0.2][0] > 0.1 > 0.05 > far[0.2][1]

# %% [markdown]
# ## What random directions do not show
#
# The sharpest direction is one of thousands. What does a random one see of it? Walk the
# same length in both.

# %% alt="Two graphs of the loss along a line through a trained network, 0.3 long on either side. For the plain network the sharpest direction is a narrow slit whose walls leave the graph at once; two random directions are almost flat. With skips the sharpest direction is a wider valley and the random ones are flat." caption="The same networks of 20 layers, and steps of the same length."
figure, axes = plt.subplots(1, 2, sharey=True)
steps = np.linspace(-0.3, 0.3, 61)
seen = {}
for axis, (skip, kind) in zip(axes, KINDS.items(), strict=True):
    net, w = networks[20, skip], walks[20, skip][0][-1]
    found = cg.landscape.sharpness(net, w, x, labels, loss, tolerance=0.01)
    aimless = np.random.default_rng(0).standard_normal((10, net.size))
    aimless /= np.linalg.norm(aimless, axis=1, keepdims=True)
    for d, colour in ((aimless[0], "C0"), (aimless[1], "C0"), (found.direction, "C1")):
        line = cg.landscape.loss_grid(
            net, w, x, labels, loss, d, radius=0.3, points=len(steps)
        )
        axis.plot(steps, line, color=colour)
    axis.set(title=kind, xlabel="distance", ylim=(0, 8))

    def height(v, net=net):
        return loss(net.forward(v, x), labels)

    bend = [(d * cg.autodiff.hvp(height, w, d)).sum() for d in aimless]
    seen[skip] = found.eigenvalue / np.mean(bend)
    print(f"{kind}: sharpest {found.eigenvalue:.0f}, at random {np.mean(bend):.2f}")
axes[0].set_ylabel("loss")
axes[1].plot([], color="C1", label="sharpest")
axes[1].plot([], color="C0", label="random")
axes[1].legend(loc="upper center")
plt.show()
assert min(seen.values()) > 100

# %% [markdown]
# A random direction bends, on average, like the mean of all curvatures, and most of those
# are next to nothing. So a picture of random directions does not show the wall that limits
# the step. Read sharpness beside it.
#
# ## Change the ruler
#
# The directions above were scaled by filter, as long as the weights. How long are those?

# %%
for skip, kind in KINDS.items():
    lengths = [np.linalg.norm(path[-1]) for path in walks[20, skip]]
    print(f"{kind}: weights of length {np.mean(lengths):.0f}")

# %% [markdown]
# The weights of the networks with skips are shorter: they started shorter. So the ruler
# was shorter too, and these networks were shaken less. Do it again with raw directions,
# which shake both kinds equally.

# %% alt="Two graphs of the loss against the distance, the loss logarithmic, with bands. Scaled by filter, the plain networks rise far above those with skips at each distance. With raw directions the plain ones are higher only near the middle; farther out those with skips are higher." caption="Six lines, both ways: their medians, and the middle eighty percent."
figure, axes = plt.subplots(1, 2, sharey=True)
heights, down = {}, {}
for axis, (normalize, radius) in zip(
    axes, (("filter", 0.5), ("none", 0.3)), strict=True
):
    for colour, (skip, kind) in zip(("C0", "C1"), KINDS.items(), strict=True):
        both = lines(skip, normalize, radius)
        down[normalize, skip] = bends_down(both)
        out = np.concatenate([both[:, 20:], both[:, 20::-1]])  # from the middle
        heights[normalize, skip] = np.median(out[:, -1])
        steps = np.linspace(0, radius, 21)
        low, middle, high = np.quantile(out, [0.1, 0.5, 0.9], axis=0)
        axis.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
        axis.semilogy(steps, middle, color=colour, label=kind)
    title = "raw" if normalize == "none" else "scaled by filter"
    axis.set(title=title, xlabel="distance")
axes[0].set_ylabel("loss")
axes[0].legend(loc="lower right")
plt.show()

# %%
print("bends down      plain  skips")
for normalize in ("filter", "none"):
    plain, skips = (down[normalize, skip] for skip in KINDS)
    print(f"{normalize:15} {plain:5.0%} {skips:6.0%}")
assert heights["filter", False] > 5 * heights["filter", True]
assert heights["none", False] < heights["none", True]  # the other way round
assert all(down[normalize, False] > 0.1 for normalize in ("filter", "none"))
assert all(down[normalize, True] < 0.05 for normalize in ("filter", "none"))

# %% [markdown]
# "With skips the surface is lower all around" was the ruler: with the other one it is the
# plain networks that are lower, once you go far enough. "With skips it does not bend down"
# holds with both.
#
# ## Where the paths went
#
# Did training notice the rough surface? The plane in which a walk moved most, and the ground
# in it:

# %% alt="Two squares seen from above, each with a path from the start at the right, in a bow through lower places, to a cross in the middle. The middle lies in a hollow; to the left of it the surface rises steeply. In the plain network the hollow is the narrower." caption="From the start, right, to the end, the cross. From line to line the loss doubles."
figure, axes = plt.subplots(1, 2, figsize=(5.0, 3.2))
for axis, (skip, kind) in zip(axes, KINDS.items(), strict=True):
    net, path = networks[20, skip], walks[20, skip][0]
    plane = cg.landscape.project(path)
    radius = 1.1 * abs(plane.coordinates).max()
    levels = np.log10(0.4) + 0.3 * np.arange(11)
    ground(axis, net, path[-1], plane.directions, radius, levels)
    axis.plot(*plane.coordinates.T, ".-", color="C1", markersize=2, linewidth=1)
    axis.plot(0, 0, "+", color="C1", markersize=9)
    axis.set_title(f"{kind}, {sum(plane.explained_variance_ratio):.0%} of the variance")
plt.show()

# %% [markdown]
# The plane holds nearly all of the variance, and yet not the walk. Compare the loss where a
# network really was with the loss under its shadow on the plane:

# %%
farthest = []
for skip, kind in KINDS.items():
    for path in walks[20, skip]:
        plane = cg.landscape.project(path)
        shadow = path[-1] + plane.coordinates @ plane.directions
        real, below = (
            networks[20, skip].loss_and_grad(places[::10], x, labels, loss)[0]
            for places in (path, shadow)
        )
        farthest.append(abs(below - real).max())
        print(f"{kind}: apart by up to {farthest[-1]:.1f}")
assert np.median(farthest) > 0.3

# %% [markdown]
# The dots of such a picture are not at the height on which they are drawn, with skips or
# without. Then do it without a plane. Walk the straight line from the start of each network
# to its end, which training did not:

# %% alt="Two graphs of the loss on the straight line from start to end, three curves each. Those of the plain networks stay nearly level at first and then fall, one of them over a very low hump; those with skips fall from the first, steeply and then less." caption="From the start, 0, straight to the end, 1."
figure, axes = plt.subplots(1, 2)
rises = []
for axis, (skip, kind) in zip(axes, KINDS.items(), strict=True):
    for path in walks[20, skip]:
        middle, half = (path[0] + path[-1]) / 2, (path[-1] - path[0]) / 2
        line = cg.landscape.loss_grid(
            networks[20, skip], middle, x, labels, loss, half, points=41
        )
        axis.plot(np.linspace(0, 1, 41), line)
        rises.append((line - np.minimum.accumulate(line)).max())
    axis.set(title=kind, xlabel="share of the way", ylim=(0, None))
axes[0].set_ylabel("loss")
plt.show()
print(f"highest hump on the six lines: {max(rises):.2f}")
assert max(rises) < 0.1

# %% [markdown]
# Downhill, nearly without a rise, also across the plain ground that is so rough in other
# directions. Rough is what lies round a place that training reached. It does not say that
# training met it.
#
# ## To try
#
# - Set `height=0.05` and let the networks walk on. Do the sharpness of the two kinds come
#   closer to each other?
# - Start the plain networks with the smaller weights too. Do they still arrive? If they do,
#   is the surface round them smoother?
# - Take 64 units instead of 16. The page says that wide networks have smoother surfaces. At how many
#   layers does it begin to bend down?
