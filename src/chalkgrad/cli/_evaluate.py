"""``chalkgrad evaluate``: test a network that was trained before."""

from chalkgrad._core.rows import iter_chunks
from chalkgrad.cli import _examples as examples
from chalkgrad.cli import _show as show
from chalkgrad.cli import _trained as trained
from chalkgrad.cli._console import console
from chalkgrad.cli._options import EvaluateOptions

__all__ = ["run"]


def run(options: EvaluateOptions) -> int:
    """Run the command; return its exit code."""
    cg, network = examples.backend(options), trained.load(options)
    x, labels, table = trained.held_out(options, network)
    truth = cg.asnumpy(labels)
    named = cg.asnumpy(cg.training.predict(network.net, network.w, x))
    loss = 0.0
    for _, rows, ids in iter_chunks(x, labels):
        outputs = network.net.forward(network.w, rows)
        loss += float(cg.losses.cross_entropy(outputs, ids)) * len(rows) / len(truth)
    right = int((named == truth).sum())
    console().print(
        f"{right / len(truth):.2%} of {len(truth)} examples right, loss {loss:.4f} nats"
    )
    if options.data:
        examples.describe(options, table)
    show.confusion(network.classes, truth, named)
    return 0
