// Optimizers on a surface, side by side, each with a rate of its own: choose the surface,
// the start, and by which factor all rates are larger than the best.
import { contour } from "./contour.js";
import { button, choice, drag, frame, html, number, slider, still, svg } from "./kit.js";
import optimizers from "./optimizers.js";

// The losses of `cg.experiments` for two weights: the height and the slope.
const turned = angle => {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = ([x, y]) => [cos * x + sin * y, cos * y - sin * x];
  return {
    loss: w => { const [a, b] = along(w); return (a * a + 10 * b * b) / 2; },
    grad: w => { const [a, b] = along(w); return [cos * a - sin * 10 * b, sin * a + cos * 10 * b]; },
  };
};
const beale = (x, y) => [1.5 - x + x * y, 2.25 - x + x * y ** 2, 2.625 - x + x * y ** 3];
export const surfaces = {
  bowl: { words: "long bowl", ...turned(0) },
  turned: { words: "long bowl, turned", ...turned(Math.PI / 4) },
  rosenbrock: {
    words: "Rosenbrock's bent valley",
    loss: ([x, y]) => 100 * (y - x * x) ** 2 + (1 - x) ** 2,
    grad: ([x, y]) => [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)],
  },
  saddle: {
    words: "saddle between two valleys",
    loss: ([x, y]) => x * x / 2 + y ** 4 / 4 - y * y / 2,
    grad: ([x, y]) => [x, y ** 3 - y],
  },
  beale: {
    words: "Beale's steep corners",
    loss: ([x, y]) => beale(x, y).reduce((sum, part) => sum + part * part, 0),
    grad: ([x, y]) => {
      const [a, b, c] = beale(x, y);
      return [
        2 * (a * (y - 1) + b * (y * y - 1) + c * (y ** 3 - 1)),
        2 * x * (a + 2 * y * b + 3 * y * y * c),
      ];
    },
  },
  himmelblau: {
    words: "Himmelblau's four minima",
    loss: ([x, y]) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    grad: ([x, y]) => {
      const [a, b] = [x * x + y - 11, x + y * y - 7];
      return [4 * x * a + 2 * b, 2 * a + 4 * y * b];
    },
  },
};

// All places of a walk and their losses, the start among them. As in the library, a walk
// is lost when something is no longer finite: it stands where it was last, its loss is inf.
export const walk = (surface, optimizer, lr, start, steps) => {
  const { loss, grad } = surfaces[surface];
  const step = optimizers[optimizer](2);
  const places = [start];
  const losses = [loss(start)];
  for (let t = 1; t <= steps; t += 1) {
    const w = Float64Array.from(places.at(-1));
    if (losses.at(-1) < Infinity) step(w, grad(w), lr);
    const lost = losses.at(-1) === Infinity || ![...w, ...grad(w), loss(w)].every(Number.isFinite);
    places.push(lost ? places.at(-1) : [...w]);
    losses.push(lost ? Infinity : loss(w));
  }
  return { places, losses };
};

const SIDE = 320; // of the picture
const GRID = 96; // points across it, to find the contour lines
// How each is told from the others: a dash and a shape beside its colour.
const LOOKS = {
  sgd: ["", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z"],
  momentum: ["7 3", "M-4.5-4.5h9v9h-9Z"],
  nesterov: ["2 3", "M0-6 5.5 4.5h-11Z"],
  adagrad: ["9 3 2 3", "M0-6.5 6 0 0 6.5-6 0Z"],
  rmsprop: ["12 5", "M-5-5 5 5M-5 5 5-5"],
  adam: ["5 2 1 2", "M0 6-5.5-4.5h11Z"],
};

export default (host, { steps, factors, surfaces: given }) => {
  let bounds;
  let start;
  let walks;
  let place; // the two sliders of the start
  let running = false;
  let before = 0; // when the last frame was drawn

  const rateOf = name => given[surface.input.value].best[name] * factors[factor.value];
  const at = w => w.map((u, i) => {
    const share = (u - bounds[0]) / (bounds[1] - bounds[0]);
    return Math.max(-1e4, Math.min(1e4, SIDE * (i ? 1 - share : share)));
  });
  const rings = svg("path", { class: "widget-faint" });
  const minima = svg("g");
  const trails = svg("g");
  const handle = svg("g", { class: "widget-handle" }, svg("circle", { r: 22, class: "widget-reach" }), svg("circle", { r: 8 }));
  const picture = svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img" }, rings, minima, trails, handle);
  const body = html("tbody");
  const table = html("table", { class: "race-table" }, html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "Optimizer"), html("th", { scope: "col" }, "η"), html("th", { scope: "col" }, "Loss"))), body);
  const say = html("output", { class: "widget-say" });

  const surface = choice({ label: "Surface", options: Object.entries(surfaces).map(([name, { words }]) => [name, words]), value: "bowl" }, () => arrive());
  const factor = slider({ label: "Each rate, times its best", min: 0, max: factors.length - 1, step: 1, value: factors.indexOf(1), words: i => number(factors[i]) }, () => race());
  const time = slider({ label: "Step", min: 0, max: steps, step: 1, value: steps }, () => { running = false; draw(); });
  const starts = html("div", { class: "widget-sliders" });

  const runners = Object.entries(LOOKS).map(([name, [dash, shape]], i) => {
    const id = `race-${name}`;
    const look = `--trail: var(--fig-${i + 1})`;
    const trail = svg("polyline", { class: "race-trail", "stroke-dasharray": dash });
    const head = svg("path", { d: shape, class: "race-head" });
    trails.append(svg("g", { style: look }, trail, head));
    const box = html("input", { type: "checkbox", id });
    box.checked = true;
    box.addEventListener("change", () => draw());
    const sample = svg("svg", { viewBox: "0 -8 44 16", style: look, "aria-hidden": "true" }, svg("path", { d: "M0 0h44", class: "race-trail", "stroke-dasharray": dash }), svg("path", { d: shape, transform: "translate(22)", class: "race-head" }));
    const [rate, loss] = [html("td"), html("td")];
    body.append(html("tr", {}, html("th", { scope: "row" }, box, html("label", { for: id }, sample, name)), rate, loss));
    return { name, trail, head, box, rate, loss };
  });

  const several = names => names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
  const words = (t, on) => {
    if (on.length === 0) return "No optimizer is chosen.";
    const alive = on.filter(({ name }) => walks[name].losses[t] < Infinity);
    const lost = on.filter(runner => !alive.includes(runner)).map(({ name }) => `${name} (at step ${walks[name].losses.indexOf(Infinity)})`);
    const off = alive.filter(({ name }) => walks[name].places[t].some(u => u < bounds[0] || u > bounds[1])).map(({ name }) => name);
    const times = factors[factor.value];
    const said = [`${t} steps, each rule with ${times === 1 ? "the rate that is best for it here" : `${number(times)} times the rate that is best for it here`}.`];
    if (off.length) said.push(`Off the map: ${several(off)}.`);
    if (lost.length) said.push(`Diverged: ${several(lost)}.`);
    return said.join(" ");
  };
  const draw = () => {
    const t = time.value;
    const on = runners.filter(({ box }) => box.checked);
    for (const { name, trail, head, box, rate, loss } of runners) {
      const { points, losses } = walks[name];
      trail.parentNode.toggleAttribute("hidden", !box.checked);
      trail.setAttribute("points", points.slice(0, t + 1).join(" "));
      head.setAttribute("transform", `translate(${points[t]})`);
      const value = losses[t];
      rate.textContent = number(rateOf(name));
      // Below this an order says nothing: these bowls have no noise.
      loss.textContent = value === Infinity ? "diverged" : value < 1e-12 ? "< 10⁻¹²" : number(value);
      rate.className = loss.className = box.checked ? "" : "race-off";
    }
    handle.setAttribute("transform", `translate(${at(start)})`);
    // While they move, nothing is read aloud.
    if (!running) say.textContent = words(t, on);
    run.textContent = running ? "Pause" : "Run";
  };
  const race = () => {
    running = false;
    walks = Object.fromEntries(runners.map(({ name }) => {
      const { places, losses } = walk(surface.input.value, name, rateOf(name), start, steps);
      return [name, { places, losses, points: places.map(w => at(w).map(u => u.toFixed(1)).join()) }];
    }));
    time.value = steps;
    draw();
  };
  // Another surface: its map and its start.
  const arrive = () => {
    const { loss, words } = surfaces[surface.input.value];
    ({ bounds, start } = given[surface.input.value]);
    const grid = i => bounds[0] + (bounds[1] - bounds[0]) * i / (GRID - 1);
    const heights = Array.from({ length: GRID * GRID }, (_, i) => loss([grid(i % GRID), grid(GRID - 1 - Math.floor(i / GRID))]));
    // Closer together near the ground: the lines share out the map, not the height.
    const sorted = [...heights].sort((a, b) => a - b);
    const levels = Array.from({ length: 9 }, (_, i) => sorted[Math.floor(sorted.length * ((i + 1.2) / 10) ** 2)]);
    const spot = (column, row) => [SIDE * column / (GRID - 1), SIDE * row / (GRID - 1)];
    rings.setAttribute("d", levels.map(level => contour(heights, GRID, level, spot)).join(""));
    minima.replaceChildren(...given[surface.input.value].minima.map(w => svg("path", { d: "M-5 0h10M0-5v10", transform: `translate(${at(w)})`, class: "widget-ink" })));
    picture.setAttribute("aria-label", `Contour lines (${words}), the minima as crosses, and the walks of the optimizers from one start.`);
    const reach = Math.floor(10 * bounds[1]) / 10;
    place = start.map((value, i) => slider({ label: `Start w${"₁₂"[i]}`, min: -reach, max: reach, step: 0.01, value }, () => { start = place.map(axis => axis.value); race(); }));
    starts.replaceChildren(...place.map(axis => axis.box));
    race();
  };

  // Drag the start, or tap where it shall be.
  drag(picture, handle, (x, y) => {
    [x, SIDE - y].forEach((u, i) => { place[i].value = bounds[0] + (bounds[1] - bounds[0]) * u / SIDE; });
    start = place.map(axis => axis.value);
    race();
  });

  const tick = now => {
    if (!running || !host.isConnected) return;
    if (now - before > 30) { // 30 pictures a second are enough
      before = now;
      time.value += 2;
      running = time.value < steps;
      draw();
    }
    requestAnimationFrame(tick);
  };
  const run = button("Run", () => {
    if (still()) time.value = steps;
    else {
      running = !running;
      if (running && time.value === steps) time.value = 0;
      if (running) {
        say.textContent = "On their way.";
        requestAnimationFrame(tick);
      }
    }
    draw();
  });
  const reset = button("Reset", () => {
    factor.value = factors.indexOf(1);
    runners.forEach(({ box }) => { box.checked = true; });
    arrive();
  });
  frame(host, "Try it: a race of optimizers", picture, say, html("div", { class: "widget-beside" }, table), surface.box, html("div", { class: "widget-sliders" }, factor.box, time.box), starts, html("div", { class: "widget-buttons" }, run, reset));
  arrive();
};
