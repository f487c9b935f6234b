// What the widgets share: elements, controls, and numbers as a reader writes them.
const dress = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
export const html = (tag, attributes = {}, ...children) => dress(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => dress(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
// Three digits, and powers of ten where a number is very large or very small.
export const number = x => {
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e-3 && size < 1e5) {
    const short = size >= 1000 ? String(Math.round(x)) : String(Number(x.toPrecision(3)));
    return short.replace("-", "−");
  }
  const [digits, power] = x.toExponential(2).split("e");
  const raised = [...String(Number(power))].map(c => RAISED[c]).join("");
  return `${String(Number(digits)).replace("-", "−")}\u00a0×\u00a010${raised}`;
};

let count = 0;
// A native slider with its name before it and its value, in `words`, beside the name.
export const slider = ({ label, min, max, step, value, words = number }, changed) => {
  const id = `widget-${count += 1}`;
  const input = html("input", { type: "range", id, min, max, step, value });
  const shown = html("span", { class: "widget-value", "aria-hidden": "true" });
  const box = html("div", { class: "widget-slider" }, html("label", { for: id }, label), shown, input);
  const show = () => {
    shown.textContent = words(input.valueAsNumber);
    input.setAttribute("aria-valuetext", shown.textContent);
    box.style.setProperty("--at", (input.valueAsNumber - min) / (max - min));
  };
  input.addEventListener("input", () => { show(); changed(); });
  show();
  return {
    box,
    input,
    get value() { return input.valueAsNumber; },
    set value(to) { input.value = to; show(); },
  };
};
// A native list to choose from: `options` are pairs of value and words.
export const choice = ({ label, options, value }, changed) => {
  const id = `widget-${count += 1}`;
  const input = html("select", { id }, ...options.map(([name, words]) => html("option", { value: name }, words)));
  input.value = value;
  input.addEventListener("change", changed);
  return { box: html("div", { class: "widget-choose" }, html("label", { for: id }, label), input), input };
};
// A native box to tick.
export const check = ({ label, value }, changed) => {
  const id = `widget-${count += 1}`;
  const input = html("input", { type: "checkbox", id });
  input.checked = value;
  input.addEventListener("change", changed);
  return { box: html("div", { class: "widget-choose" }, input, html("label", { for: id }, label)), input };
};
export const button = (label, pressed) => {
  const made = html("button", { type: "button" }, label);
  made.addEventListener("click", pressed);
  return made;
};
// Drag the handle of a picture, or tap where it shall be: `moved` is told where.
export const drag = (picture, handle, moved) => {
  const move = event => {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    moved(x, y);
  };
  // A finger on the handle moves the handle, not the page; `touch-action` does not reach
  // the parts of an SVG.
  handle.addEventListener("touchstart", event => event.preventDefault(), { passive: false });
  handle.addEventListener("pointerdown", event => handle.setPointerCapture(event.pointerId));
  handle.addEventListener("pointermove", event => handle.hasPointerCapture(event.pointerId) && move(event));
  picture.addEventListener("click", move);
};
// The frame of every widget: a title that names the group, the picture, and the rest: the
// sentence first, then what is moved by hand. On a low screen they stand side by side.
export const frame = (host, title, picture, ...rest) => {
  const id = `widget-${count += 1}`;
  // The figure above shows the same, and is hidden while this is there.
  const figure = host.previousElementSibling;
  const show = button("Figure", () => show.setAttribute("aria-pressed", figure.classList.toggle("shown")));
  show.setAttribute("aria-pressed", "false");
  show.setAttribute("aria-label", "Show the figure of the same, with its caption");
  host.setAttribute("role", "group");
  host.setAttribute("aria-labelledby", id);
  host.replaceChildren(
    html("p", { class: "widget-title", id }, title),
    html("div", { class: "widget-picture" }, picture),
    html("div", { class: "widget-rest" }, ...rest),
  );
  if (figure?.matches("figure")) ([...host.querySelectorAll(".widget-buttons")].at(-1) ?? host.lastChild).append(show);
};
// Small pictures to press, between the title and the picture: each shows what it chooses.
export const presets = (host, items) => {
  const wall = html("div", { class: "widget-presets", role: "group", "aria-label": "Examples" });
  const made = items.map(({ picture, name, value, choose, isChosen }) => {
    const each = button("", choose);
    each.append(picture, html("b", {}, name), " ", html("span", {}, value));
    wall.append(each);
    return () => each.setAttribute("aria-pressed", isChosen());
  });
  host.querySelector(".widget-title").after(wall);
  return () => made.forEach(mark => mark());
};
// What somebody has typed is kept until the tab is closed; where nothing can be kept, not.
// If the page has another text by then, nobody would know what it was an answer to.
export const shelf = (name, page) => {
  const key = `chalkgrad:${name}`;
  const safely = does => { try { return does(); } catch { return null; } };
  const kept = safely(() => JSON.parse(sessionStorage.getItem(key)));
  return {
    text: kept?.page === page ? kept.text : null,
    keep: text => safely(() => sessionStorage.setItem(key, JSON.stringify({ page, text }))),
  };
};
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
