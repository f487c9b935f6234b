// The place to answer below a question: an editor, a number, a choice or an order; Check,
// Hint and Solution. What an answer is told is made by the checker in the wheel.
import { isRunning, run, stop } from "./python.js";
import { recordOf } from "./store.js";
import { button, html } from "./widgets/kit.js";

const here = new URL(".", import.meta.url);

// The style comes with the first place that wakes: whoever only reads needs none of it.
export const bringStyle = () => {
  const { href } = new URL("../css/exercise.css", here);
  if (!document.head.querySelector(`link[href="${href}"]`)) document.head.append(html("link", { rel: "stylesheet", href }));
};

// --- What a reader answers with --------------------------------------------------------

// Each way writes an answer as Python, "" if there is none; `open` is there where something
// has to come first.
const writeCode = ({ host, kept, check, leave, opened }) => {
  const code = host.querySelector("pre");
  const starter = code.textContent;
  let editor = null;
  const open = async () => {
    const make = (await import(new URL("../python/editor.js", here))).default;
    if (editor) return; // pressed twice
    const box = html("div", { class: "run-editor" });
    host.prepend(box);
    editor = make(box, { text: kept.text ?? starter, label: "Your answer", run: check, leave, changed: kept.keep });
    code.hidden = true;
    opened();
    editor.focus();
  };
  code.addEventListener("click", open);
  return { open, isOpen: () => editor !== null, write: () => editor.state.doc.toString() };
};

const writeNumber = ({ host, kept, check }) => {
  const { unit = "" } = host.dataset;
  const input = html("input", { type: "text", autocomplete: "off", spellcheck: "false", "aria-label": `Your answer${unit && `, in ${unit}`}` });
  input.value = kept.text ?? "";
  input.addEventListener("input", () => kept.keep(input.value));
  const form = html("form", { class: "answer-number" }, input, unit);
  form.addEventListener("submit", event => {
    event.preventDefault();
    check();
  });
  host.querySelector("pre").replaceWith(form);
  // As it is written on paper, too: −0,5.
  const plain = () => input.value.trim().replaceAll("−", "-").replace(/^(-?\d+),(\d+)$/, "$1.$2");
  return { write: () => plain() && `answer = ${plain()}` };
};

// The list of a question is the last one above its answer.
const listOf = host => {
  host.querySelector("pre").hidden = true;
  return [...host.parentElement.querySelectorAll(":scope > ol")].filter(each => each.compareDocumentPosition(host) & Node.DOCUMENT_POSITION_FOLLOWING).at(-1);
};

const writeChoice = ({ host, kept }) => {
  const list = listOf(host);
  list.className = "answer-choice";
  list.setAttribute("role", "radiogroup");
  list.setAttribute("aria-label", "Your answer");
  const inputs = [...list.children].map((line, i) => {
    const input = html("input", { type: "radio", name: host.id, value: i + 1 });
    input.checked = kept.text === input.value;
    input.addEventListener("change", () => kept.keep(input.value));
    line.setAttribute("role", "presentation");
    line.replaceChildren(html("label", {}, input, html("span", {}, ...line.childNodes)));
    return input;
  });
  return { write: () => inputs.filter(input => input.checked).map(input => `answer = ${input.value}`).join("") };
};

const writeOrder = ({ host, kept, say }) => {
  const list = listOf(host);
  list.className = "answer-order";
  const lines = [...list.children];
  const order = () => [...list.children].map(line => lines.indexOf(line) + 1);
  if (kept.text) list.append(...kept.text.split(",").map(n => lines[n - 1]));
  for (const line of lines) {
    const words = line.textContent.trim();
    const mover = (sign, name, move) => {
      const pressed = button(sign, () => {
        move();
        kept.keep(order().join());
        say(`Now in place ${[...list.children].indexOf(line) + 1} of ${lines.length}.`);
        pressed.focus();
      });
      pressed.setAttribute("aria-label", `${name}: ${words}`);
      return pressed;
    };
    const up = mover("↑", "Up", () => line.previousElementSibling?.before(line));
    const down = mover("↓", "Down", () => line.nextElementSibling?.after(line));
    line.replaceChildren(html("div", {}, html("span", {}, ...line.childNodes), up, down));
  }
  return { write: () => `answer = [${order()}]` };
};

const WAYS = { code: writeCode, number: writeNumber, choice: writeChoice, order: writeOrder };

// --- The bar ---------------------------------------------------------------------------

export default host => {
  bringStyle();
  const { page, kind } = host.dataset;
  const question = host.closest(".question");
  const title = question.querySelector(".admonition-title").textContent.trim();
  const hints = [...question.querySelectorAll(":scope > .hint")];
  const solution = question.querySelector(":scope > .success");
  const state = html("span", { class: "run-state", role: "status" });
  const reply = html("p", { class: "reply", role: "status" });
  let mine = false; // what is running is this answer
  let sure = false; // the solution is shown at the next press
  let way = null;

  const say = text => { state.textContent = text; };
  const isOpen = () => way.isOpen?.() ?? true;
  const opened = () => { go.textContent = mine ? "Stop" : isOpen() ? "Check" : "Answer"; };
  const show = folded => {
    folded.classList.remove("folded");
    folded.open = true;
  };
  const tell = ({ outcome, words }) => {
    say("");
    reply.textContent = words;
    question.dataset.outcome = outcome;
    sure ||= outcome === "right";
    record.set({ starter, tries: (record.get().tries ?? 0) + 1, passed: record.get().passed || outcome === "right" });
    host.dispatchEvent(new CustomEvent("checked", { bubbles: true, detail: { outcome, words } }));
  };
  const check = () => {
    if (mine) stop("Stopped.");
    else if (!isOpen()) way.open().catch(() => say("The editor did not come: try once more."));
    else if (isRunning()) say("Wait: another answer is being checked.");
    else {
      mine = true;
      opened();
      reply.textContent = "";
      delete question.dataset.outcome;
      say("Starting Python …");
      const given = [way.write(), page, host.id].map(each => JSON.stringify(each)).join(", ");
      run(`import chalkgrad.numpy as cg\nfrom chalkgrad.judge._exercises import check_text\nprint(check_text(${given}, cg))`, (came, words) => {
        if (came === "stage") say(words);
        else if (came === "begin") say("Checking …");
        else {
          mine = false;
          opened();
          tell(came === "printed" ? JSON.parse(words) : { outcome: "not judged", words });
        }
      });
    }
  };
  const hint = () => {
    show(hints.shift());
    say(hints.length ? "A hint is below, and there is one more." : "The last hint is below.");
    if (!hints.length) help.hidden = true;
  };
  const solve = () => {
    if (!sure) {
      sure = true;
      say("Try once more first? If not, press again.");
      return;
    }
    say("");
    show(solution);
    more.hidden = true;
    solution.querySelector("summary").focus();
  };
  const go = button("", check);
  const help = button("Hint", hint);
  const more = button("Solution", solve);
  [...hints, solution].forEach(each => each.classList.add("folded"));
  const starter = host.querySelector("pre").textContent;
  const record = recordOf(`${page}#${host.id}`);
  const before = record.get();
  const isSame = before.starter === starter;
  const kept = { text: isSame ? before.text ?? null : null, keep: text => record.set({ starter, text }) };
  way = WAYS[kind]({ host, kept, check, leave: () => go.focus(), say, opened });
  opened();
  host.append(html("div", { class: "run-bar", role: "group", "aria-label": `Answer: ${title}` }, go, help, more, state), reply);
  if (before.passed) say("You have passed this one.");
  if (before.text && !isSame) say("The question has changed since you answered it.");
};
