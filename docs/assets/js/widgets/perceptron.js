// Rosenblatt's rule on points of the plane, one example at a time.
import { button, frame, html, number, still, svg } from "./kit.js";

// Before the first example: weights of 0, the bias last.
export const begin = () => ({ w: [0, 0, 0], next: 0, seen: null, z: 0, mistakes: [0], wrong: false, done: false });

// Look at the next example; where its sign is wrong, add it to the weights.
export const look = (state, points, targets) => {
  if (state.done) return state;
  const { w, next } = state;
  const [x, t] = [points[next], targets[next]];
  const z = w[0] * x[0] + w[1] * x[1] + w[2];
  const wrong = t * z <= 0;
  const mistakes = [...state.mistakes];
  if (wrong) mistakes[mistakes.length - 1] += 1;
  const last = next === points.length - 1;
  const done = last && mistakes.at(-1) === 0;
  if (last && !done) mistakes.push(0);
  return {
    w: wrong ? [w[0] + t * x[0], w[1] + t * x[1], w[2] + t] : w,
    next: last ? 0 : next + 1,
    seen: next,
    pass: state.mistakes.length,
    z,
    mistakes,
    wrong,
    done,
  };
};

// As `perceptron.fit` of the library: passes until one has no mistake.
export const fit = (points, targets) => {
  let state = begin();
  while (!state.done) state = look(state, points, targets);
  return { w: state.w, mistakes: state.mistakes };
};

const SIDE = [360, 300];

export default (host, { points, targets, bound }) => {
  const middle = [0, 1].map(i => (Math.min(...points.map(p => p[i])) + Math.max(...points.map(p => p[i]))) / 2);
  const reach = [0, 1].map(i => Math.max(...points.map(p => Math.abs(p[i] - middle[i]))));
  const scale = Math.min(...reach.map((r, i) => (SIDE[i] / 2 - 16) / r));
  const at = p => [SIDE[0] / 2 + scale * (p[0] - middle[0]), SIDE[1] / 2 - scale * (p[1] - middle[1])];
  const most = Math.floor(bound);
  let state = begin();
  let before = null; // the line before it turned
  let timer = 0;

  // The line of some weights, long enough to leave the picture; null without one.
  const ends = ([a, b, c]) => {
    const size = Math.hypot(a, b);
    if (size === 0) return null;
    const [n, foot] = [[a / size, b / size], -c / size];
    const point = (along, away) => at([n[0] * (foot + away) - n[1] * along, n[1] * (foot + away) + n[0] * along]);
    return { line: [point(-9, 0), point(9, 0)], half: [point(-9, 0), point(9, 0), point(9, 18), point(-9, 18)] };
  };
  const half = svg("polygon", { class: "widget-side" });
  const ghost = svg("polyline", { class: "widget-ink widget-ghost" });
  const line = svg("polyline", { class: "widget-ink" });
  const marks = points.map((p, i) => {
    const [x, y] = at(p);
    if (targets[i] > 0) return svg("circle", { cx: x, cy: y, r: 4.5, class: "widget-plus" });
    return svg("rect", { x: x - 4, y: y - 4, width: 8, height: 8, class: "widget-minus" });
  });
  const ring = svg("circle", { r: 10, class: "widget-ink" });
  const picture = svg("svg", { viewBox: `0 0 ${SIDE.join(" ")}`, role: "img" }, half, ghost, line, ...marks, ring);
  const counts = html("p", { class: "widget-counts" });
  const say = html("output", { class: "widget-say" });

  const words = () => {
    const total = state.mistakes.reduce((a, b) => a + b, 0);
    if (state.seen === null) return "No line yet: all weights are 0. Look at the first example.";
    if (state.done) return `Done: pass ${state.pass} had no mistake. The line separates all ${points.length} points after ${total} mistakes; the bound allows ${most}.`;
    const example = `Example ${state.seen + 1} of pass ${state.pass} is a ${targets[state.seen] > 0 ? "circle, +1" : "square, −1"}; z = ${number(state.z)}.`;
    return `${example} ${state.wrong ? `Wrong side: mistake ${total}, and the line turns.` : "Right side: nothing changes."}`;
  };
  const draw = () => {
    const [now, old] = [ends(state.w), before && ends(before)];
    const list = corners => corners.map(p => p.map(u => u.toFixed(1)).join()).join(" ");
    half.setAttribute("points", now ? list(now.half) : "");
    line.setAttribute("points", now ? list(now.line) : "");
    ghost.setAttribute("points", old && state.wrong ? list(old.line) : "");
    const [x, y] = state.seen === null ? [-99, -99] : at(points[state.seen]);
    ring.setAttribute("transform", `translate(${x} ${y})`);
    const total = state.mistakes.reduce((a, b) => a + b, 0);
    counts.replaceChildren("Mistakes ", html("b", {}, String(total)), " of at most ", html("b", {}, String(most)), ` · pass ${state.pass ?? 1} `, html("span", {}, `· w = (${state.w.map(number).join(", ")})`));
    // While it runs, only what turns the line is read aloud.
    if (!timer || state.wrong || state.done) say.textContent = words();
    picture.setAttribute("aria-label", `${points.length} points of two classes, circles and squares${now ? ", and the line of the neuron; its side for circles is shaded" : ""}.`);
    // A button that goes grey would take the focus with it.
    if (state.done && host.contains(document.activeElement)) reset.focus();
    step.disabled = on.disabled = run.disabled = state.done;
    run.textContent = timer ? "Stop" : "Run";
  };
  const advance = () => {
    before = state.w;
    state = look(state, points, targets);
  };
  const stop = () => { clearTimeout(timer); timer = 0; };
  const tick = () => {
    if (!host.isConnected) return; // the reader went to another page
    advance();
    if (state.done) stop();
    else timer = setTimeout(tick, state.wrong ? 700 : 60);
    draw();
  };
  const step = button("Step", () => { stop(); advance(); draw(); });
  const on = button("Next mistake", () => {
    stop();
    do advance(); while (!state.wrong && !state.done);
    draw();
  });
  const run = button("Run", () => {
    if (timer) stop();
    else if (still()) while (!state.done) advance();
    else { tick(); return; }
    draw();
  });
  const reset = button("Reset", () => { stop(); [state, before] = [begin(), null]; draw(); });
  frame(host, "Try it: let the neuron learn", picture, say, counts, html("div", { class: "widget-buttons" }, step, on, run, reset));
  draw();
};
