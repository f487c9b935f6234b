// A bar below every snippet: run it in the page, stop it, edit it, put it back.
// Nothing is fetched before the first click, or before a reader with a good line has looked
// at a snippet for long. What Python prints is shown as text, always.
import { button, html, shelf } from "./widgets/kit.js";

const here = new URL(".", import.meta.url);
// Seconds: for one snippet, for which an endless loop ends; without a word from Python
// that is to come; and of looking at a snippet, until Python may come unasked.
export const limit = { seconds: 120, quiet: 30, look: 20 };

// --- Python, in a worker ---------------------------------------------------------------

let worker = null;
let running = null; // { name, at, tell, timer } of the run that goes on
let fresh = true; // the next run begins with no names

// A worker from a blob: URL inherits the page's Content-Security-Policy, so that a snippet
// can't reach another host; one that is loaded by its address would not.
const begin = () => {
  const source = `import ${JSON.stringify(new URL("run-worker.js", here).href)};`;
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  worker = new Worker(address, { type: "module" });
  worker.onmessage = ({ data }) => hear(data);
  worker.onerror = event => {
    const why = navigator.onLine ? event.message ?? "its first file did not come" : "there is no network";
    end({ error: `Python could not be started: ${why}.` });
  };
};
const wait = (seconds, why) => {
  clearTimeout(running.timer);
  running.timer = setTimeout(() => end(why()), 1000 * seconds);
};
// What has come may still take long to start, on a slow processor.
const waitForPython = (time = limit.quiet) => wait(time, () => ({
  error: `Python does not come: nothing for ${time} s. ${navigator.onLine ? "The line may be too slow, or a filter may hold back files like *.wasm." : "There is no network."} Run tries once more.`,
}));
const hear = ({ kind, ...told }) => {
  if (!running) {
    if (told.lost) drop();
    return;
  }
  if (kind === "stage") waitForPython(told.comes === false ? limit.seconds : limit.quiet);
  if (kind === "begin") {
    running.at = told.name;
    wait(limit.seconds, () => ({ error: `Stopped after ${limit.seconds} s, the limit of a page.`, stopped: true }));
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
  bars.forEach(bar => bar.forget());
};
// End the run, and Python with it: all that the snippets had defined is gone.
const end = told => {
  const ended = running;
  clearTimeout(ended?.timer);
  running = null;
  drop();
  ended?.tell("end", { differences: [], figures: [], name: ended.at, ...told });
};

// --- Which snippets belong together ----------------------------------------------------

const bars = new Map(); // block → its bar
let scope = null; // where they stand: a page, or one entry of the reference

const scopeOf = block => block.closest(".doc-object") ?? block.closest("article");
// A cell of a lab is code alone; a snippet has prompts, and what to copy of it.
const isCell = block => block.matches(".cell");
const codeOf = block => isCell(block) ? block.querySelector("code").textContent : block.dataset.copy.trimEnd();
const tabOf = block => {
  const panel = block.closest(".tabbed-block");
  if (!panel) return "";
  const labels = panel.closest(".tabbed-set").querySelectorAll(":scope > .tabbed-labels > label");
  return labels[[...panel.parentElement.children].indexOf(panel)].textContent.trim();
};
// What a page can't do, in words for the reader; nothing where a snippet runs.
const elsewhere = block => {
  // A lab is one experiment: where one cell cannot run, the others cannot go on.
  const code = (isCell(block) ? [...document.querySelectorAll(".cell")] : [block]).map(codeOf).join("\n");
  const imports = names => new RegExp(`^\\s*(import|from) (${names})\\b`, "m").test(code);
  if (tabOf(block) === "PyTorch" || imports("torch|chalkgrad\\.torch")) return ["Needs PyTorch: copy it and run it where that is installed. For a GPU, say first: ", html("code", {}, 'torch.set_default_device("cuda")')];
  if ("lacks" in block.dataset) return ["Goes on from a snippet that can't run in a page: copy both and run them on your machine."];
  if (imports("multiprocessing|concurrent")) return ["Starts processes of its own, and a page can't: copy it and run it on your machine."];
  return [];
};

// --- The bar ---------------------------------------------------------------------------

const seconds = ms => ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

const attach = (block, number) => {
  const name = `snippet ${number}`;
  const id = `snippet-${number}`;
  const bar = html("div", { class: "run-bar", id });
  const state = html("span", { class: "run-state", role: "status" });
  const code = block.querySelector("pre");
  const out = html("pre", { class: "run-out", tabindex: 0, role: "region", "aria-label": `Output of ${name}` });
  const after = html("div", { class: "run-after" }); // questions, differences and figures
  const theirs = codeOf(block); // the page's
  const kept = shelf(`${location.pathname}:${number}`, theirs);
  let mine = kept.text; // the last text of the reader's
  let editor = null;
  let ran = null; // the text of which Python has the names
  let waiting = ""; // printed, and not yet shown

  // Its name to a listener: which of the many Run buttons it is.
  const call = (pressed, does) => {
    pressed.textContent = does;
    pressed.setAttribute("aria-label", `${does} ${name}`);
  };
  const say = (text, verdict = "") => {
    state.textContent = text;
    block.dataset.verdict = verdict;
  };
  const text = () => editor ? editor.state.doc.toString() : theirs;
  const printedOnPage = () => [...code.querySelectorAll(".go")].map(line => `${line.textContent}\n`).join("");
  const mark = () => {
    if (text() !== (ran ?? theirs)) say(ran === null || editor ? "edited, not run" : "not what ran", "stale");
    else if (block.dataset.verdict === "stale") say("");
    yours.hidden = Boolean(editor) || mine === null || mine === theirs;
  };
  const show = () => {
    if (!waiting) return;
    out.hidden = false;
    out.append(waiting);
    waiting = "";
  };
  const print = printed => {
    if (!waiting) requestAnimationFrame(show);
    waiting += printed;
  };
  const blame = (told, other) => {
    const words = told.stopped ? ", above on this page, was still running." : ", above on this page, fails.";
    const line = html("p", {}, html("a", { href: `#${other.id}` }, other.name), words);
    if (other.isEdited()) line.append(" ", button(`Reset ${other.name}`, () => { other.reset(); line.remove(); }));
    after.append(line);
  };
  const question = (asks, answers) => {
    const line = html("input", { type: "text", "aria-label": asks || "A line for input()", autocomplete: "off" });
    const form = html("form", { class: "run-ask" }, line, html("button", {}, "Answer"));
    form.addEventListener("submit", event => {
      event.preventDefault();
      run([...answers, line.value]);
    });
    after.append(form);
    line.focus({ preventScroll: true });
  };
  const finish = (told, began, answers) => {
    const took = seconds(performance.now() - began);
    const other = told.name && told.name !== name && [...bars.values()].find(each => each.name === told.name);
    if (told.error) print(told.error.endsWith("\n") ? told.error : `${told.error}\n`);
    show();
    if (other) blame(told, other);
    for (const { line, page, here: got } of told.differences) {
      const parts = editor ? [["The page prints:", page]] : [[`Line ${line}. The page prints:`, page], ["and here:", got]];
      for (const [words, printed] of parts) after.append(html("p", {}, words), html("pre", {}, printed || "nothing\n"));
    }
    told.figures.forEach((png, i) => after.append(html("img", { src: `data:image/png;base64,${png}`, alt: `Figure ${i + 1}, drawn by ${name}` })));
    const hasAnswers = page && /^(?!>>>|\.\.\.)\S/m.test(code.textContent);
    const verdict = told.stopped ? "stopped" : told.error ? "failed" : told.differences.length ? "differs from the page" : hasAnswers ? "as on the page" : "done";
    // What is on the page already is ticked there, and not printed once more.
    const same = verdict === "as on the page" && out.textContent === printedOnPage();
    out.hidden = same || !out.textContent;
    if (same) say(`✓ the same here, ${took}`, verdict);
    else if (told.asks === undefined) say(`${verdict} · ${took}`, verdict);
    else say("waits for an answer", "asks");
    if (!told.error && told.asks === undefined) ran = text();
    if (told.asks !== undefined) question(told.asks, answers);
    call(go, "Run");
    bars.forEach(each => each.stopWaiting());
    block.dispatchEvent(new CustomEvent("ran", { bubbles: true, detail: { ...told, verdict, text: out.textContent } }));
  };
  const run = (answers = []) => {
    if (running?.name === name) {
      end({ error: "Stopped. The next run starts Python anew.", stopped: true });
      return;
    }
    if (running) {
      say(`Wait: ${running.name} is still running.`, "waits");
      return;
    }
    if (scope !== scopeOf(block)) fresh = true;
    scope = scopeOf(block);
    const above = [...bars].filter(([each]) => scopeOf(each) === scope && each.compareDocumentPosition(block) & Node.DOCUMENT_POSITION_FOLLOWING);
    const snippets = [...above, [block, bars.get(block)]].map(([, each]) => each.snippet());
    const began = performance.now();
    out.replaceChildren();
    after.replaceChildren();
    out.hidden = true;
    waiting = "";
    call(go, "Stop");
    say("Starting Python …");
    if (!worker) begin();
    const tell = (kind, told) => {
      if (kind === "stage") say(told.text);
      if (kind === "begin") say(`Running${told.last ? "" : ` ${told.name}, above`}${told.of > 1 ? ` (${told.number} of ${told.of})` : ""} …`);
      if (kind === "ran") [...bars.values()].find(each => each.name === told.name).hasRun(name);
      if (kind === "print") print(told.text);
      if (kind === "end") finish(told, began, answers);
    };
    running = { name, at: name, tell, timer: 0 };
    waitForPython();
    worker.postMessage({ fresh, snippets, answers });
    fresh = false;
    restart.hidden = false;
  };
  const close = () => {
    editor.dom.parentElement.remove();
    editor = null;
    code.hidden = false;
    call(edit, "Edit");
    after.querySelector(".run-ask")?.remove();
    if (block.dataset.verdict === "asks") say("");
    mark();
  };
  const open = async given => {
    let make;
    try {
      make = (await import(new URL("../python/editor.js", here))).default;
    } catch {
      say(navigator.onLine ? "The editor did not come: try once more." : "There is no network, and the editor has not come yet.");
      return;
    }
    if (editor) return; // pressed twice
    const box = html("div", { class: "run-editor" });
    block.prepend(box);
    const changed = now => {
      mine = now;
      kept.keep(now);
      mark();
    };
    editor = make(box, { text: given, label: `Edit ${name}`, run: () => run(), leave: () => go.focus(), changed });
    code.hidden = true;
    call(edit, "Reset");
    mark();
    if (!state.textContent) say("Ctrl+Enter runs it, Escape leaves it");
    editor.focus();
  };
  const go = button("Run", () => run());
  const edit = button("Edit", () => editor ? close() : open(theirs));
  edit.title = "The page's text or your own: yours is kept";
  const yours = button("Yours", () => open(mine));
  const restart = button("Restart", () => {
    if (running) end({ error: "Stopped.", stopped: true });
    fresh = true;
    bars.forEach(each => each.forget());
    say("Cleared: the next run begins anew.");
  });
  call(go, "Run");
  call(edit, "Edit");
  call(yours, "Yours:");
  yours.textContent = "Yours";
  out.hidden = restart.hidden = true;
  bar.append(go, edit, yours, restart, state, html("span", { class: "run-name" }, name));
  block.append(bar, out, after);
  mark();
  const page = isCell(block) ? "" : code.textContent;
  return {
    id,
    name,
    snippet: () => ({ page, name, edited: editor ? text() : page ? null : theirs }),
    isEdited: () => Boolean(editor),
    reset: () => editor && close(),
    hasRun: whom => {
      ran = text();
      if (block.dataset.verdict === "stale") say(`ran for ${whom}`);
    },
    forget: () => {
      ran = null;
      mark();
    },
    stopWaiting: () => block.dataset.verdict === "waits" && say(""),
  };
};

// --- All of them -----------------------------------------------------------------------

// Who looks at a snippet for long will run it; on a good line that costs nothing, it may come.
const isFree = () => {
  const line = navigator.connection;
  return line && !line.saveData && line.effectiveType === "4g" && line.type !== "cellular";
};
const looks = new Map(); // block → the clock of a look at it
const eyes = new IntersectionObserver(entries => entries.forEach(({ isIntersecting, target }) => {
  clearTimeout(looks.get(target));
  if (isIntersecting) looks.set(target, setTimeout(warm, 1000 * limit.look));
}), { threshold: 0.5 });
const warm = () => {
  eyes.disconnect();
  if (worker || document.hidden || !isFree()) return;
  begin();
  worker.postMessage({});
};

const attachAll = () => {
  if (running) end({ error: "", stopped: true });
  bars.clear();
  eyes.disconnect();
  scope = null;
  const blocks = [...document.querySelectorAll(".language-pycon[data-copy], .language-python.cell")];
  let number = 0;
  for (const block of blocks.filter(each => "run" in each.dataset && !each.querySelector(".run-bar"))) {
    const why = elsewhere(block);
    if (why.length) block.append(html("p", { class: "run-bar" }, ...why));
    else bars.set(block, attach(block, number += 1));
  }
  if (!worker) [...bars.keys()].forEach(block => eyes.observe(block));
  if (blocks.length && !("run" in blocks[0].dataset)) blocks[0].append(html("p", { class: "run-bar" }, "This copy of the site comes without Python: copy the snippets to run them."));
};
// Instant navigation swaps the page without loading a new one.
if (window.document$) window.document$.subscribe(attachAll);
else attachAll();
