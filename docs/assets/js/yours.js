// The reader's own ledger: which questions were passed, which to come back to, where to go
// on. All of it is read from this device; a button takes it along as a file.
import { bringStyle } from "./exercise.js";
import { clear, isKept, parse, read, replace } from "./store.js";
import { button, html } from "./widgets/kit.js";

export default host => {
  bringStyle();
  const lines = [...host.querySelectorAll("li[data-exercise]")];
  const sum = html("p", { class: "yours-sum", role: "status" });
  const chosen = html("input", { type: "file", accept: "application/json,.json", "aria-label": "A file that was exported" });
  chosen.hidden = true;

  const show = words => {
    const { exercises } = read();
    const of = line => exercises[line.dataset.exercise] ?? {};
    for (const line of lines) {
      const { passed, tries } = of(line);
      line.dataset.state = passed ? "passed" : tries ? "open" : "";
      line.querySelector(".yours-state").textContent = passed ? "passed" : tries ? `tried ${tries === 1 ? "once" : `${tries} times`}: once more?` : "";
    }
    const passed = lines.filter(line => line.dataset.state === "passed").length;
    const next = lines.find(line => line.dataset.state === "open") ?? lines.find(line => !line.dataset.state);
    sum.replaceChildren(words ? `${words} ` : "", `You have passed ${passed} of ${lines.length}.`);
    if (next) sum.append(" Go on with ", next.querySelector("a").cloneNode(true), ".");
    if (!isKept) sum.append(" This browser keeps nothing: what you do is lost with the tab.");
  };
  const save = () => {
    const file = new Blob([JSON.stringify(read(), null, 1)], { type: "application/json" });
    const link = html("a", { href: URL.createObjectURL(file), download: "chalkgrad.json" });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const load = async () => {
    const [file] = chosen.files;
    const kept = file && parse(await file.text());
    chosen.value = "";
    if (!file) return;
    if (kept) replace(kept);
    show(kept ? "The file is here." : "That file is none of these.");
  };
  let sure = false;
  const remove = () => {
    if (sure) clear();
    show(sure ? "All is deleted." : "Press once more to delete all of it.");
    sure = !sure;
  };
  chosen.addEventListener("change", load);
  host.prepend(sum, html("div", { class: "tools" }, button("Export", save), button("Import", () => chosen.click()), button("Delete all", remove), chosen));
  show();
};
