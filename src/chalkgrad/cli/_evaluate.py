"""``chalkgrad evaluate``: test a network that was trained before."""

import argparse

from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show
from chalkgrad.cli import _trained as trained

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Run the command; return its exit code."""
    cg, network = examples.half(args), trained.load(args)
    x, labels = trained.held_out(args, network)
    logits = trained.outputs(network, cg, x)
    truth, named = cg.asnumpy(labels), logits.argmax(-1)
    loss = cg.losses.cross_entropy(cg.array(logits, device=args.device), labels)
    right = int((named == truth).sum())
    show.console().print(
        f"{right / len(truth):.2%} of {len(truth)} examples right, "
        f"loss {float(loss):.4f} nats"
    )
    show.confusion(network.classes, truth, named)
    return 0
