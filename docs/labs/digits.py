# ---
# description: One problem from start to finish, in both backends; what the network gets wrong, and why.
# tags: [MNIST]
# ---

# %% [markdown]
# # Digits, from start to finish
#
# Read 1797 images, train a network on most of them, and find out where it fails: once with
# the NumPy backend and once with the PyTorch backend, from one seed. You need:
# [gradient descent](../training/gradient-descent.md).

# %%
import matplotlib.pyplot as plt
import numpy as np

import chalkgrad.numpy as cg
import chalkgrad.torch as cg_torch

# %% [markdown]
# ## Look
#
# Before anything else, look at the data. Ten of each digit, and how many there are of each:

# %% alt="A hundred small images of handwritten digits, a row for each digit from 0 to 9. They are coarse, 8 by 8 pixels, and some are hard to read." caption="Ten of each digit."
x, labels = cg.data.digits()
images = np.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
rows = [np.hstack(images[labels == digit][:10]) for digit in range(10)]
figure, axis = plt.subplots(figsize=(5, 5))
axis.imshow(np.vstack(rows), cmap="gray_r")
axis.axis("off")
plt.show()

# %%
print("images and pixels:", x.shape)
print("ink from", x.min(), "to", x.max())
for digit, count in enumerate(np.bincount(labels)):
    print(f"{count} times {digit}")

# %% [markdown]
# The classes are about equally large, so guessing is right in one case of ten: the **chance
# level**. That is the number to beat first.

# %% [markdown]
# ## Split
#
# Three parts. The network learns from the first, the **training set**. On the second, the
# **validation set**, we watch it and choose, for instance when to stop. The third, the
# **test set**, stays shut until the end: a number on which anything was chosen is no longer
# a fair one.

# %%
x, labels, x_test, labels_test = cg.data.split(x, labels, fraction=0.2)
x, labels, x_val, labels_val = cg.data.split(x, labels, fraction=0.2)
print(len(x), "to learn from")
print(len(x_val), "for validation")
print(len(x_test), "to test")

# %% [markdown]
# ## Train, twice
#
# The function takes the backend as an argument, and nothing else in it knows which backend it is.
# NumPy draws every random number in both, so both start from the same weights and see the
# same batches.


# %%
def train(cg):
    net = cg.network([64, 64, 10])
    result = cg.training.fit(
        net,
        net.init(rng=0),
        cg.array(x),
        cg.array(labels),
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.adam(lr=0.003),
        epochs=20,
        batch_size=32,
        validation=(cg.array(x_val), cg.array(labels_val)),
    )
    return net, result


net, result = train(cg)
net_torch, result_torch = train(cg_torch)
apart = abs(result.w - cg_torch.asnumpy(result_torch.w)).max()
print(f"after {result.steps} steps no weight differs")
print(f"by more than {apart:.0e}")
assert apart < 1e-6

# %% [markdown]
# Rounding differs between the backends, and each step carries the difference on. After all
# those steps it is still far too small to see:

# %% alt="Loss against epoch. The loss on the examples falls steadily. The validation loss falls too, flattens, and stays above it. For each, the dashed curve of the PyTorch backend lies on the solid one of the NumPy backend." caption="Solid: NumPy. Dashed: PyTorch."
figure, axis = plt.subplots()
epochs = np.arange(1, len(result.loss) + 1)
for loss, other, name, colour in (
    (result.loss, result_torch.loss, "training", "C0"),
    (result.validation_loss, result_torch.validation_loss, "validation", "C1"),
):
    axis.semilogy(epochs, loss, color=colour, alpha=0.4, linewidth=4, label=name)
    axis.semilogy(epochs, other, "--", color=colour)
axis.set(xlabel="epoch", ylabel="loss (nats)", xticks=[1, 5, 10, 15, 20])
axis.legend()
plt.show()

# %% [markdown]
# ## Judge
#
# Now the test set, once.

# %%
w = result.w
accuracy = cg.training.accuracy(net, w, x_test, labels_test)
wrong = round((1 - accuracy) * len(x_test))
print(f"right in {accuracy:.1%} of the images")
print(f"wrong in {wrong} of {len(x_test)}")

# %% [markdown]
# How sure is that number? If each image is a toss of the same coin, the count of mistakes
# varies by about its square root from one set of images to the next:

# %%
print(f"{wrong} ± {wrong**0.5:.0f} mistakes in {len(x_test)}")

# %% [markdown]
# ## Which digits are confused
#
# The **confusion matrix** counts it. A row is a digit, a column is what the network calls it,
# and what is on the diagonal is right.

# %% alt="A table of ten rows and ten columns with counts. Nearly all counts stand on the diagonal, which is shaded; a few small counts are scattered off it, shaded in another colour." caption="Blue is right, orange is wrong."
table = cg.training.confusion(net, w, x_test, labels_test)
figure, axis = plt.subplots(figsize=(5, 5))
for true in range(10):
    for named in range(10):
        if count := table[true, named]:
            colour = "C0" if true == named else "C1"
            place = (named - 0.5, true - 0.5)
            axis.add_patch(plt.Rectangle(place, 1, 1, color=colour, alpha=0.3))
            axis.text(named, true, count, ha="center", va="center")
axis.set(xlim=(-0.5, 9.5), ylim=(9.5, -0.5), aspect="equal")
axis.set(xticks=range(10), yticks=range(10), xlabel="named", ylabel="digit")
plt.show()

# %% [markdown]
# ## Look at the mistakes
#
# A number says how many. To find out why, look. Above each image: what it is, what the
# network says, and how sure it is. (`probabilities` is the **softmax** of the ten outputs.)

# %%
p = cg.training.probabilities(net, w, x_test)
named = p.argmax(axis=1)
mistakes = np.flatnonzero(named != labels_test)
mistakes = mistakes[p[mistakes].max(axis=1).argsort()[::-1]]  # the surest first

# %% alt="Images of digits that the network named wrongly, each with its digit, the name it got and a probability. Several are hard to read for a person too." caption="The mistakes, the surest first."
rows = -(-len(mistakes) // 5)
figure, axes = plt.subplots(rows, 5, figsize=(5.0, 1.8 * rows), squeeze=False)
for axis in axes.flat:
    axis.axis("off")
for axis, i in zip(axes.flat, mistakes, strict=False):
    axis.imshow(x_test[i].reshape(8, 8), cmap="gray_r")
    axis.set_title(f"{labels_test[i]}, not {named[i]}\n{p[i].max():.0%}")
plt.show()

# %% [markdown]
# Would you have read them all rightly? Some have strokes that were cut off, or that melted
# together when the scan was made coarser.
#
# And can you trust the percentages? A network is **calibrated** if it is right as often as
# it says. Sort the images by how sure it is of them. Where the dots lie below the line, it is
# **overconfident**:

# %% alt="A plot of the share that is right against the confidence, in four groups of images. The dots lie near the diagonal, the groups of low confidence with wide error bars." caption="A reliability diagram: is it right as often as it says? Bars: one standard error."
sure, right = p.max(axis=1), named == labels_test
figure, axis = plt.subplots(figsize=(4.4, 4))
axis.plot([0.3, 1], [0.3, 1], "--", color="C5", linewidth=1)
for low, high in ((0.0, 0.7), (0.7, 0.9), (0.9, 0.99), (0.99, 1.0)):
    those = (sure > low) & (sure <= high)
    says, share, count = sure[those].mean(), right[those].mean(), those.sum()
    print(f"sure up to {high:.0%}: {count} images, says {says:.0%}, right {share:.0%}")
    error = (share * (1 - share) / count) ** 0.5
    axis.errorbar(says, share, error, fmt="o", color="C0")
axis.set(xlabel="confidence", ylabel="share that is right")
plt.show()

# %% [markdown]
# ## To try
#
# - Train for 100 epochs. Which of the two losses goes on falling? Does the network make
#   fewer mistakes, or only more confident ones?
# - Give the network one hidden unit, then two, then four. From how many on does it know all
#   ten digits?
# - Shift every image of the test set by one pixel (`np.roll(image, 1, axis=1)`) and judge
#   again. A person would not notice.
