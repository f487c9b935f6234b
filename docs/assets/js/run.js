// A bar below every snippet: run it in the page, stop it, edit it, put it back.
// Nothing is fetched before the first click. What Python prints is shown as text, always.
import { button, html } from "./widgets/kit.js";

const here = new URL(".", import.meta.url);
export const limit = { seconds: 120 }; // for one snippet; an endless loop ends here

// --- Python, in a worker ---------------------------------------------------------------

let worker = null;
let running = null; // { name, tell, timer } of the run that goes on

// A worker from a blob: URL inherits the page's Content-Security-Policy, so that a snippet
// can't reach another host; one that is loaded by its address would not.
const begin = () => {
  const source = `import ${JSON.stringify(new URL("run-worker.js", here).href)};`;
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  worker = new Worker(address, { type: "module" });
  worker.onmessage = ({ data }) => hear(data);
  worker.onerror = event => end(`Python could not be started: ${event.message ?? "the worker failed"}.`);
};
const hear = ({ kind, ...told }) => {
  if (!running) return;
  if (kind === "begin") {
    clearTimeout(running.timer);
    running.timer = setTimeout(() => end(`Stopped after ${limit.seconds} s, the limit of a page.`), 1000 * limit.seconds);
  }
  const { tell } = running;
  if (kind === "end") {
    clearTimeout(running.timer);
    running = null;
    if (told.lost) drop();
  }
  tell(kind, told);
};
const drop = () => {
  worker?.terminate();
  worker = null;
  done.clear();
};
// End the run, and Python with it: all that the snippets had defined is gone.
const end = why => {
  const told = running;
  clearTimeout(told?.timer);
  running = null;
  drop();
  told?.tell("end", { error: why, differences: [], figures: [] });
};

// --- Which snippets belong together ----------------------------------------------------

const bars = new Map(); // block → its bar
const done = new Set(); // the blocks whose names Python has now
let scope = null; // where they stand: a page, or one entry of the reference

const scopeOf = block => block.closest(".doc-object") ?? block.closest("article");
// A cell of a lab is code alone; a snippet has prompts, and what to copy of it.
const codeOf = block => block.dataset.copy ?? block.querySelector("code").textContent;
const tabOf = block => {
  const panel = block.closest(".tabbed-block");
  if (!panel) return "";
  const labels = panel.closest(".tabbed-set").querySelectorAll(":scope > .tabbed-labels > label");
  return labels[[...panel.parentElement.children].indexOf(panel)].textContent.trim();
};
// What a page can't do, in words for the reader; nothing where a snippet runs.
const elsewhere = block => {
  // A lab is one experiment: where one cell cannot run, the others cannot go on.
  const code = (block.matches(".cell") ? [...document.querySelectorAll(".cell")] : [block]).map(codeOf).join("\n");
  const imports = names => new RegExp(`^\\s*(import|from) (${names})\\b`, "m").test(code);
  if (tabOf(block) === "PyTorch" || imports("torch|chalkgrad\\.torch")) return ["Needs PyTorch: copy it and run it where that is installed. For a GPU, say first: ", html("code", {}, 'torch.set_default_device("cuda")')];
  if (imports("multiprocessing|concurrent")) return ["Starts processes of its own, and a page can't: copy it and run it on your machine."];
  return [];
};

// --- The bar ---------------------------------------------------------------------------

const seconds = ms => ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

const attach = (block, number) => {
  const name = `snippet ${number}`;
  const bar = html("div", { class: "run-bar" });
  const state = html("span", { class: "run-state", role: "status" });
  const code = block.querySelector("pre");
  const out = html("pre", { class: "run-out", tabindex: 0, role: "region", "aria-label": `Output of ${name}` });
  const after = html("div", { class: "run-after" }); // differences and figures
  let editor = null;
  let waiting = ""; // printed, and not yet shown

  // Its name to a listener: which of the many Run buttons it is.
  const call = (pressed, does) => {
    pressed.textContent = does;
    pressed.setAttribute("aria-label", `${does} ${name}`);
  };
  const show = () => {
    if (!waiting) return;
    out.hidden = false;
    out.append(waiting);
    waiting = "";
  };
  const print = text => {
    if (!waiting) requestAnimationFrame(show);
    waiting += text;
  };
  const finish = (told, began) => {
    const took = seconds(performance.now() - began);
    if (told.error) {
      if (told.name && told.name !== name) print(`${told.name}, above on this page, fails:\n`);
      print(told.error.endsWith("\n") ? told.error : `${told.error}\n`);
    }
    show();
    for (const { line, page, here: got } of told.differences) {
      const parts = editor ? [["The page prints:", page]] : [[`Line ${line}. The page prints:`, page], ["and here:", got]];
      for (const [words, text] of parts) after.append(html("p", {}, words), html("pre", {}, text || "nothing\n"));
    }
    told.figures.forEach((png, i) => after.append(html("img", { src: `data:image/png;base64,${png}`, alt: `Figure ${i + 1}, drawn by ${name}` })));
    const answers = page && /^(?!>>>|\.\.\.)\S/m.test(code.textContent);
    const verdict = told.error ? "failed" : told.differences.length ? "differs from the page" : answers ? "as on the page" : "done";
    state.textContent = `${verdict} · ${took}`;
    call(go, "Run");
    block.dispatchEvent(new CustomEvent("ran", { bubbles: true, detail: { ...told, verdict, text: out.textContent } }));
  };
  const run = () => {
    if (running?.name === name) {
      end("Stopped. The next run starts Python anew.");
      return;
    }
    if (running) {
      state.textContent = `Wait: ${running.name} is still running.`;
      return;
    }
    if (scope !== scopeOf(block)) done.clear();
    scope = scopeOf(block);
    const above = [...bars.keys()].filter(other => scopeOf(other) === scope && other.compareDocumentPosition(block) & Node.DOCUMENT_POSITION_FOLLOWING);
    const todo = [...above.filter(other => !done.has(other)), block];
    const snippets = todo.map(other => bars.get(other).snippet());
    const began = performance.now();
    out.replaceChildren();
    after.replaceChildren();
    out.hidden = true;
    waiting = "";
    call(go, "Stop");
    state.textContent = "Starting Python …";
    if (!worker) begin();
    const tell = (kind, told) => {
      if (kind === "stage") state.textContent = told.text;
      if (kind === "begin") state.textContent = told.last ? "Running …" : `Running ${told.name}, above …`;
      if (kind === "ran" || (kind === "end" && !told.error && worker)) done.add(todo[snippets.findIndex(each => each.name === told.name)]);
      if (kind === "print") print(told.text);
      if (kind === "end") finish(told, began);
    };
    running = { name, tell, timer: 0 };
    worker.postMessage({ fresh: done.size === 0, snippets });
    restart.hidden = false;
  };
  const go = button("Run", run);
  const edit = button("Edit", async () => {
    if (editor) {
      editor.dom.parentElement.remove();
      editor = null;
      code.hidden = false;
      call(edit, "Edit");
      return;
    }
    const make = (await import(new URL("../python/editor.js", here))).default;
    if (editor) return; // pressed twice
    const box = html("div", { class: "run-editor" });
    block.prepend(box);
    editor = make(box, { text: codeOf(block), label: `Edit ${name}`, run, leave: () => go.focus() });
    code.hidden = true;
    call(edit, "Reset");
    editor.focus();
  });
  const restart = button("Restart", () => {
    if (running) end("Stopped.");
    done.clear();
    state.textContent = "Cleared: the next run begins with the first snippet.";
  });
  call(go, "Run");
  call(edit, "Edit");
  out.hidden = restart.hidden = true;
  bar.append(go, edit, restart, state, html("span", { class: "run-name" }, name));
  block.append(bar, out, after);
  const page = "copy" in block.dataset ? code.textContent : "";
  return { snippet: () => ({ page, name, edited: editor ? editor.state.doc.toString() : page ? null : codeOf(block) }) };
};

const attachAll = () => {
  if (running) end("");
  bars.clear();
  scope = null;
  const blocks = [...document.querySelectorAll(".language-pycon[data-copy], .language-python.cell")];
  let number = 0;
  for (const block of blocks.filter(each => "run" in each.dataset && !each.querySelector(".run-bar"))) {
    const why = elsewhere(block);
    if (why.length) block.append(html("p", { class: "run-bar" }, ...why));
    else bars.set(block, attach(block, number += 1));
  }
  if (blocks.length && !("run" in blocks[0].dataset)) blocks[0].append(html("p", { class: "run-bar" }, "This copy of the site comes without Python: copy the snippets to run them."));
};
// Instant navigation swaps the page without loading a new one.
if (window.document$) window.document$.subscribe(attachAll);
else attachAll();
