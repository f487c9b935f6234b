// A line folded again and again: how many pieces it has then, and where one place goes.
import { button, drag, frame, html, number, slider, svg } from "./kit.js";

const relu = z => Math.max(0, z);

// What the network of the page makes of x, one value after each fold. Two units a layer,
// r(z) and r(z - 1/2); the next layer takes twice the first, less four times the second.
export const forward = (depth, x) => {
  const values = [];
  let value = x;
  for (let layer = 0; layer < depth; layer += 1) {
    value = 2 * relu(value) - 4 * relu(value - 0.5);
    values.push(value);
  }
  return values;
};

// The pieces: a new one wherever the slope changes, on a grid where this is exact.
export const count = depth => {
  const places = 2 ** (depth + 2);
  const heights = Array.from({ length: places + 1 }, (_, k) => forward(depth, k / places).at(-1));
  return 1 + heights.slice(2).filter((height, k) => height - 2 * heights[k + 1] + heights[k] !== 0).length;
};

const [LEFT, WIDTH] = [16, 284]; // from 0 to 1
const [TOP, HEIGHT] = [14, 116]; // of the sawtooth
const [STRIPS, ROOM] = [166, 150]; // where the first strip lies, and the room for all

const units = n => n > 1 ? `${n} units` : `${n} unit`;

export default (host, { networks, x }) => {
  const folds = slider({ label: "Folds, one a layer", min: 1, max: networks.length, step: 1, value: 3 }, () => draw());
  const place = slider({ label: "A place x", min: 0, max: 1, step: 0.01, value: x }, () => draw());

  const across = u => LEFT + WIDTH * u;
  const up = v => TOP + HEIGHT * (1 - v);
  const line = (x0, y0, x1, y1, kind) => svg("path", { d: `M${x0} ${y0}L${x1} ${y1}`, class: kind });
  const text = (x, y, anchor, words) => svg("text", { x, y, "text-anchor": anchor }, words);
  const saw = svg("path", { class: "widget-line" });
  const rest = svg("g"); // whatever depends on x
  const handle = svg("g", { class: "widget-handle" }, svg("circle", { r: 22, class: "widget-reach" }), svg("circle", { r: 8 }));
  const axis = line(across(0), up(0), across(1), up(0), "widget-faint");
  const picture = svg("svg", { viewBox: "0 0 360 328", role: "img" }, axis, text(12, up(0) + 4, "end", "0"), text(12, up(1) + 4, "end", "1"), saw, rest, handle);
  const counts = html("p", { class: "widget-counts" });
  const say = html("output", { class: "widget-say" });

  const draw = () => {
    const depth = folds.value;
    const pieces = count(depth);
    const { deep, flat } = networks[depth - 1];
    const way = [place.value, ...forward(depth, place.value)];
    const height = way.at(-1);
    const corners = Array.from({ length: pieces + 1 }, (_, k) => k / pieces);
    saw.setAttribute("d", `M${corners.map(u => `${across(u).toFixed(2)} ${up(forward(depth, u).at(-1)).toFixed(2)}`).join("L")}`);
    saw.style.strokeWidth = Math.max(0.4, 1.8 - depth / 5);
    // The places that lie on one another: as many as there are pieces.
    const same = corners.slice(0, -1).map((u, k) => u + (k % 2 ? 1 - height : height) / pieces);
    const dots = same.map(u => svg("circle", { cx: across(u), cy: up(height), r: Math.max(1, 4 - depth / 2), class: "widget-minus" }));
    const step = Math.min(50, ROOM / depth);
    const strips = way.flatMap((value, i) => {
      const y = STRIPS + step * i;
      const last = i === depth;
      // The right half comes to lie on the left one.
      const halves = last ? [line(across(0), y, across(1), y, "widget-ink")] : [line(across(0), y, across(0.5), y, "fold-left"), line(across(0.5), y, across(1), y, "fold-right")];
      const on = last ? [] : [line(across(value), y, across(way[i + 1]), y + step, "widget-ink widget-ghost")];
      return [...halves, ...on, svg("circle", { cx: across(value), cy: y, r: 3.5, class: "fold-dot" }), text(across(1) + 10, y + 4, "start", i ? number(value) : `x = ${number(value)}`)];
    });
    const level = line(across(0), up(height), across(1), up(height), "fold-level");
    const drop = line(across(way[0]), up(height), across(way[0]), STRIPS, "widget-ink widget-ghost");
    rest.replaceChildren(level, drop, ...dots, ...strips);
    handle.setAttribute("transform", `translate(${across(way[0])} ${up(height)})`);
    picture.setAttribute("aria-label", `Above, the sawtooth of ${pieces} pieces, with x and all the places of its height. Below, the line before and after each fold, and where x lies on it.`);
    counts.replaceChildren("Pieces counted ", html("b", {}, String(pieces)), ` = 2`, html("sup", {}, String(depth)), " ", html("span", {}, "· deep ", html("b", {}, units(deep[0])), `, ${deep[1]} weights`), " ", html("span", {}, "· one layer ", html("b", {}, units(flat[0])), `, ${flat[1]} weights`));
    say.textContent = `${depth} ${depth > 1 ? "folds" : "fold"}: ${way.map(number).join(" → ")}. ${deep[0]} hidden units make ${pieces} pieces; one hidden layer needs at least ${units(flat[0])}.`;
  };
  drag(picture, handle, to => { place.value = (to - LEFT) / WIDTH; draw(); });
  const reset = button("Reset", () => { [folds.value, place.value] = [3, x]; draw(); });
  frame(host, "Try it: fold the line", picture, say, counts, html("div", { class: "widget-sliders" }, folds.box, place.box), html("div", { class: "widget-buttons" }, reset));
  draw();
};
