// Things to move: each `<div data-widget="name">` wakes when the reader comes near, and so
// does the place to answer a question.
const wake = async host => {
  if (host.matches(".exercise")) {
    (await import("./exercise.js")).default(host);
    return;
  }
  const { default: build } = await import(`./widgets/${host.dataset.widget}.js`);
  build(host, JSON.parse(host.dataset.given));
};
const near = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    // What cannot be had (the network is gone) leaves no empty box.
    wake(target).catch(error => {
      delete target.dataset.awake;
      target.dataset.lost = "";
      throw error;
    });
  }
}, { rootMargin: "400px" });
const look = () => document.querySelectorAll(":is([data-widget], .exercise):not([data-awake])").forEach(host => {
  host.dataset.awake = ""; // the style keeps room for it
  near.observe(host);
  // A link may hold the state of a widget: #name?what=it-is.
  if (location.hash.startsWith(`#${host.dataset.widget}?`)) host.scrollIntoView();
});
// What is in the page already, and only wakes: `<div data-script="name">`.
const start = () => document.querySelectorAll("[data-script]:not([data-started])").forEach(async host => {
  host.dataset.started = "";
  (await import(`./${host.dataset.script}.js`)).default(host);
});
// The theme swaps pages without loading them anew, and says so here.
window.document$ ? window.document$.subscribe(() => { look(); start(); }) : (look(), start());
