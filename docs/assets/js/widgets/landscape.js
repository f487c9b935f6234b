// A loss landscape to turn: choose the network and the directions, see where it walked.
import { button, check, choice, frame, html, number, slider, svg } from "./kit.js";

// The heights of a plane, from 0 to 1: a byte each, in base64.
export const heights = plane => Array.from(atob(plane.heights), c => c.charCodeAt(0) / 255);

const SIDE = 104; // pixels from the middle of the ground to an edge
const RISE = 130; // pixels from height 0 to 1
const MIDDLE = [180, 160];

// Where a place is seen. The ground goes from -1 to 1 both ways and turns about its middle;
// the tilt is 90 degrees from above, 0 from the side.
export const project = (turn, tilt, [u, v, height]) => {
  const [a, b] = [turn, tilt].map(degrees => degrees * Math.PI / 180);
  const away = u * Math.sin(a) + v * Math.cos(a);
  return [
    MIDDLE[0] + SIDE * (u * Math.cos(a) - v * Math.sin(a)),
    MIDDLE[1] - SIDE * away * Math.sin(b) - RISE * (height - 0.5) * Math.cos(b),
  ];
};

// The cells, row and column, from the farthest to the nearest: so near ones cover far ones.
export const order = (turn, side) => {
  const [u, v] = [Math.sin(turn * Math.PI / 180), Math.cos(turn * Math.PI / 180)];
  const along = to => Array.from({ length: side }, (_, i) => to > 0 ? side - 1 - i : i);
  return along(u).flatMap(row => along(v).map(column => [row, column]));
};

const NETWORKS = { plain: "40 layers, plain", skips: "40 layers, with skips" };
const KINDS = { filter: "random, scaled by filter", none: "random, raw", walk: "of the walk itself" };
const BEGIN = { turn: 30, tilt: 40 };

export default (host, { points, planes }) => {
  const network = choice({ label: "Network", options: Object.entries(NETWORKS), value: "plain" }, () => look());
  const kind = choice({ label: "Directions", options: Object.entries(KINDS), value: "filter" }, () => look());
  const shown = check({ label: "Show the walk of training", value: true }, () => draw());
  const turn = slider({ label: "Turn", min: 0, max: 360, step: 1, value: BEGIN.turn, words: x => `${x}°` }, () => draw());
  const tilt = slider({ label: "Tilt", min: 10, max: 90, step: 1, value: BEGIN.tilt, words: x => `${x}°` }, () => draw());
  let plane;
  let relief;
  let painted; // which cell is the farthest: then the colours are right

  const side = points - 1;
  const cells = Array.from({ length: side * side }, () => svg("polygon", { class: "landscape-cell" }));
  const ground = svg("polygon", { class: "widget-ink" });
  const names = ["d₁", "d₂"].map(name => svg("text", { "text-anchor": "middle" }, name));
  const path = svg("polyline", { class: "landscape-walk" });
  const end = svg("circle", { r: 4, class: "landscape-end" });
  const walk = svg("g", {}, path, end);
  const picture = svg("svg", { viewBox: "0 0 360 320", role: "img", tabindex: 0, class: "landscape-view" }, ground, ...names, svg("g", {}, ...cells), walk);
  const counts = html("p", { class: "widget-counts" });
  const say = html("output", { class: "widget-say" });

  const scale = i => 2 * i / side - 1;
  // The height between four points of the grid.
  const above = (u, v) => {
    const [x, y] = [u, v].map(w => Math.min(side - 1e-9, Math.max(0, (w + 1) * side / 2)));
    const [row, column] = [Math.floor(x), Math.floor(y)];
    const at = (i, j) => relief[(row + i) * points + column + j];
    const [p, q] = [x - row, y - column];
    return (1 - p) * ((1 - q) * at(0, 0) + q * at(0, 1)) + p * ((1 - q) * at(1, 0) + q * at(1, 1));
  };
  const draw = () => {
    const see = place => project(turn.value, tilt.value, place).map(x => x.toFixed(1)).join();
    const spots = relief.map((height, k) => see([scale(Math.floor(k / points)), scale(k % points), height]));
    const corners = (row, column) => [0, 1, points + 1, points].map(step => row * points + column + step);
    const from = order(turn.value, side);
    const anew = painted !== String(from[0]);
    from.forEach(([row, column], k) => {
      const four = corners(row, column);
      cells[k].setAttribute("points", four.map(i => spots[i]).join(" "));
      if (anew) cells[k].style.setProperty("--height", `${Math.round(10 + 20 * four.reduce((sum, i) => sum + relief[i], 0))}%`);
    });
    painted = String(from[0]);
    ground.setAttribute("points", [[-1, -1], [-1, 1], [1, 1], [1, -1]].map(([u, v]) => see([u, v, 0])).join(" "));
    // The names stand at the near edges, where the relief doesn't cover them.
    const [u, v] = from.at(-1).map(i => i ? 1.2 : -1.2);
    [[u, 0, 0], [0, v, 0]].forEach((place, i) => {
      const [x, y] = project(turn.value, tilt.value, place);
      names[i].setAttribute("x", x);
      names[i].setAttribute("y", y + 4);
    });
    path.setAttribute("points", plane.walk.map(([u, v]) => see([u, v, above(u, v)])).join(" "));
    const [cx, cy] = project(turn.value, tilt.value, [0, 0, above(0, 0)]);
    end.setAttribute("cx", cx);
    end.setAttribute("cy", cy);
    walk.setAttribute("visibility", shown.input.checked ? "visible" : "hidden");
  };
  const look = () => {
    const [which, how] = [network.input.value, kind.input.value];
    plane = planes[how][which];
    relief = heights(plane);
    painted = null;
    const [low, high] = planes[how].scale.map(power => number(10 ** power));
    const [least, most] = plane.range.map(number);
    const valleys = plane.valleys === 1 ? "one valley" : `${plane.valleys} valleys`;
    const share = `${number(100 * plane.share)} percent of the variance of the walk`;
    counts.replaceChildren("Height: the loss from ", html("b", {}, low), " to ", html("b", {}, high), ", logarithmic, the same for both networks");
    say.textContent = `${NETWORKS[which]}, directions ${KINDS[how]}: ${valleys}, and a loss from ${least} to ${most}. This plane holds ${share}${plane.share < 0.01 ? ", so its shadow is a dot." : "."}`;
    picture.setAttribute("aria-label", `A relief of the loss round a trained network (${NETWORKS[which]}), and the shadow that the walk of training throws on it. Drag it or use the arrow keys to turn it.`);
    draw();
  };
  const face = (around, up) => {
    turn.value = (Math.round(around) % 360 + 360) % 360;
    tilt.value = up;
    draw();
  };
  let grip; // where the pointer took hold, and how the ground lay then
  picture.addEventListener("pointerdown", event => {
    picture.setPointerCapture(event.pointerId);
    grip = { x: event.clientX, y: event.clientY, turn: turn.value, tilt: tilt.value };
  });
  picture.addEventListener("pointermove", event => {
    if (!picture.hasPointerCapture(event.pointerId)) return;
    face(grip.turn + (event.clientX - grip.x) / 2, grip.tilt + (event.clientY - grip.y) / 2);
  });
  picture.addEventListener("keydown", event => {
    const by = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, -5], ArrowDown: [0, 5] }[event.key];
    if (!by) return;
    event.preventDefault();
    face(turn.value + by[0], tilt.value + by[1]);
  });
  const reset = button("Reset", () => {
    [turn.value, tilt.value] = [BEGIN.turn, BEGIN.tilt];
    [network.input.value, kind.input.value, shown.input.checked] = ["plain", "filter", true];
    look();
  });
  frame(host, "Try it: turn a loss landscape", picture, say, counts, html("div", { class: "widget-row" }, network.box, kind.box), html("div", { class: "widget-sliders" }, turn.box, tilt.box), html("div", { class: "widget-row" }, shown.box, reset));
  look();
};
