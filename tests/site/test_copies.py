"""What every copy button copies, pasted where a reader would paste it."""

import os
import pty
import re
import select
import sys

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from .conftest import ROOT
from .test_site import LECTURE, PAGES

# Press the copy button of a block; give back what it has copied. A press at a time: a
# browser lets a page copy for five seconds after a gesture, and each call is one.
COPY = """async block => {
    await navigator.clipboard.writeText("");
    block.querySelector(".md-code__button").click();
    let text = "";
    while (!text) text = await navigator.clipboard.readText();
    return [text, block.innerText.includes("Traceback")];
}"""
# These need PyTorch in both backends, or a folder with a reader's own tables.
LABS = [path for path in PAGES if re.match("/labs/.", path)]
HOW_TO = ["/how-to/checkpoints/", "/how-to/course/"]
FAILURE = re.compile(r"^(Traceback \(most recent|  File \"<stdin>\")", re.M)


# A page finds none of the names of another; what they import stays in memory.
FORGET = """
for name in [name for name in globals() if not name.startswith("__")]:
    del globals()[name]

globals().pop("name", None)
__import__("os").chdir({folder!r})
"""


class Prompt:
    """Python as somebody starts it in a terminal."""

    def __init__(self):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            own = {"TERM": "dumb", "PYTHONPATH": str(ROOT / "src")}
            command = [sys.executable, "-i", "-q"]
            os.execve(sys.executable, command, {**os.environ, **own})
        # Else the next prompt would keep this one from noticing that it was closed.
        os.set_inheritable(self.terminal, False)
        self.paste("")

    def paste(self, text):
        """Paste a text and press Enter; return all that the terminal shows then."""
        rest = f"{text}\nprint('do' + 'ne')\n".encode()
        shown = b""
        os.set_blocking(self.terminal, False)
        while not re.search(rb"^done\r?$", shown, re.M):
            ends = [self.terminal]
            readable, writable, _ = select.select(ends, ends if rest else [], [])
            if readable:
                shown += os.read(self.terminal, 1 << 16)
            if writable:
                rest = rest[os.write(self.terminal, rest[:512]) :]
        return shown.decode().replace("\r", "")

    def begin(self, folder):
        """Forget all names, and work in a folder."""
        assert not FAILURE.search(self.paste(FORGET.format(folder=str(folder))))

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


@pytest.fixture(scope="module")
def prompts():
    """Start Python in two terminals: one never imports PyTorch."""
    started = {"NumPy": Prompt(), "PyTorch": Prompt()}
    yield started
    for prompt in started.values():
        prompt.close()


def test_a_pointer_finds_the_copy_button(page, base):
    page.goto(base + "/perceptron/neuron/")
    block = page.locator("div.language-pycon").first
    block.hover()
    block.locator(".md-code__button").first.click()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text == block.get_attribute("data-copy")


def test_a_prompt_wants_an_empty_line_after_a_block(prompts):
    prompt = prompts["NumPy"]
    block = "def f():\n    return 1\n"
    assert FAILURE.search(prompt.paste(f"{block}f()"))
    assert not FAILURE.search(prompt.paste(f"{block}\nf()"))


@pytest.mark.parametrize(
    ("path", "backend"),
    [
        *((path, backend) for path in LECTURE for backend in ("NumPy", "PyTorch")),
        *((path, "NumPy") for path in LABS + HOW_TO),
    ],
)
def test_what_the_copy_buttons_copy_runs(page, base, prompts, tmp_path, path, backend):
    prompt = prompts[backend]
    prompt.begin(tmp_path)
    page.goto(base + path)
    if backend == "PyTorch":
        page.locator(".tabbed-labels").get_by_text("PyTorch").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    blocks = page.query_selector_all("div:is(.language-pycon, .cell)")
    seen = [block for block in blocks if block.evaluate("b => b.checkVisibility()")]
    copied = [block.evaluate(COPY) for block in seen]
    for text, told in copied:
        assert not re.search(r"^(>>>|\.\.\.)", text, re.M)
        compile(text, path, "exec")  # a file
        compile(TransformerManager().transform_cell(text), path, "exec")  # a notebook
        shown = prompt.paste(text)
        assert bool(FAILURE.search(shown)) == told, shown
    assert len(copied) >= 3
    library = f"chalkgrad.{'numpy' if backend == 'NumPy' else 'torch'}"
    assert library in prompt.paste("cg.__name__")
