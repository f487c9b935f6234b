// What must happen before the theme's script runs; the last step of the build writes it
// into the head of every page, in one line: a comment has a line of its own.
// The theme makes every address absolute, and a style that is given a new address is
// applied anew, to the whole page: here it happens before the style is there. So does the
// class that the theme's script adds to mark where the focus is to be seen.
document.documentElement.classList.replace("no-js", "js");
document.documentElement.classList.add("js-focus-visible");
// From a file a browser starts no module, so no room is kept for a widget.
document.documentElement.classList.toggle("modules", location.protocol !== "file:");
if ("blocking" in HTMLLinkElement.prototype) new MutationObserver(() => {
  for (const link of document.head.querySelectorAll("link[rel=stylesheet]:not([href*='//'])")) {
    // Nothing is drawn before it is there.
    link.blocking = "render";
    link.href = link.href;
  }
}).observe(document.head, { childList: true });
// Where a browser lets nothing be stored, the theme would stop; here it forgets instead.
for (const name of ["localStorage", "sessionStorage"]) {
  try {
    window[name].getItem("");
  } catch {
    const kept = new Map();
    const value = { getItem: key => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text), removeItem: key => kept.delete(key) };
    Object.defineProperty(window, name, { value });
  }
}
// Nothing of the search is fetched before it opens, or the address brings words to search.
const search = new Promise(open => {
  const ask = () => {
    const box = document.getElementById("__search");
    // A quick reader has opened it already, before the theme's script ran.
    if (location.search || box?.checked) open();
    else box?.addEventListener("change", open, { once: true });
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ask);
  else ask();
});
window.XMLHttpRequest = class extends XMLHttpRequest {
  open(method, address, ...rest) {
    this.waits = /\/search_index\.json$/.test(address);
    super.open(method, address, ...rest);
  }
  send(body) {
    if (this.waits) search.then(() => super.send(body));
    else super.send(body);
  }
};
const AnyWorker = Worker;
window.Worker = class extends EventTarget {
  constructor(address, options) {
    super();
    if (!/\/workers\/search\.[^/]*$/.test(address)) return new AnyWorker(address, options);
    this.opened = search.then(() => new AnyWorker(address, options));
    this.opened.then(worker => { worker.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent("message", { data })); });
  }
  postMessage(message) {
    this.opened.then(worker => worker.postMessage(message));
  }
};
// A link to a place on the page that is open is the browser's own affair. The theme would
// fetch the page and put it in its place once more, and what a reader has typed, run or
// moved would be gone. What has a target it leaves alone, and nothing is loaded for a
// fragment. `shown` is the page that stands here, or that the theme is fetching.
let shown = location.pathname;
addEventListener("click", event => {
  const link = event.target instanceof Element && event.target.closest("a[href]");
  const plain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || link.origin + link.pathname !== location.origin + location.pathname) return;
  link.target = "_self";
  link.search = location.search;
  if (!link.hash) link.href += "#";
  document.querySelectorAll("#__drawer:checked, #__search:checked").forEach(over => over.click());
}, true);
addEventListener("click", () => { shown = location.pathname; });
// The theme would hear this next; it has told the browser to leave the scrolling to it.
addEventListener("popstate", event => {
  if (location.pathname === shown) event.stopImmediatePropagation();
  if (location.pathname === shown && event.state) scrollTo(0, event.state.y);
  shown = location.pathname;
});
