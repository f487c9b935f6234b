"""Build and load what lets a CPU's PyTorch have tensors that say ``cuda``."""

import ctypes
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("guard.cpp")
CACHE = Path(__file__).parents[2] / ".cache" / "pretended-gpu"
# The guard implements interfaces of PyTorch's that change from release to release.
KNOWN = ("2.13",)


def why_not() -> str:
    """Say why no card can be pretended here; "" if one can."""
    version = importlib.metadata.version("torch")
    if not version.startswith(tuple(f"{known}." for known in KNOWN)):
        return f"the pretended card knows PyTorch {', '.join(KNOWN)}, not {version}"
    if not version.endswith("+cpu") and not _is_for_cpu():
        return f"PyTorch {version} is built for CUDA: ask a real card"
    if sys.platform != "linux" or shutil.which("g++") is None:
        return "the pretended card is built by g++ on Linux, which is not here"
    return ""


def _is_for_cpu() -> bool:
    return not (_home() / "lib" / "libtorch_cuda.so").exists()


def _home() -> Path:
    found = importlib.util.find_spec("torch")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def build() -> Path:
    """Return the library, built anew if PyTorch or its source has changed."""
    home, version = _home(), importlib.metadata.version("torch")
    about = f"{version} {home} {SOURCE.read_text()}"
    digest = hashlib.sha256(about.encode()).hexdigest()[:16]
    built = CACHE / f"guard-{digest}.so"
    if not built.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = built.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [
                *("g++", "-std=c++20", "-O0", "-shared", "-fPIC", str(SOURCE)),
                *("-o", str(part), f"-I{home / 'include'}", f"-L{home / 'lib'}"),
                *("-lc10", "-ltorch_cpu", f"-Wl,-rpath,{home / 'lib'}"),
            ],
            check=True,
        )
        part.replace(built)  # two processes may build it at once
    return built


def load() -> ctypes.CDLL:
    """Load it, before PyTorch is imported: that asks once whether there is CUDA."""
    if "torch" in sys.modules:
        raise ImportError("the pretended card must be loaded before PyTorch")
    return ctypes.CDLL(str(build()))
