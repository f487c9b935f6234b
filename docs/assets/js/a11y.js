// What the theme leaves to a screen reader to guess.
const mend = () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  document.querySelectorAll("nav.md-code__nav").forEach((nav, i) => nav.setAttribute("aria-label", `Code block ${i + 1}`));
  // What scrolls must be reachable with the keyboard.
  document.querySelectorAll(".md-typeset__scrollwrap, .highlight pre > code, div.arithmatex, .drawing").forEach(box => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  });
};
// The theme adds the copy buttons a moment after a page has come.
const soon = () => { mend(); setTimeout(mend, 300); };
window.document$ ? window.document$.subscribe(soon) : soon();
