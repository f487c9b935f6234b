"""Train a little and keep checkpoints: a program to be killed.

``python trainer.py numpy FOLDER`` prints "ready" when it begins, and in the end what it
came to: a digest of the weights and of the losses.
"""

import hashlib
import importlib
import sys


def main(backend, folder):
    cg = importlib.import_module(f"chalkgrad.{backend}")
    x, labels = cg.data.moons(400)
    x = cg.array(x, dtype="float32")
    net = cg.network([2, 64, 64, 2])
    clipped = cg.optimizers.clip(cg.optimizers.adam(1e-3), norm=1)
    print("ready", flush=True)
    trace = cg.training.fit(
        net,
        net.init(dtype="float32"),
        x,
        labels,
        loss=cg.losses.cross_entropy,
        optimizer=cg.optimizers.ema(clipped),
        epochs=12,
        batch_size=32,
        rng=3,
        validation=(x, labels),
        checkpoints=folder,
        keep=2,
        resume=True,
        log=f"{folder}.jsonl",
        progress=False,
    )
    reached = [cg.asnumpy(trace.w), trace.loss, trace.validation_loss]
    digest = hashlib.sha256(b"".join(a.tobytes() for a in reached)).hexdigest()
    print(trace.stopped, trace.steps, digest)


if __name__ == "__main__":
    main(*sys.argv[1:])
