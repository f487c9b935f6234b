// A weight in bfloat16, step by step: it moves only when the update survives the rounding.
import { button, choice, frame, html, number, slider, svg } from "./kit.js";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
// The bits of a float32, changed, and its last 16 cut off: a bfloat16.
const cut = (x, change) => {
  float[0] = x;
  bits[0] = (change(bits[0]) >>> 16) << 16;
  return float[0];
};

// To the nearest, of two that are as near to the even one: add almost half, and cut.
export const nearest = x => cut(x, b => b + 0x7fff + (b >>> 16 & 1));
// Up or down by chance: add 16 random bits, and cut.
export const stochastic = (x, noise) => cut(x, b => b + noise);
// The next larger number of a positive bfloat16, or another one near it.
export const neighbour = (w, k = 1) => cut(w, b => b + k * 0x10000);

// All values of a weight, the first among them: as kept in bfloat16, and in float64.
export const walk = (w, update, rounding, draws) => {
  const step = Math.fround(update);
  const kept = [w];
  const exact = [w];
  for (const noise of draws) {
    const sum = Math.fround(kept.at(-1) + step);
    kept.push(rounding === "nearest" ? nearest(sum) : stochastic(sum, noise));
    exact.push(exact.at(-1) + update);
  }
  return { kept, exact };
};

const LINE = 58; // how high the number line lies
const [LEFT, RIGHT, TOP, BOTTOM] = [48, 344, 122, 250]; // of the graph
const digits = x => String(Number(x.toPrecision(5))); // neighbours differ in the fourth

export default (host, { updates, draws, begin }) => {
  const start = slider({ label: "Weight w at the start", min: -4, max: 3, step: 0.125, value: 0, words: k => digits(nearest(2 ** k)) }, () => draw());
  const size = slider({ label: "Update −η g", min: 0, max: updates.length - 1, step: 1, value: updates.indexOf(begin.update), words: i => number(updates[i]) }, () => draw());
  const time = slider({ label: "Step", min: 0, max: draws.length, step: 1, value: begin.step }, () => draw());
  const rounding = choice({ label: "Rounding", options: [["nearest", "to nearest"], ["stochastic", "stochastic"]], value: "nearest" }, () => draw());

  const line = (d, kind) => svg("path", { d, class: kind });
  const text = (x, y, anchor, words) => svg("text", { x, y, "text-anchor": anchor }, words);
  const picture = svg("svg", { viewBox: "0 0 360 274", role: "img" });
  const counts = html("p", { class: "widget-counts" });
  const say = html("output", { class: "widget-say" });

  // The numbers round w, the update as an arrow, and what it is rounded to.
  const near = (w, update, next) => {
    const spacing = neighbour(w) - w;
    const across = x => 105 + 74 * (x - w) / spacing;
    const ticks = [-1, 0, 1, 2, 3].map(k => neighbour(w, k)).flatMap(x => [line(`M${across(x)} ${LINE - 7}v14`, "widget-ink"), text(across(x), LINE + 24, "middle", digits(x))]);
    const middle = across(w + spacing / 2);
    const half = rounding.input.value === "nearest" ? [line(`M${middle} ${LINE - 30}v36`, "widget-ink widget-ghost"), text(middle, LINE - 36, "middle", "half")] : [];
    const [from, to] = [across(w), Math.min(352, across(w + update))];
    const arrow = line(`M${from} ${LINE - 16}H${to}M${to - 4} ${LINE - 20}L${to} ${LINE - 16}L${to - 4} ${LINE - 12}`, "bf16-update");
    const far = across(next) > 352;
    const there = far ? text(352, LINE - 24, "end", `to ${digits(next)}`) : svg("circle", { cx: across(next), cy: LINE, r: 5, class: "bf16-next" });
    const here = svg("circle", { cx: from, cy: LINE, r: 5, class: "bf16-here" });
    return [line(`M8 ${LINE}H352`, "widget-faint"), ...ticks, ...half, arrow, ...(next === w ? [] : [there]), here];
  };
  // Both weights against the steps, up to this one.
  const graph = ({ kept, exact }, t) => {
    const [low, high] = [kept[0], Math.max(kept.at(-1), exact.at(-1))];
    const across = i => LEFT + (RIGHT - LEFT) * i / draws.length;
    const up = x => BOTTOM - (BOTTOM - TOP) * (x - low) / (high - low);
    const curve = values => values.slice(0, t + 1).map((x, i) => `${across(i).toFixed(1)} ${up(x).toFixed(1)}`);
    const rows = [low];
    while (rows.length < 40 && neighbour(rows.at(-1)) <= high) rows.push(neighbour(rows.at(-1)));
    // So many numbers would be a grey wall.
    const levels = rows.length < 40 ? rows.map(x => line(`M${LEFT} ${up(x)}H${RIGHT}`, "widget-faint")) : [];
    const stairs = curve(kept).map((p, i) => i ? `H${p.split(" ")[0]}V${p.split(" ")[1]}` : `M${p}`).join("");
    return [
      line(`M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}`, "widget-faint"), ...levels,
      text(LEFT - 5, up(low) + 4, "end", number(low)), text(LEFT - 5, up(high) + 4, "end", number(high)),
      text(LEFT, BOTTOM + 17, "middle", "0"), text(RIGHT, BOTTOM + 17, "end", `${draws.length} steps`),
      line(`M${curve(exact).join("L")}`, "widget-ink widget-ghost"), line(stairs, "widget-line"),
      svg("circle", { cx: across(t), cy: up(kept[t]), r: 4, class: "bf16-here" }),
    ];
  };
  // Whether the next step moves the weight, and why.
  const why = (w, update, next, kept, t) => {
    const share = update / (neighbour(w) - w);
    const spacings = `the next update is ${number(share)} of the spacing`;
    if (rounding.input.value === "stochastic") {
      const part = share - Math.floor(share);
      return `${next === w ? "It stays this time" : "It moves this time"}: ${spacings}, so it is rounded up with a chance of ${number(100 * part)} percent.`;
    }
    if (next !== w) return `It moves: ${spacings}, more than half, and is rounded to a whole number of spacings.`;
    const since = kept.indexOf(w);
    const still = since === t ? "stands still from here on" : since ? `has stood still since step ${since}` : "has stood still from the start";
    return `It ${still}: ${spacings}, less than half, and is rounded away.`;
  };
  const draw = () => {
    const [update, t] = [updates[size.value], time.value];
    const walked = walk(nearest(2 ** start.value), update, rounding.input.value, [...draws, draws[0]]);
    const [w, next, exact] = [walked.kept[t], walked.kept[t + 1], walked.exact[t]];
    walked.kept.pop();
    walked.exact.pop();
    picture.replaceChildren(...near(w, update, next), ...graph(walked, t));
    picture.setAttribute("aria-label", `Above, the numbers of bfloat16 round ${digits(w)}, and the update as an arrow from there. Below, the weight in bfloat16, solid, and in float64, dashed, over ${t} steps.`);
    counts.replaceChildren("Step ", html("b", {}, String(t)), " · bfloat16, solid ", html("b", {}, digits(w)), " ", html("span", {}, "· float64, dashed ", html("b", {}, digits(exact))), " ", html("span", {}, `· spacing ${number(neighbour(w) - w)}`));
    say.textContent = `After ${t} steps bfloat16 is at ${digits(w)} and float64 at ${digits(exact)}. ${why(w, update, next, walked.kept, t)}`;
    const end = t === draws.length;
    if (end && document.activeElement === step) reset.focus();
    step.disabled = end;
  };
  const step = button("Step", () => { time.value += 1; draw(); });
  const reset = button("Reset", () => {
    [start.value, size.value, time.value, rounding.input.value] = [0, updates.indexOf(begin.update), begin.step, "nearest"];
    draw();
  });
  frame(host, "Try it: a weight that stops moving", picture, say, counts, rounding.box, html("div", { class: "widget-sliders" }, start.box, size.box, time.box), html("div", { class: "widget-buttons" }, step, reset));
  draw();
};
