// The bowl on the board of the first page. It is drawn in the page; this lets one move it.
import { manner, walk } from "./widgets/bowl.js";
import { drag, number, still, svg } from "./widgets/kit.js";

const PAUSE = 55; // ms between two steps, when the walk is shown step by step

const sentence = (how, left) => {
  if (how === "stays") return "It starts at the bottom. There is nothing to do.";
  if (how === "is lost") return "Lost. Every step lands higher up than the last.";
  if (how === "bounces for ever") return "Exactly the limit: it jumps from wall to wall, for ever.";
  const way = { bounces: "It bounces from wall to wall", swings: "It swings", glides: left < 0.5 ? "It walks down" : "It creeps" }[how];
  return `${way}${left < 0.05 ? ", and arrives" : ", and is still on its way"}: ${number(100 * left)} % of the distance is left.`;
};

export default host => {
  const { curvature, steps, scale, middle, reach } = JSON.parse(host.dataset.given);
  const [picture, range, said, shown] = ["svg", "input", "output", "b"].map(name => host.querySelector(name));
  const [path, dots, ball] = [".walk", ".steps", ".ball"].map(name => picture.querySelector(name));
  let start = JSON.parse(ball.dataset.start);
  let frame = 0;

  const at = ([x, y]) => [middle[0] + scale * x, middle[1] - scale * y];
  const paint = places => {
    const seen = places.filter(w => Math.hypot(...w) < 6).map(at);
    path.setAttribute("points", seen.map(place => place.map(u => u.toFixed(1)).join()).join(" "));
    dots.replaceChildren(...seen.slice(1).map(([cx, cy]) => svg("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 4 })));
  };
  const draw = stepwise => {
    cancelAnimationFrame(frame);
    const lr = range.valueAsNumber;
    const places = walk(lr, 0, start, steps, curvature);
    const how = manner(lr, 0, start, curvature);
    shown.textContent = number(lr);
    said.textContent = sentence(how, Math.hypot(...places[steps]) / Math.hypot(...start));
    host.classList.toggle("lost", how === "is lost");
    ball.setAttribute("transform", `translate(${at(start)})`);
    ball.setAttribute("aria-valuenow", start[0]);
    ball.setAttribute("aria-valuetext", `w₁ ${number(start[0])}, w₂ ${number(start[1])}`);
    if (!stepwise || still()) {
      paint(places);
      return;
    }
    const began = performance.now();
    const next = now => {
      const seen = Math.min(steps, Math.floor((now - began) / PAUSE));
      paint(places.slice(0, seen + 1));
      if (seen < steps) frame = requestAnimationFrame(next);
    };
    frame = requestAnimationFrame(next);
  };
  const put = place => {
    start = place.map((u, i) => Math.round(20 * Math.max(-reach[i], Math.min(reach[i], u))) / 20);
    host.classList.add("touched");
    draw(false);
  };

  drag(picture, ball, (x, y) => put([(x - middle[0]) / scale, (middle[1] - y) / scale]));
  picture.addEventListener("click", () => draw(true)); // also where a drag ends
  ball.addEventListener("keydown", event => {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (!by) return;
    event.preventDefault();
    put(start.map((u, i) => u + by[i]));
  });
  range.addEventListener("input", () => draw(false));
  range.addEventListener("change", () => draw(true));
  draw(false);
};
