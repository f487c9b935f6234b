# ---
# description: Numbers that somebody chose and numbers that a network found, given to one classifier; what each gets wrong, and what each knows.
# ---

# %% [markdown]
# # Features by hand against learned
#
# Somebody who knows digits tells the machine to look at ink, symmetry, holes and shadows. A
# network is told nothing and finds features of its own. Give both to the same simple
# classifier. Which digits does each get wrong, and does one know what the other does not?
# You need: [the pipeline](../traditional-ml/pipeline.md) and
# [the idea](../traditional-ml/the-idea.md).

# %%
import matplotlib.pyplot as plt
import numpy as np

import chalkgrad.numpy as cg

x, labels = cg.data.digits()

# %% [markdown]
# ## By hand
#
# Four families of numbers. The ink as a whole; how far the image is from its mirror images,
# left to right and top to bottom; pieces minus holes, counted after Euler; and the shadows
# that the ink throws on the two edges, its sum in every row and column, called
# **projections**.


# %%
def ink(a):
    return a.sum((1, 2))


def symmetry(a):
    mirrored = a[:, :, ::-1], a[:, ::-1]
    return np.column_stack([abs(a - b).sum((1, 2)) for b in mirrored])


def holes(a):
    black = np.pad(a > 0.4, ((0, 0), (1, 1), (1, 1)))
    down, across = black[:, 1:] | black[:, :-1], black[:, :, 1:] | black[:, :, :-1]
    corners = down[:, :, 1:] | down[:, :, :-1]
    sides = down.sum((1, 2)) + across.sum((1, 2))
    return 1.0 * (corners.sum((1, 2)) - sides + black.sum((1, 2)))


def projections(a):
    return np.hstack([a.sum(2), a.sum(1)])


FAMILIES = (ink, symmetry, holes, projections)


def made_of(*families):
    """A function that computes the numbers of these families."""
    return lambda x: np.column_stack([f(x.reshape(-1, 8, 8)) for f in families])


by_hand = made_of(*FAMILIES)
print(by_hand(x).shape[1], "numbers for an image")

# %% [markdown]
# ## Learned
#
# As many numbers, from the hidden layer of a network that was trained on all ten digits.
# Beside it the same layer before training, features of chance.


# %%
def train(net, w, x, y, lr, steps):
    return cg.training.fit(
        net,
        w,
        x,
        y,
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.adam(lr),
        epochs=steps,
    ).w


net = cg.network([64, 20, 10])


def hidden(w):
    """A function that computes what the hidden units say."""
    W, b = net.layers(w)[0]
    return lambda x: np.maximum(x @ W + b, 0)


# %% [markdown]
# ## One judge for all
#
# A **linear classifier** weighs its features and adds. It has to make do with what it is
# given, so it tells what the features are worth. A network without a hidden layer is one,
# so nothing else need be installed; with scikit-learn it would be `LogisticRegression`.
# Five times, hold out another two fifths of the images.


# %%
def judge(features, y, new):
    """Name the new images."""
    mean, spread = features.mean(0), features.std(0) + 1e-9
    linear = cg.network([features.shape[1], 10])
    start = linear.init(scheme="zeros")
    w = train(linear, start, (features - mean) / spread, y, lr=0.05, steps=150)
    return linear.forward(w, (new - mean) / spread).argmax(1)


def judged(features):
    """Name the held-out images of each split; one function of features for each."""
    return [
        judge(f(seen), y, f(new))
        for f, (seen, y, new, _) in zip(features, splits, strict=True)
    ]


def right(named):
    return np.mean([(n == y).mean() for n, (*_, y) in zip(named, splits, strict=True)])


splits = [cg.data.split(x, labels, fraction=0.4, rng=k) for k in range(5)]
starts = [net.init(k) for k in range(5)]
learned = [
    train(net, w, seen, y, lr=0.01, steps=150)
    for w, (seen, y, *_) in zip(starts, splits, strict=True)
]
kinds = {
    "by hand": [by_hand] * 5,
    "pixels": [np.array] * 5,
    "chance": [hidden(w) for w in starts],
    "learned": [hidden(w) for w in learned],
}
named = {name: judged(features) for name, features in kinds.items()}
for name, answers in named.items():
    print(f"{name:10} {right(answers):6.1%}")
assert right(named["chance"]) + 0.05 < right(named["by hand"])
assert right(named["by hand"]) + 0.01 < right(named["learned"])
assert abs(right(named["learned"]) - right(named["pixels"])) < 0.015

# %% [markdown]
# Twenty numbers by hand are far better than twenty of chance. Twenty learned ones are better
# still, and as good as all 64 pixels.
#
# ## Which family is worth what?
#
# Leave one out at a time.

# %%
for left_out in FAMILIES:
    rest = [family for family in FAMILIES if family is not left_out]
    share = right(judged([made_of(*rest)] * 5))
    print(f"without {left_out.__name__:12} {share:6.1%}")
alone = judged([made_of(projections)] * 5)
print(f"projections alone    {right(alone):6.1%}")

# %% [markdown]
# Nearly all comes from the projections. The ink adds nothing, and cannot: it is the sum of
# the rows, and a linear classifier can add by itself. How many of the twenty numbers does
# the judge really get?

# %%
rank = np.linalg.matrix_rank(by_hand(x))
print(rank, "that no sum of the others gives")
assert rank == np.linalg.matrix_rank(made_of(symmetry, holes, projections)(x))

# %% [markdown]
# ## What each gets wrong

# %% alt="The share of mistakes for each digit from 0 to 9, four markers each. Projections alone are wrong most often, above all on eights. With symmetry and holes too, the eights are much better. Learned features are lower on nearly all digits, pixels close to them; eights stay the hardest or close to it." caption="Mistakes on held-out images, by digit."
figure, axis = plt.subplots()
shown = {"projections": alone} | {k: v for k, v in named.items() if k != "chance"}
truth = np.concatenate([y for *_, y in splits])
wrong = {}
for (name, answers), marker in zip(shown.items(), "vDso", strict=True):
    mistakes = np.concatenate(answers) != truth
    wrong[name] = [mistakes[truth == digit].mean() for digit in range(10)]
    axis.plot(range(10), wrong[name], marker, label=name, alpha=0.8)
axis.set(xlabel="digit", ylabel="wrong", xticks=range(10), ylim=(0, None))
axis.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
axis.legend()
plt.show()
gains = np.subtract(wrong["projections"], wrong["by hand"])
assert gains[8] > 0.03 > 0 > gains.min()

# %% [markdown]
# By its shadows alone an eight looks like several others. Symmetry and holes were meant for
# it, and there they pay. Not everywhere: which digit does worse with them? What features by
# hand are bad at can be read off, and mended by somebody who has an idea.
#
# Now look at images that one of the two names rightly and the other does not.

# %% alt="Two rows of six images of digits, each with its digit and the wrong name it got. Above, images that only the learned features get right; below, images that only the features by hand get right. Most of them look odd, but can be read." caption="Above, only the learned features are right, and what those by hand say. Below the other way round."
figure, axes = plt.subplots(2, 6, figsize=(5.0, 2.7))
_, _, new, y = splits[0]
ours, its = named["by hand"][0], named["learned"][0]
only_its = np.flatnonzero((its == y) & (ours != y))
only_ours = np.flatnonzero((ours == y) & (its != y))
for row, images, says in ((axes[0], only_its, ours), (axes[1], only_ours, its)):
    for axis, i in zip(row, images, strict=False):
        axis.imshow(new[i].reshape(8, 8), cmap="gray_r")
        axis.set_title(f"{y[i]}, not {says[i]}")
    for axis in row:
        axis.axis("off")
plt.show()
print(len(only_its), "only learned,", len(only_ours), "only by hand")

# %% [markdown]
# Their mistakes are not the same. Then each knows something that the other does not. Give
# the judge both.


# %%
def beside(f, g):
    return lambda x: np.hstack([f(x), g(x)])


both = right(judged([beside(f, by_hand) for f in kinds["learned"]]))
padded = right(judged(list(map(beside, kinds["learned"], kinds["chance"]))))
print(f"learned and by hand {both:.1%}")
print(f"learned and chance  {padded:.1%}")
assert both > max(padded, right(named["learned"]), right(named["by hand"]))

# %% [markdown]
# Both together are better than either, and it is not only that there are more of them:
# twenty features of chance do less in their place.
#
# ## What they look for
#
# A feature that adds pixels is a picture of weights, a **mask**. Rows and columns are masks
# of zeros and ones; the units of the first layer have masks too, and training drew them.
# Side by side:

# %% alt="Two blocks of small pictures. In the upper two rows, single red rows and then single red columns on grey. In the lower rows, masks of twenty units, each a mixture of red and blue patches; some have blue and red strokes beside each other, others look like noise." caption="Above, the masks of the projections. Below, those of the twenty units: red where ink excites, blue where it inhibits."
rows, columns = np.repeat(np.eye(8), 8, axis=0), np.tile(np.eye(8), (8, 1))
masks = np.hstack([rows, columns])
W = net.layers(learned[0])[0][0]
spread = splits[0][0].std(0)[:, None]  # a weight counts as much as its pixel varies
pictures = [*masks.T, *(spread * W).T]
figure, axes = plt.subplots(5, 8, figsize=(5.0, 3.7))
for axis in axes.flat:
    axis.axis("off")
for axis, picture in zip(axes.flat, pictures, strict=False):
    far = abs(picture).max()
    axis.imshow(picture.reshape(8, 8), cmap="coolwarm", vmin=-far, vmax=far)
plt.show()

# %% [markdown]
# No unit is a row or a column. But a judge may add rows and columns with any weights. How
# much of what the units look for can be made of them? Take the part of each mask that lies
# in the space of the sixteen, and compare it with the mask as a whole; before training,
# after it, and for what training has added.

# %%
directions, sizes, _ = np.linalg.svd(spread * masks, full_matrices=False)
directions = directions[:, sizes > 1e-9 * sizes[0]]


def share(W):
    seen = spread * W
    return ((directions.T @ seen) ** 2).sum() / (seen**2).sum()


print(f"a random mask would be {directions.shape[1] / (spread > 0).sum():.0%}")
before, after = (net.layers(w[0])[0][0] for w in (starts, learned))
added = share(after - before)
for name, part in (("before", before), ("after", after), ("added", after - before)):
    print(f"{name:7} {share(part):4.0%} is rows and columns")
assert share(before) < 0.4 < added < 0.65

# %% [markdown]
# Half of what training drew is rows and columns: whoever chose the projections was not far
# off. The other half is what rows and columns cannot say, such as a stroke at one place.
#
# ## Did the network find the holes?
#
# The other families are no masks: a hole is not a sum. Still, the network may have found
# something that goes with holes. Ask a judge again, now for a number: the least squares
# line from the features to pieces minus holes. How much of its variance on new images can
# it tell?


# %%
def told(features, new, target, target_new):
    fit, new = (np.column_stack([f, np.ones(len(f))]) for f in (features, new))
    line = np.linalg.solve(fit.T @ fit + 0.1 * np.eye(fit.shape[1]), fit.T @ target)
    rest = ((new @ line - target_new) ** 2).mean()
    return 1 - rest / target_new.var()


holes_of = made_of(holes)
kinds["projections"] = [made_of(projections)] * 5
found = {
    name: np.mean(
        [
            told(f(seen), f(new), holes_of(seen), holes_of(new))
            for f, (seen, _, new, _) in zip(kinds[name], splits, strict=True)
        ]
    )
    for name in ("chance", "projections", "learned", "pixels")
}
for name, part in found.items():
    print(f"{name:12} {part:4.0%} of the holes")
assert max(found["chance"], found["projections"]) < found["learned"] < 0.6

# %% [markdown]
# The units tell more of the holes than chance or projections do, and yet less than half.
# Nobody asked for holes; the network needed digits. That is why the features by hand still
# had something to add.
#
# ## To try
#
# - Find a feature of your own, add it to `FAMILIES`, and see whether it moves the eights, or
#   any digit. Does it still help when the learned features are there too?
# - Move all held-out images one pixel to the right. Which families hardly notice? Then move
#   every image, those to learn from too, so that the middle of its ink is in the middle.
# - Learn from some 50 images (`fraction=0.97`). Which of the four is best now?
