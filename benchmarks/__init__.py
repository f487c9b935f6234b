"""Peers side by side, and the studies that figures of the site draw from.

All of it runs on one thread. NumPy, PyTorch and JAX must know before they are imported.
"""

import os

for _library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM"):
    os.environ[f"{_library}_THREADS"] = "1"
os.environ["XLA_FLAGS"] = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
os.environ.setdefault("TORCH_LOGS", "-dynamo")  # its warnings are about itself
