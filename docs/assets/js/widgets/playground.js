// A network that learns in the page: its regions, its hidden units, its loss.
import { contour } from "./contour.js";
import { button, choice, frame, html, number, slider, still, svg } from "./kit.js";
import { init, plan } from "./network.js";
import optimizers from "./optimizers.js";

// What can be chosen. The first four act at once, the others need a new network.
export const VALUES = {
  noise: Array.from({ length: 16 }, (_, i) => String(i / 50)),
  optimizer: ["sgd", "momentum", "rmsprop", "adam"],
  rate: ["0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10"],
  batch: ["1", "5", "10", "20", "50", "100"],
  data: ["moons", "circles", "spirals", "xor"],
  layers: ["0", "1", "2", "3"],
  units: ["1", "2", "3", "4", "5", "6", "7", "8"],
  activation: ["tanh", "relu", "sigmoid", "identity"],
  start: ["1", "2", "3", "4"],
};
const LIVE = ["noise", "optimizer", "rate", "batch"];
const FIRST = { noise: "0.06", optimizer: "adam", rate: "0.03", batch: "20", data: "moons", layers: "2", units: "4", activation: "tanh", start: "1" };

// The state in the address: what is not one of the values above is not there.
export const write = state => `#playground?${new URLSearchParams(state)}`;
export const read = hash => {
  const [name, query] = hash.split("?");
  if (name !== "#playground") return null;
  const found = [...new URLSearchParams(query)].filter(([key, value]) => Object.hasOwn(VALUES, key) && VALUES[key].includes(value));
  return { ...FIRST, ...Object.fromEntries(found) };
};

// A network in training: `learn` takes a step on some of the points, at a rate.
export const trainee = (sizes, activation, optimizer, w, most) => {
  const net = plan(sizes, activation, most);
  let step = optimizers[optimizer](w.length);
  return {
    w,
    net,
    use(other) { step = optimizers[other](w.length); }, // it remembers nothing yet
    // False where the loss or a slope is not finite: then nothing has changed.
    learn(x, y, rows, lr) {
      net.forward(w, x, rows);
      const grad = net.backward(w, x, y, rows);
      if (!Number.isFinite(net.loss(y, rows)) || !grad.every(Number.isFinite)) return false;
      step(w, grad, lr);
      return true;
    },
  };
};

// Train on batches that are given, as lists of rows; return the weights.
export const train = (sizes, activation, optimizer, start, x, y, batches, lr) => {
  const one = trainee(sizes, activation, optimizer, Float64Array.from(start), x.length);
  for (const rows of batches)
    one.learn(rows.flatMap(i => x[i]), rows.map(i => y[i]), rows.length, lr);
  return [...one.w];
};

const SIDE = 40; // points of the plane, across and up
const HALF = SIDE / 2; // and of the picture of a hidden unit
const PLANE = 300; // the picture, in its own units
const LOSS = { width: 240, height: 130, least: -4, most: 1 }; // powers of ten

// The theme may draw the page anew, for an anchor; what was chosen stays.
let state = { ...FIRST };

export default (host, { sets, starts }) => {
  state = read(location.hash) ?? state;
  let one; // the network, and all that began with it
  let labels;
  let view; // the middle and half the side of what is seen of the plane
  let x;
  let order;
  let next;
  let random;
  let count; // steps, passes over the points, the step at which it was lost
  let losses;
  let running = false;
  let before = 0; // when the last frame was drawn
  let heard = { kind: "", at: 0 };

  // --- Pictures -----------------------------------------------------------------------
  const tint = html("canvas", { width: SIDE, height: SIDE });
  const line = svg("path", { class: "widget-ink" });
  const marks = svg("g");
  const picture = svg("svg", { viewBox: `0 0 ${PLANE} ${PLANE}`, role: "img" }, marks, line);
  const units = html("div", { role: "img", class: "playground-units" });
  const note = html("p", { class: "playground-note" });
  const curve = svg("polyline", { class: "widget-line" });
  const height = loss => LOSS.height * (LOSS.most - Math.min(LOSS.most, Math.max(LOSS.least, Math.log10(loss)))) / (LOSS.most - LOSS.least);
  const level = (loss, words) => [
    svg("path", { d: `M38 ${height(loss)}H${LOSS.width}`, class: "widget-faint" }),
    svg("text", { x: 34, y: height(loss) + 4, "text-anchor": "end", class: "widget-note" }, words),
  ];
  const levels = [[10, "10"], [1, "1"], [0.1, "0.1"], [0.01, "0.01"], [0.001, "0.001"], [0.0001, "0.0001"]].flatMap(each => level(...each));
  const loss = svg("svg", { viewBox: `-8 -8 ${LOSS.width + 12} ${LOSS.height + 16}`, role: "img", "aria-label": "The loss over all points, step by step, on a logarithmic scale." }, ...levels, curve);
  const counts = html("p", { class: "widget-counts" });
  const say = html("output", { class: "widget-say" });

  const points = () => {
    const { clean, noise } = sets[state.data];
    x = Float64Array.from(clean.flat(), (u, i) => u + Number(state.noise) * noise[i >> 1][i & 1]);
    const at = i => [0, 1].map(k => PLANE / 2 + (k ? -1 : 1) * PLANE / 2 * (x[2 * i + k] - view.middle[k]) / view.half);
    marks.replaceChildren(...labels.map((label, i) => {
      const [cx, cy] = at(i);
      if (label === 0) return svg("circle", { cx, cy, r: 4, class: "widget-plus" });
      return svg("rect", { x: cx - 3.5, y: cy - 3.5, width: 7, height: 7, class: "widget-minus" });
    }));
  };
  // The points of the plane where the network is asked, row by row from the top.
  const plane = () => Float64Array.from({ length: 2 * SIDE * SIDE }, (_, i) => {
    const [row, column] = [Math.floor(i / 2 / SIDE), (i >> 1) % SIDE];
    const share = (((i & 1) ? SIDE - 1 - row : column) + 0.5) / SIDE;
    return view.middle[i & 1] + view.half * (2 * share - 1);
  });
  // A picture of values from −1 to 1: one colour for each sign, the stronger the surer.
  const paint = (canvas, side, value, most) => {
    const context = canvas.getContext("2d");
    const image = context.createImageData(side, side);
    for (let i = 0; i < side * side; i += 1) {
      const v = value(i);
      const colour = view.colours[v < 0 ? 0 : 1];
      for (let k = 0; k < 3; k += 1) image.data[4 * i + k] = colour[k];
      image.data[4 * i + 3] = 255 * most * Math.abs(v);
    }
    context.putImageData(image, 0, 0);
  };
  const colours = () => ["--fig-1", "--fig-2"].map(name => {
    const code = parseInt(getComputedStyle(host).getPropertyValue(name).trim().slice(1), 16);
    return [code >> 16, (code >> 8) & 255, code & 255];
  });

  // --- What it says -------------------------------------------------------------------
  const verdict = (value, right, hidden) => {
    const { layers, rate, optimizer, activation } = state;
    const n = labels.length;
    if (count.lost) return ["lost", `Lost: the loss is not a finite number any more since step ${count.lost}. The rate ${rate} is too large for ${optimizer} here. Lower it and press Reset.`];
    if (count.steps === 0) return ["new", "A new network, not trained yet: its weights are drawn at random. Press Run."];
    const now = running ? "" : `Epoch ${count.epochs}, step ${count.steps}: ${right} of ${n} points are right. `;
    const dead = activation === "relu" ? hidden.findIndex(h => h.every(v => v === 0)) : -1;
    if (dead >= 0) return ["dead", `${now}Dead: all ReLUs of hidden layer ${dead + 1} are 0 at every point, so no slope passes them. Lower the rate and press Reset, or take another start.`];
    if (value > 2 * Math.LN2) return ["over", `${now}The loss is more than twice that of a guess: steps with the rate ${rate} overshoot. Lower it.`];
    if (right === n) return ["right", running ? `All ${n} points are right since epoch ${count.epochs}.` : `${now}That is all of them.`];
    if (layers === "0") return ["line", `${now}Without a hidden layer there is one neuron, and it draws a straight line.`];
    if (activation === "identity") return ["line", `${now}Without an activation the layers collapse to one: the boundary is a straight line.`];
    if (value > 0.98 * Math.LN2 && count.epochs >= 20) return ["stuck", `${now}That is no better than a guess yet. Wait, or try another rate, more units, or another start.`];
    return ["learning", running ? "It learns. Move the noise, the optimizer, the rate or the batch: that acts at once." : `${now}Run goes on from here.`];
  };
  const tell = ([kind, words]) => {
    // While it runs, only news are read aloud, and not too many.
    if (running && (kind === heard.kind || performance.now() - heard.at < 1000)) return;
    heard = { kind, at: performance.now() };
    say.textContent = words;
  };

  // --- Training -----------------------------------------------------------------------
  const shuffle = () => {
    for (let i = order.length - 1; i > 0; i -= 1) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      const k = Math.floor(random / 2 ** 32 * (i + 1));
      [order[i], order[k]] = [order[k], order[i]];
    }
    next = 0;
  };
  const learn = () => {
    const rows = order.slice(next, next + Number(state.batch));
    const batch = rows.flatMap(i => [x[2 * i], x[2 * i + 1]]);
    count.steps += 1;
    if (!one.learn(batch, rows.map(i => labels[i]), rows.length, Number(state.rate))) {
      count.lost = count.steps;
      running = false;
      return;
    }
    next += rows.length;
    if (next < order.length) return;
    count.epochs += 1;
    shuffle();
  };
  const learnFor = epochs => {
    const end = count.epochs + epochs;
    while (count.epochs < end && !count.lost) learn();
  };
  const draw = () => {
    const given = one.net.forward(one.w, x, labels.length);
    const z = given.at(-1);
    const value = one.net.loss(labels, labels.length);
    const right = labels.filter((label, i) => (z[i] > 0) === (label === 1)).length;
    if (losses.at(-1)?.[0] === count.steps) losses.pop();
    losses.push([count.steps, count.lost ? Infinity : value]);
    if (losses.length > 400) losses = losses.filter((_, i) => i % 2 === 0);
    loss.classList.toggle("widget-lost", count.lost > 0);
    tell(verdict(value, right, given.slice(0, -1)));
    const last = Math.max(1, count.steps);
    curve.setAttribute("points", losses.map(([step, v]) => `${(38 + (LOSS.width - 38) * step / last).toFixed(1)},${height(v).toFixed(1)}`).join(" "));
    const rest = html("span", {}, `· ${count.lost ? "lost" : `loss ${number(value)}`} · right `, html("b", {}, `${right} of ${labels.length}`));
    counts.replaceChildren("Epoch ", html("b", {}, String(count.epochs)), ` · step ${count.steps} `, rest);

    const outs = view.net.forward(one.w, view.plane, SIDE * SIDE);
    const logits = outs.at(-1);
    paint(tint, SIDE, i => Math.tanh(logits[i] / 2), 0.4); // 2 p − 1
    line.setAttribute("d", contour(logits, SIDE, 0, (column, row) => [PLANE * (column + 0.5) / SIDE, PLANE * (row + 0.5) / SIDE]));
    [...units.children].forEach((row, layer) => {
      [...row.children].forEach((canvas, unit) => {
        const at = i => outs[layer][(2 * Math.floor(i / HALF) * SIDE + 2 * (i % HALF)) * row.children.length + unit];
        let scale = h => h;
        if (state.activation === "sigmoid") scale = h => 2 * h - 1;
        if (["relu", "identity"].includes(state.activation)) {
          let most = 1e-9;
          for (let i = 0; i < HALF * HALF; i += 1) most = Math.max(most, Math.abs(at(i)));
          scale = h => h / most;
        }
        paint(canvas, HALF, i => scale(at(i)), 0.9);
      });
    });
    // A button that goes grey would take the focus with it.
    if (count.lost && [run, step].includes(document.activeElement)) reset.focus();
    run.disabled = step.disabled = Boolean(count.lost);
    run.textContent = running ? "Pause" : "Run";
  };
  const begin = () => {
    const [layers, width] = [Number(state.layers), Number(state.units)];
    const sizes = [2, ...Array(layers).fill(width), 1];
    const w = init(sizes, state.activation, starts[Number(state.start) - 1]);
    const { clean } = sets[state.data];
    labels = sets[state.data].labels;
    const ends = [0, 1].map(k => clean.map(p => p[k])).map(us => [Math.min(...us), Math.max(...us)]);
    view = {
      middle: ends.map(([low, high]) => (low + high) / 2),
      half: 0.7 * Math.max(...ends.map(([low, high]) => high - low)),
      net: plan(sizes, state.activation, SIDE * SIDE),
      colours: colours(),
    };
    view.plane = plane();
    one = trainee(sizes, state.activation, state.optimizer, w, labels.length);
    order = labels.map((_, i) => i);
    random = Number(state.start);
    count = { steps: 0, epochs: 0, lost: 0 };
    losses = [];
    running = false;
    shuffle();
    points();
    units.replaceChildren(...Array.from({ length: layers }, () => html("div", {}, ...Array.from({ length: width }, () => html("canvas", { width: HALF, height: HALF })))));
    units.setAttribute("aria-label", `What each hidden unit gives over the plane: ${layers} layers of ${width}.`);
    units.hidden = layers === 0;
    note.textContent = layers ? "What each hidden unit gives, layer by layer" : "No hidden layer: one neuron alone.";
    picture.setAttribute("aria-label", `${labels.length} points of two classes, circles and squares, on the plane tinted by the side that the network takes, and its boundary.`);
    draw();
  };

  // --- Controls -----------------------------------------------------------------------
  const set = (name, value) => {
    state[name] = value;
    if (!LIVE.includes(name)) { begin(); return; }
    if (name === "noise") points();
    if (name === "optimizer") one.use(value);
    draw();
  };
  const list = (name, label, words = value => value) => {
    const { box, input } = choice({ label, options: VALUES[name].map(value => [value, words(value)]), value: state[name] }, () => set(name, input.value));
    return { box, show() { input.value = state[name]; } };
  };
  const scale = (name, label) => {
    const index = () => VALUES[name].indexOf(state[name]);
    const made = slider({ label, min: 0, max: VALUES[name].length - 1, step: 1, value: index(), words: i => VALUES[name][i] }, () => set(name, VALUES[name][made.value]));
    return { box: made.box, show() { made.value = index(); } };
  };
  const now = [
    scale("rate", "Learning rate"),
    scale("noise", "Noise"),
    list("optimizer", "Optimizer"),
    list("batch", "Batch", value => value === "100" ? "all 100" : value),
  ];
  const anew = [
    scale("layers", "Hidden layers"),
    scale("units", "Units in each"),
    list("data", "Data"),
    list("activation", "Activation"),
    list("start", "Start"),
  ];
  const group = (title, controls) => html("fieldset", {}, html("legend", {}, title), ...controls.map(control => control.box));
  const save = () => history.replaceState(history.state, "", write(state));
  host.addEventListener("change", save);

  const tick = time => {
    if (!running || !host.isConnected) return;
    requestAnimationFrame(tick);
    if (!seen || time - before < 30) return; // 30 pictures a second are enough
    before = time;
    const enough = count.steps + 10;
    do learnFor(1); while (count.steps < enough && !count.lost);
    draw();
  };
  const run = button("Run", () => {
    if (still()) learnFor(100);
    else {
      running = !running;
      if (running) requestAnimationFrame(tick);
    }
    draw();
  });
  const step = button("Step", () => { running = false; learn(); draw(); });
  const reset = button("Reset", begin);
  const copy = button("Copy link", async () => {
    save();
    try {
      await navigator.clipboard.writeText(location.href);
      say.textContent = "Copied: the link opens the playground with these settings, not trained yet.";
    } catch {
      say.textContent = "The link to these settings is in the address bar.";
    }
  });

  // --- The page round it --------------------------------------------------------------
  let seen = true;
  new IntersectionObserver(entries => { seen = entries.at(-1).isIntersecting; }).observe(host);
  const dark = new MutationObserver(() => {
    if (!host.isConnected) { dark.disconnect(); return; }
    view.colours = colours();
    draw();
  });
  dark.observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
  const go = () => {
    if (!host.isConnected) { removeEventListener("hashchange", go); return; }
    const found = read(location.hash);
    if (!found) return;
    Object.assign(state, found);
    [...now, ...anew].forEach(control => control.show());
    begin();
  };
  addEventListener("hashchange", go);

  const left = html("div", { class: "playground-plane" }, tint, picture);
  const beside = html("div", { class: "widget-beside" }, note, units, html("p", { class: "playground-note" }, "Loss, step by step"), loss);
  frame(host, "Try it: train a network in the page", left, say, counts, html("div", { class: "widget-buttons" }, run, step, reset, copy), beside, html("div", { class: "playground-controls" }, group("These act at once", now), group("These start anew", anew)));
  begin();
};
