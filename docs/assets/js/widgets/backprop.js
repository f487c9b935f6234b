// Backpropagation on a row of diamonds, one node forward and one edge backward at a time.
import { button, choice, frame, html, number, svg } from "./kit.js";

// The deck's f = x², g = 3x, h = f · g, each diamond fed by the one before it.
// Nodes in a topological order, edges with their local derivatives.
export const diamonds = (x, count) => {
  const values = { x };
  const edges = [];
  const rules = { x: "" };
  let from = "x";
  for (let i = 1; i <= count; i += 1) {
    const [f, g, h] = ["f", "g", "h"].map(name => count > 1 ? name + "₁₂₃"[i - 1] : name);
    const at = values[from];
    values[f] = at * at;
    values[g] = 3 * at;
    values[h] = values[f] * values[g];
    Object.assign(rules, { [f]: `${from}²`, [g]: `3${from}`, [h]: `${f} · ${g}` });
    edges.push([from, f, 2 * at], [from, g, 3], [f, h, values[g]], [g, h, values[f]]);
    from = h;
  }
  return { values, rules, edges, last: from };
};

// The sweep backwards: for each edge, what it brings to its tail. An edge comes only
// after all edges that leave its head.
export const sweep = ({ values, edges, last }) => {
  const bar = Object.fromEntries(Object.keys(values).map(name => [name, name === last ? 1 : 0]));
  const steps = [];
  for (const head of Object.keys(values).reverse())
    for (const [tail, , derivative] of edges.filter(edge => edge[1] === head)) {
      const brings = bar[head] * derivative;
      bar[tail] += brings;
      steps.push({ tail, head, derivative, brings, from: bar[head], sum: bar[tail] });
    }
  return { bar, steps, multiplications: steps.length };
};

// Path by path: the product along each, and the multiplications of them all.
export const paths = ({ edges, last }) => {
  const walk = (name, product, length) => name === last
    ? [{ product, length }]
    : edges.filter(edge => edge[0] === name).flatMap(([, head, d]) => walk(head, product * d, length + 1));
  const found = walk("x", 1, 0);
  return {
    count: found.length,
    value: found.reduce((sum, path) => sum + path.product, 0),
    multiplications: found.reduce((sum, path) => sum + path.length, 0),
  };
};

const MIDDLE = 120; // of the picture, from top to bottom

export default (host, { x }) => {
  const size = choice({ label: "Graph", options: [[1, "1 diamond"], [2, "2 diamonds"], [3, "3 diamonds"]], value: 1 }, () => begin());
  const picture = svg("svg", { role: "img" });
  const counts = html("p", { class: "widget-counts" });
  const say = html("output", { class: "widget-say" });
  let graph;
  let back;
  let ways;
  let order;
  let done = 0;

  const places = count => {
    const step = Math.min(120, 308 / (2 * count));
    const y = MIDDLE;
    const at = { x: [180 - count * step, y] };
    Object.keys(graph.values).slice(1).forEach((name, i) => {
      const column = 1 + 2 * Math.floor(i / 3) + (i % 3 === 2 ? 1 : 0);
      at[name] = [at.x[0] + column * step, y + [-62, 62, 0][i % 3]];
    });
    return at;
  };
  const words = () => {
    const forward = order.length;
    if (done === 0) return "Step forward: each node's value, from those before it.";
    if (done <= forward) {
      const name = order[done - 1];
      const made = name === "x" ? "" : `${graph.rules[name]} = `;
      return `Forward: ${name} = ${made}${number(graph.values[name])}.`;
    }
    if (done === forward + 1) return `Backward starts at ${graph.last}: the derivative of ${graph.last} with respect to itself is 1.`;
    const { tail, head, derivative, brings, from, sum } = back.steps[done - forward - 2];
    const together = sum === brings ? "" : `, together ${number(sum)}`;
    const end = done === forward + 1 + back.steps.length ? ` Done: d${graph.last}/dx = ${number(sum)}.` : "";
    return `Backward along ${tail} → ${head}: ${number(from)} × ${number(derivative)} brings ${number(brings)} to ${tail}${together}.${end}`;
  };
  const draw = () => {
    const count = Number(size.input.value);
    const at = places(count);
    const forward = new Set(order.slice(0, done));
    const gone = back.steps.slice(0, Math.max(0, done - order.length - 1));
    const bar = done > order.length ? { [graph.last]: 1 } : {};
    for (const { tail, sum } of gone) bar[tail] = sum;
    const now = gone.at(-1);
    const radius = count === 1 ? 17 : count === 2 ? 15 : 12;
    const parts = graph.edges.map(([tail, head, derivative]) => {
      const [[x0, y0], [x1, y1]] = [at[tail], at[head]];
      const length = Math.hypot(x1 - x0, y1 - y0);
      const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
      const past = gone.some(step => step.tail === tail && step.head === head);
      const [bx, by] = [x1 - ux * (radius + 2), y1 - uy * (radius + 2)];
      const tip = [-0.45, 0.45].map(turn => {
        const angle = Math.atan2(uy, ux) + Math.PI + turn;
        return `${(bx + 7 * Math.cos(angle)).toFixed(1)} ${(by + 7 * Math.sin(angle)).toFixed(1)}`;
      });
      const kind = now && now.tail === tail && now.head === head ? "widget-now" : past ? "widget-past" : "";
      const d = `M${x0 + ux * radius} ${y0 + uy * radius}L${bx} ${by}M${tip[0]}L${bx} ${by}L${tip[1]}`;
      const edge = svg("g", { class: `widget-edge ${kind}` }, svg("path", { d, class: "widget-ink" }));
      // The local derivative is known when the values are.
      if (forward.has(head) && count < 3) {
        const up = y0 + y1 < 2 * MIDDLE;
        edge.append(svg("text", { x: (x0 + x1) / 2 + (x1 > x0 && (uy < 0) === up ? -8 : 8), y: (y0 + y1) / 2 + (up ? -6 : 15), "text-anchor": (uy < 0) === up ? "end" : "start", class: "widget-note" }, number(derivative)));
      }
      return edge;
    });
    for (const name of Object.keys(graph.values)) {
      const [cx, cy] = at[name];
      const on = order[done - 1] === name || now?.tail === name;
      const node = svg("g", { class: on ? "widget-node widget-on" : "widget-node" }, svg("circle", { cx, cy, r: radius }), svg("text", { x: cx, y: cy + 4.5, "text-anchor": "middle" }, name));
      // Away from the edges: both above, both below, or one on each side.
      const [value, derivative] = cy < MIDDLE ? [-7, -22] : cy > MIDDLE ? [16, 31] : [-7, 16];
      const label = (by, text, kind) => svg("text", { x: cx, y: cy + by + Math.sign(by) * radius, "text-anchor": "middle", class: kind }, text);
      parts.push(node, label(value, forward.has(name) ? number(graph.values[name]) : "", "widget-number"));
      parts.push(label(derivative, name in bar ? number(bar[name]) : "", "widget-number widget-bar"));
    }
    picture.setAttribute("viewBox", "0 0 360 240");
    picture.setAttribute("aria-label", `A graph of ${Object.keys(graph.values).length} nodes and ${graph.edges.length} edges, in ${count} diamond${count > 1 ? "s" : ""} one behind the other.`);
    picture.replaceChildren(...parts);
    counts.replaceChildren("Multiplications ", html("b", {}, String(gone.length)), ` of ${back.multiplications} `, html("span", {}, "· path by path ", html("b", {}, String(ways.multiplications)), ` (${ways.count} paths)`));
    say.textContent = words();
    const end = done === order.length + 1 + back.steps.length;
    if ((end && [step, all].includes(document.activeElement)) || (done === 0 && document.activeElement === undo)) (end ? reset : step).focus();
    undo.disabled = done === 0;
    step.disabled = all.disabled = end;
  };
  const begin = () => {
    const count = Number(size.input.value);
    graph = diamonds(x[count - 1], count);
    [back, ways] = [sweep(graph), paths(graph)];
    order = Object.keys(graph.values);
    done = 0;
    draw();
  };
  const go = to => () => { done = to(); draw(); };
  const undo = button("Back", go(() => done - 1));
  const step = button("Step", go(() => done + 1));
  const all = button("To the end", go(() => order.length + 1 + back.steps.length));
  const reset = button("Reset", go(() => 0));
  frame(host, "Try it: forward, then backward", picture, say, counts, size.box, html("div", { class: "widget-buttons" }, undo, step, all, reset));
  begin();
};
