# ---
# description: One problem from start to finish, in both halves; what the network gets wrong, and why.
# tags: [MNIST]
# ---

# %% [markdown]
# # Digits, from start to finish
#
# Read 1797 images, train a network on most of them, and find out where it fails: once with
# the NumPy half and once with the PyTorch half, from one seed. You need:
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
# The classes are about equally large, so a network that knows nothing is right in one case
# of ten. That is the number to beat first.

# %% [markdown]
# ## Split
#
# Three parts. The network learns from the first. On the second we watch it and choose, for
# instance when to stop. The third stays shut until the end: a number on which anything was
# chosen is no longer a fair one.

# %%
x, labels, x_test, labels_test = cg.data.split(x, labels, fraction=0.2)
x, labels, x_watch, labels_watch = cg.data.split(x, labels, fraction=0.2)
print(len(x), "to learn from")
print(len(x_watch), "to watch")
print(len(x_test), "for the end")

# %% [markdown]
# ## Train, twice
#
# The function takes the half as an argument, and nothing else in it knows which half it is.
# NumPy draws every random number in both, so both start from the same weights and see the
# same batches.


# %%
def train(cg):
    net = cg.network([64, 64, 10])
    trace = cg.training.fit(
        net,
        net.init(rng=0),
        cg.array(x),
        cg.array(labels),
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.adam(lr=0.003),
        epochs=20,
        batch_size=32,
        validation=(cg.array(x_watch), cg.array(labels_watch)),
    )
    return net, trace


net, trace = train(cg)
net_torch, trace_torch = train(cg_torch)
apart = abs(trace.w - cg_torch.asnumpy(trace_torch.w)).max()
print(f"after {trace.steps} steps no weight differs")
print(f"by more than {apart:.0e}")
assert apart < 1e-6

# %% [markdown]
# Rounding differs between the halves, and each step carries the difference on. After all
# those steps it is still far too small to see:

# %% alt="Loss against epoch. The loss on the examples falls steadily. The loss on the watched part falls too, flattens, and stays above it. For each, the dashed curve of the PyTorch half lies on the solid one of the NumPy half." caption="Solid: NumPy. Dashed: PyTorch."
figure, axis = plt.subplots()
epochs = np.arange(1, len(trace.loss) + 1)
for loss, other, name, colour in (
    (trace.loss, trace_torch.loss, "learned from", "C0"),
    (trace.validation_loss, trace_torch.validation_loss, "watched", "C1"),
):
    axis.semilogy(epochs, loss, color=colour, alpha=0.4, linewidth=4, label=name)
    axis.semilogy(epochs, other, "--", color=colour)
axis.set(xlabel="epoch", ylabel="loss (nats)", xticks=[1, 5, 10, 15, 20])
axis.legend()
plt.show()

# %% [markdown]
# ## Judge
#
# Now the third part, once.

# %%
w = trace.w
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
# ## Who is taken for whom
#
# A **confusion matrix** counts it. A row is a digit, a column is what the network calls it,
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
# network says, and how sure it is. **Softmax** turns the ten outputs into probabilities.


# %%
def probabilities(outputs):
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


p = probabilities(net.forward(w, x_test))
named = p.argmax(axis=1)
mistakes = np.flatnonzero(named != labels_test)
mistakes = mistakes[p[mistakes].max(axis=1).argsort()[::-1]]  # the surest first

# %% alt="Images of digits that the network named wrongly, each with its digit, the name it got and a probability. Several are hard to read for a person too." caption="The mistakes, the surest first."
rows = -(-len(mistakes) // 5)
figure, axes = plt.subplots(rows, 5, figsize=(6.4, 1.8 * rows), squeeze=False)
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
# it says. Sort the images by how sure it is of them:

# %%
sure = p.max(axis=1)
print("sure up to  images   says  right")
for low, high in ((0.0, 0.9), (0.9, 0.99), (0.99, 1.0)):
    those = (sure > low) & (sure <= high)
    says, right = sure[those].mean(), (named == labels_test)[those].mean()
    print(f"{high:10.0%} {those.sum():7d} {says:6.0%} {right:6.0%}")

# %% [markdown]
# ## To try
#
# - Train for 100 epochs. Which of the two losses goes on falling? Does the network make
#   fewer mistakes, or only surer ones?
# - Give the network one hidden unit, then two, then four. From how many on does it know all
#   ten digits?
# - Shift every image of the third part by one pixel (`np.roll(image, 1, axis=1)`) and judge
#   again. A person would not notice.
