// What the theme leaves to a screen reader to guess, and to a keyboard to miss.

// What scrolls must be reachable with the keyboard; what fits needs no stop there.
const scrolling = ".md-typeset__scrollwrap, .highlight pre > code, div.arithmatex, .drawing";
const sizes = new ResizeObserver(entries => entries.forEach(({ target }) => {
  if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
  else target.removeAttribute("tabindex");
}));

// A button that copies, on every block. The theme's own come one after the other, and it
// measures the page after each; it would also cut off the empty line that ends a block at
// the prompt. What a click does is the theme's.
const addCopyButtons = () => document.querySelectorAll("pre > code").forEach((code, i) => {
  if (code.parentElement.querySelector("nav")) return;
  const bar = Object.assign(document.createElement("nav"), { className: "md-code__nav" });
  bar.setAttribute("aria-label", `Code block ${i + 1}`);
  const copy = Object.assign(document.createElement("button"), { className: "md-code__button", title: "Copy to clipboard" });
  const text = code.closest("[data-copy]")?.dataset.copy ?? code.textContent.trimEnd();
  Object.assign(copy.dataset, { mdType: "copy", clipboardText: text });
  bar.append(copy);
  code.before(bar);
});

const mend = () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  sizes.disconnect();
  document.querySelectorAll(scrolling).forEach(box => sizes.observe(box));
  addCopyButtons();
};
// The theme swaps pages without loading them anew, and says so here.
window.document$ ? window.document$.subscribe(mend) : mend();

// The theme finds tabs by the text that is shown, so it misses those of what is folded:
// they follow when it opens.
document.addEventListener("toggle", ({ target }) => {
  if (!target.open) return;
  const chosen = window.__md_get?.("__tabs") ?? []; // the last choice first
  for (const tabs of target.querySelectorAll(".tabbed-labels")) {
    const labels = new Map([...tabs.children].map(label => [label.textContent.trim(), label]));
    const name = chosen.find(each => labels.has(each));
    if (name) document.getElementById(labels.get(name).htmlFor).checked = true;
  }
}, true);
