// Gradient descent on a bowl: choose the rate, the momentum and the start.
import { button, drag, frame, html, number, presets, slider, svg } from "./kit.js";

const SCALE = 75; // pixels a unit
const MIDDLE = [180, 120];

// All the places of a walk, the start among them: sgd, as in the library.
export const walk = (lr, momentum, start, steps, curvature) => {
  let w = start;
  let v = start.map(() => 0);
  const places = [w];
  for (let t = 0; t < steps; t += 1) {
    v = v.map((u, i) => momentum * u + curvature[i] * w[i]);
    w = w.map((u, i) => u - lr * v[i]);
    places.push(w);
  }
  return places;
};

// The largest rate that does not diverge: 2 (1 + momentum) / curvature.
export const limit = (momentum, curvature) => 2 * (1 + momentum) / curvature;

// How a walk goes along the steepest axis that it feels.
export const manner = (lr, momentum, start, curvature) => {
  const felt = Math.max(0, ...curvature.filter((_, i) => start[i] !== 0));
  if (felt === 0) return "stays";
  const over = lr / limit(momentum, felt) - 1;
  if (Math.abs(over) < 1e-9) return "bounces for ever";
  if (over > 0) return "is lost";
  if (lr * felt > (1 + Math.sqrt(momentum)) ** 2) return "bounces";
  return lr * felt > (1 - Math.sqrt(momentum)) ** 2 ? "swings" : "glides";
};

const sentence = (how, first, last, steps) => {
  if (how === "stays") return "Stays: it starts at the bottom, where the slope is 0.";
  const there = last < first / 20; // less than a twentieth is left
  const said = {
    "is lost": "Is lost: the rate is above the limit.",
    "bounces for ever": "Bounces for ever: the rate is exactly the limit.",
    bounces: there ? "Bounces from wall to wall, and arrives." : "Bounces from wall to wall, and is still on its way.",
    swings: there ? "Swings like a spring, and arrives." : "Swings like a spring, and is still on its way.",
    glides: there ? "Arrives without a swing." : "Creeps: it has not arrived yet.",
  }[how];
  return `${said} After ${steps} steps it is ${number(last)} from the bottom; it began at ${number(first)}.`;
};

export default (host, { curvature, start, steps, rates, examples }) => {
  const steepest = Math.max(...curvature);
  const lr = slider({ label: "Learning rate η", min: rates[0], max: rates[1], step: 0.005, value: 0.1 }, () => draw());
  const mu = slider({ label: "Momentum μ", min: 0, max: 0.95, step: 0.05, value: 0 }, () => draw());
  const place = start.map((value, i) => slider({ label: `Start w${"₁₂"[i]}`, min: [-2.2, -1.4][i], max: [2.2, 1.4][i], step: 0.05, value }, () => draw()));
  const mark = html("span", { class: "widget-mark", "aria-hidden": "true" });
  lr.box.append(mark);
  lr.box.classList.add("widget-limited");

  const at = w => w.map((u, i) => MIDDLE[i] + (i ? -SCALE : SCALE) * u);
  const points = places => places.map(place => at(place).map(u => u.toFixed(2)).join()).join(" ");
  const contours = count => Array.from({ length: count }, (_, i) => 0.1 * 140 ** (i / (count - 1))).map(height => {
    const [rx, ry] = curvature.map(c => Math.sqrt(2 * height / c) * SCALE);
    return svg("ellipse", { cx: MIDDLE[0], cy: MIDDLE[1], rx, ry, class: "widget-faint" });
  });
  const rings = contours(8);
  const path = svg("polyline", { class: "widget-line" });
  const dots = svg("g");
  const handle = svg("g", { class: "widget-handle" }, svg("circle", { r: 22, class: "widget-reach" }), svg("circle", { r: 8 }));
  const bottom = svg("path", { d: `M${MIDDLE[0] - 5} ${MIDDLE[1]}h10m-5-5v10`, class: "widget-ink" });
  const words = [["w₁", 350, 232], ["w₂", 10, 18]].map(([text, x, y]) => svg("text", { x, y, "text-anchor": x > 180 ? "end" : "start" }, text));
  const picture = svg("svg", { viewBox: "0 0 360 240", role: "img" }, ...rings, bottom, path, dots, ...words, handle);
  const say = html("output", { class: "widget-say" });

  const draw = () => {
    const from = place.map(axis => axis.value);
    const edge = limit(mu.value, steepest);
    const places = walk(lr.value, mu.value, from, steps, curvature);
    const how = manner(lr.value, mu.value, from, curvature);
    const gone = places.findIndex(w => Math.hypot(...w) > 100); // far outside the picture
    const seen = gone < 0 ? places : places.slice(0, gone);
    path.setAttribute("points", points(seen));
    dots.replaceChildren(...seen.slice(1).map(at).map(([cx, cy]) => svg("circle", { cx, cy, r: 3 })));
    picture.classList.toggle("widget-lost", how === "is lost");
    handle.setAttribute("transform", `translate(${at(from)})`);
    const share = (edge - rates[0]) / (rates[1] - rates[0]);
    lr.box.style.setProperty("--limit", Math.min(1.1, share));
    mark.classList.toggle("widget-beyond", share > 1);
    mark.textContent = share > 1 ? `limit ${number(edge)} →` : `limit ${number(edge)}`;
    const [first, last] = [places[0], places[steps]].map(w => Math.hypot(...w));
    const flat = from[0] !== 0 && from[1] === 0 ? " It starts with w₂ = 0, so it never feels the steep axis." : "";
    say.textContent = `${sentence(how, first, last, steps)} The limit is ${number(edge)}.${flat}`;
    markExamples();
    picture.setAttribute("aria-label", `Contour lines of the bowl, and the walk from w₁ = ${number(from[0])}, w₂ = ${number(from[1])}.`);
  };
  drag(picture, handle, (x, y) => {
    place[0].value = (x - MIDDLE[0]) / SCALE;
    place[1].value = (MIDDLE[1] - y) / SCALE;
    draw();
  });

  const reset = button("Reset", () => {
    [lr.value, mu.value] = [0.1, 0];
    place.forEach((axis, i) => { axis.value = start[i]; });
    draw();
  });
  const controls = html("div", { class: "widget-sliders" }, lr.box, mu.box, ...place.map(axis => axis.box));
  frame(host, "Try it: your rate, your start", picture, say, controls, html("div", { class: "widget-buttons" }, reset));
  const markExamples = presets(host, examples.map(([name, rate]) => {
    const places = walk(rate, 0, start, 15, curvature);
    const lost = manner(rate, 0, start, curvature) === "is lost";
    const small = svg("svg", { viewBox: "0 20 360 200", "aria-hidden": "true", class: lost ? "widget-lost" : "" }, ...contours(4), svg("polyline", { class: "widget-line", points: points(places) }));
    const choose = () => {
      reset.click();
      lr.value = rate;
      draw();
    };
    const isChosen = () => lr.value === rate && mu.value === 0 && place.every((axis, i) => axis.value === start[i]);
    return { picture: small, name, value: `η = ${rate}`, choose, isChosen };
  }));
  draw();
};
