// What the theme leaves to a screen reader to guess, and to a keyboard to miss.

// What scrolls must be reachable with the keyboard; what fits needs no stop there.
const scrolling = ".md-typeset__scrollwrap, .highlight pre > code, div.arithmatex, .drawing";
const sizes = new ResizeObserver(entries => entries.forEach(({ target }) => {
  if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
  else target.removeAttribute("tabindex");
}));

// The theme adds the copy buttons when it finds the time.
const name = () => document.querySelectorAll("nav.md-code__nav").forEach((nav, i) => nav.setAttribute("aria-label", `Code block ${i + 1}`));
const buttons = new MutationObserver(name);

const mend = () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  sizes.disconnect();
  buttons.disconnect();
  document.querySelectorAll(scrolling).forEach(box => sizes.observe(box));
  document.querySelectorAll(".highlight pre").forEach(block => buttons.observe(block, { childList: true }));
  name();
};
// The theme swaps pages without loading them anew, and says so here.
window.document$ ? window.document$.subscribe(mend) : mend();
