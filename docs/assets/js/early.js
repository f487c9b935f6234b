// What must happen before the theme's script runs; the last step of the build writes it
// into the head of every page. The index of the search is heavier than a page: it is
// fetched when the search opens, or at once when the address brings words to search.
document.documentElement.classList.replace("no-js", "js");
window.XMLHttpRequest = class extends XMLHttpRequest {
  open(method, address, ...rest) {
    this.waits = /\/search_index\.json$/.test(address) && !location.search;
    super.open(method, address, ...rest);
  }
  send(body) {
    const go = () => super.send(body);
    if (this.waits) document.getElementById("__search").addEventListener("change", go, { once: true });
    else go();
  }
};
