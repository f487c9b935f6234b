// A curve built from bumps: choose the curve, how many bumps, and how steep their steps.
import { button, check, choice, frame, html, number, slider, svg } from "./kit.js";

const TARGETS = {
  wave: ["one wave of the sine", x => Math.sin(Math.PI * x)],
  hat: ["a hat", x => Math.max(0, 1 - 2 * Math.abs(x))],
  jump: ["a jump from 0 to 1", x => x > 0 ? 1 : 0],
};
const sigmoid = z => 1 / (1 + Math.exp(-z));
const grid = (from, to, count) => Array.from({ length: count }, (_, i) => i === count - 1 ? to : from + i * ((to - from) / (count - 1)));

// The stairs of the page: n pieces, as high as the target in the middle of each. Between
// two pieces is one step, a hidden unit; neighbouring bumps share it.
const stairs = (target, n) => {
  const middles = grid(-1 + 1 / n, 1 - 1 / n, n);
  return { heights: middles.map(TARGETS[target][1]), edges: middles.slice(0, -1).map(x => x + 1 / n) };
};
const steps = ({ edges }, steepness, x) => edges.map(edge => sigmoid(steepness * x - steepness * edge));

// What the network says at some places: its bias, and each step times its rise.
export const outputs = (target, n, steepness, places) => {
  const made = stairs(target, n);
  const { heights } = made;
  return places.map(x => steps(made, steepness, x).reduce((sum, step, i) => sum + step * (heights[i + 1] - heights[i]), heights[0]));
};

// The largest error among 4001 places, and where it is.
export const worst = (target, n, steepness) => {
  const places = grid(-1, 1, 4001);
  const errors = outputs(target, n, steepness, places).map((out, i) => Math.abs(out - TARGETS[target][1](places[i])));
  const at = errors.reduce((most, error, i) => error > errors[most] ? i : most, 0);
  return { error: errors[at], at: places[at] };
};

// The bumps one by one: up at their left edge, down at their right one. The first has no
// left edge and the last no right one. They add up to the network.
export const single = (target, n, steepness, places) => {
  const made = stairs(target, n);
  const risen = places.map(x => [1, ...steps(made, steepness, x), 0]);
  return made.heights.map((height, i) => risen.map(step => height * (step[i] - step[i + 1])));
};

const across = x => 186 + 158 * x;
const up = y => 110 - 80 * y;

export default (host, { most, steepness, begin }) => {
  const target = choice({ label: "Target", options: Object.entries(TARGETS).map(([name, [words]]) => [name, words]), value: "wave" }, () => draw());
  const bumps = slider({ label: "Bumps", min: 2, max: most, step: 1, value: begin[0] }, () => draw());
  const steep = slider({ label: "Steepness of the steps", min: 0, max: steepness.length - 1, step: 1, value: steepness.indexOf(begin[1]), words: i => steepness[i].toLocaleString("en-GB") }, () => draw());
  const each = check({ label: "Show the single bumps", value: true }, () => draw());

  const aim = svg("path", { class: "widget-ink widget-ghost" });
  const thin = svg("path", { class: "bumps-each" });
  const sum = svg("path", { class: "widget-line" });
  const bar = svg("path", { class: "bumps-error" });
  const text = (x, y, anchor, words) => svg("text", { x, y, "text-anchor": anchor }, words);
  const axes = svg("path", { d: `M${across(-1)} ${up(0)}H${across(1)}M${across(-1)} ${up(-1)}V${up(1)}`, class: "widget-faint" });
  const words = [-1, 0, 1].flatMap(u => [text(across(u), 216, "middle", number(u)), text(20, up(u) + 4, "end", number(u))]);
  const picture = svg("svg", { viewBox: "0 0 360 222", role: "img" }, axes, ...words, thin, aim, bar, sum);
  const say = html("output", { class: "widget-say" });

  const seen = grid(-1, 1, 801);
  const point = (x, y) => `${across(x).toFixed(1)} ${up(y).toFixed(1)}`;
  const curve = values => `M${values.map((y, i) => point(seen[i], y)).join("L")}`;
  // Of a bump, only where it is more than a line on the axis; there it stands on the axis.
  const bump = values => {
    const part = seen.map((x, i) => [x, values[i]]).filter(([, y]) => Math.abs(y) > 2e-3);
    if (part.length === 0) return "";
    const ends = [part[0], part.at(-1)].map(([x]) => point(x, 0));
    return `M${[ends[0], ...part.map(([x, y]) => point(x, y)), ends[1]].join("L")}Z`;
  };
  const draw = () => {
    const name = target.input.value;
    const chosen = [name, bumps.value, steepness[steep.value]];
    const [called, f] = TARGETS[name];
    const { error, at } = worst(...chosen);
    const best = worst(name, bumps.value, steepness.at(-1)).error;
    aim.setAttribute("d", curve(seen.map(f)));
    sum.setAttribute("d", curve(outputs(...chosen, seen)));
    thin.setAttribute("d", each.input.checked ? single(...chosen, seen).map(bump).join("") : "");
    bar.setAttribute("d", `M${point(at, f(at))}L${point(at, outputs(...chosen, [at])[0])}`);
    picture.setAttribute("aria-label", `The target, ${called}, dashed, and the network of ${bumps.value} bumps${each.input.checked ? ", each drawn thin" : ""}; a bar where the error is largest.`);
    const soft = error > 1.05 * best ? ` The steps are too soft for bumps so narrow: steep ones would reach ${number(best)}.` : "";
    const never = name === "jump" ? " At a jump no number of bumps gets below a half." : "";
    const units = bumps.value - 1;
    say.textContent = `The largest error is ${number(error)}, at x = ${number(at)}. ${bumps.value} bumps are ${units} hidden ${units > 1 ? "units" : "unit"}, for neighbours share a step.${soft}${never}`;
  };
  const reset = button("Reset", () => {
    target.input.value = "wave";
    [bumps.value, steep.value, each.input.checked] = [begin[0], steepness.indexOf(begin[1]), true];
    draw();
  });
  frame(host, "Try it: build a curve from bumps", picture, say, html("div", { class: "widget-row" }, target.box, each.box), html("div", { class: "widget-sliders" }, bumps.box, steep.box), html("div", { class: "widget-buttons" }, reset));
  draw();
};
