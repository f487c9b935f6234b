// The judge in a page: choose a task, write, press Judge. Python comes at the first press.
import { isRunning, run, stop } from "./python.js";
import { button, choice, html, svg } from "./widgets/kit.js";

const here = new URL(".", import.meta.url);
const WORDS = {
  right: "Right", convention: "Right, of another convention", limited: "Right, within limits",
  wrong: "Wrong", "not judged": "Not judged",
};

// --- The picture -----------------------------------------------------------------------

const WIDTH = 640;
const HEIGHT = 240;
const EDGE = 16;

const draw = ({ aspect, theirs, ours, first, kind }) => {
  const all = [...theirs, ...ours].filter(y => y !== null);
  if (!all.length) return null;
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const last = Math.max(theirs.length - 1, 1);
  const x = i => theirs.length < 2 ? WIDTH / 2 : EDGE + i / last * (WIDTH - 2 * EDGE);
  const y = value => HEIGHT - EDGE - (high > low ? (value - low) / (high - low) : 0.5) * (HEIGHT - 2 * EDGE);
  const there = values => values.map((value, i) => [i, value]).filter(([, value]) => value !== null);
  const line = (values, name) => svg("polyline", { class: name, points: there(values).map(([i, value]) => `${x(i)},${y(value)}`).join(" ") });
  const dots = (values, name, size) => there(values).map(([i, value]) => svg("circle", { class: name, cx: x(i), cy: y(value), r: size }));
  const marks = first === null ? [] : [svg("line", { class: "judge-first", x1: x(first), x2: x(first), y1: 0, y2: HEIGHT })];
  const where = kind === "walk" ? `step ${first}` : `number ${first}`;
  const words = first === null ? "Both are the same." : `They first differ in ${where}.`;
  const picture = svg(
    "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${aspect}. ${words}` },
    ...marks,
    ...kind === "walk" ? [line(ours, "judge-ours"), line(theirs, "judge-theirs")] : [],
    ...dots(ours, "judge-ours", 7), ...dots(theirs, "judge-theirs", 3.5),
  );
  const legend = html(
    "figcaption", {},
    html("span", { class: "judge-key judge-ours" }, "right"), html("span", { class: "judge-key judge-theirs" }, "yours"), ` ${aspect}. ${words}`,
  );
  return html("figure", { class: "judge-picture" }, picture, legend);
};

// --- The bench -------------------------------------------------------------------------

export default async host => {
  const tasks = JSON.parse(host.dataset.given);
  const kept = new Map(); // task → the reader's text
  let editor = null;

  const kinds = [...new Set(tasks.map(task => task.kind))];
  const chosen = choice({ label: "Judge it as", options: [], value: "" }, () => show());
  chosen.input.replaceChildren(...kinds.map(kind => html("optgroup", { label: kind }, ...tasks.filter(task => task.kind === kind).map(({ name }) => html("option", { value: name }, name)))));
  chosen.input.value = "adam";
  const box = html("div", { class: "run-editor" });
  const state = html("span", { class: "run-state", role: "status" });
  const verdict = html("div", { class: "judge-verdict", role: "region", "aria-label": "Verdict", tabindex: -1 });
  verdict.hidden = true;

  const say = text => { state.textContent = text; };
  const tell = said => {
    const found = said.title.split(": ").slice(2).join(": ");
    const title = html("p", { class: "judge-title" }, html("strong", {}, WORDS[said.outcome]), found && `: ${found}`);
    const lines = said.lines.map(line => {
      if (line.startsWith("https://")) {
        const path = line.split("/").slice(4);
        const page = path.filter(part => part && !part.startsWith("#")).at(-1).replaceAll("-", " ");
        return html("p", {}, "Read more: ", html("a", { href: new URL(`../../${path.join("/")}`, here).href }, page));
      }
      if (line.startsWith("cg.judge.compare") || line.includes("\n")) return html("pre", { tabindex: 0 }, html("code", {}, line));
      return html("p", {}, line);
    });
    const picture = said.picture && draw(said.picture);
    verdict.dataset.verdict = said.outcome;
    verdict.replaceChildren(title, ...picture ? [picture] : [], ...lines);
    verdict.hidden = false;
    say(`${WORDS[said.outcome]}.`);
    verdict.focus({ preventScroll: true });
    verdict.scrollIntoView({ block: "nearest" });
    host.dispatchEvent(new CustomEvent("judged", { bubbles: true, detail: said }));
  };
  const judge = () => {
    if (isRunning()) {
      stop("Stopped.");
      return;
    }
    go.textContent = "Stop";
    say("Starting Python …");
    run(`from chalkgrad.judge._here import judge_text\nprint(judge_text(${JSON.stringify(text())}, ${JSON.stringify(chosen.input.value)}))`, (kind, words) => {
      if (kind === "stage") say(words);
      else if (kind === "begin") say("Judging …");
      else {
        go.textContent = "Judge";
        if (kind === "stopped") say(words);
        else if (kind === "failed") say(`The judge fails: ${words}`);
        else tell(JSON.parse(words));
      }
    });
  };
  const go = button("Judge", judge);
  const reset = button("Reset", () => {
    kept.delete(chosen.input.value);
    show();
  });

  const text = () => editor.state.doc.toString();
  const starter = () => tasks.find(({ name }) => name === chosen.input.value).text;
  const show = () => {
    const name = chosen.input.value;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: kept.get(name) ?? starter() } });
    verdict.hidden = true;
    say("");
  };
  const bar = html("div", { class: "run-bar" }, go, reset, state);
  host.replaceChildren(html("div", { class: "judge-choose" }, chosen.box), box, bar, verdict);
  const make = (await import(new URL("../python/editor.js", here))).default;
  editor = make(box, {
    text: starter(), label: "Your implementation", run: judge, leave: () => go.focus(),
    changed: now => kept.set(chosen.input.value, now),
  });
};
