"""The figure of the how-to on many processes."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from chalkdocs.figures.style import INK, SERIES

__all__ = ["cost"]

WEIGHTS, ROWS = 1e9, 2**20  # of a batch that is shared out
OPERATIONS, SENT, DELAY = 4e14, 5e10, 5e-6  # of a GPU in a second; seconds


def cost() -> Figure:
    """The time of a step against the number of GPUs: arithmetic and sum."""
    p = 2.0 ** np.arange(11)
    total = 2 * (p - 1) / p * 2 * WEIGHTS / SENT + 2 * (p - 1) * DELAY
    panels = {
        f"One batch of {ROWS:,} rows": ROWS / p,
        "4096 rows for each GPU": np.full_like(p, 4096),
    }
    figure, axes = plt.subplots(1, 2, figsize=(5.2, 3.2), sharey=True)
    for axis, (title, rows) in zip(axes, panels.items(), strict=True):
        arithmetic = 6 * WEIGHTS * rows / OPERATIONS
        axis.loglog(p, arithmetic, "--", color=SERIES[0], label="arithmetic")
        axis.loglog(p[1:], total[1:], ":", color=SERIES[1], label="sum", linewidth=2)
        axis.loglog(p, arithmetic + total, color=INK, label="step")
        axis.set_xticks([1, 8, 64, 1024], ["1", "8", "64", "1024"])
        axis.minorticks_off()
        axis.set(title=title, xlabel="GPUs")
    axes[0].set_ylabel("seconds")
    axes[0].legend()
    return figure
