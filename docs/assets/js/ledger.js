// The ledger: choose by verdict, look for a word, or guess before you look. Nothing of it
// is kept. Without this script all cards are there with their verdicts.
export default root => {
  const [tools, score, tally] = [".tools", ".score", ".tally"].map(name => root.querySelector(name));
  const [search, guess] = ["[type=search]", ".guess"].map(name => tools.querySelector(name));
  const filters = [...tools.querySelectorAll("[data-filter]")];
  const cards = [...root.querySelectorAll(".card")];
  const marks = new Map([...tally.querySelectorAll("a")].map(mark => [mark.title.split(":")[0], mark]));
  let chosen = "all";
  let said = []; // whether each answer so far agreed with the experiment

  const guessing = () => guess.getAttribute("aria-pressed") === "true";
  const show = () => {
    const word = search.value.trim().toLowerCase();
    const seen = cards.filter(card => {
      const fits = chosen === "all" || card.dataset.group === chosen;
      card.hidden = !(fits && card.querySelector(".board").textContent.toLowerCase().includes(word));
      return !card.hidden;
    });
    for (const list of root.querySelectorAll(".cards")) list.previousElementSibling.hidden = !list.querySelector(".card:not([hidden])");
    for (const each of filters) each.setAttribute("aria-pressed", each.dataset.filter === chosen);
    if (guessing()) score.textContent = said.length ? `You agree with the experiments on ${said.filter(Boolean).length} of ${said.length}.` : "The verdicts are covered. What would you say?";
    else score.textContent = seen.length === cards.length ? "" : `${seen.length} of ${cards.length} statements.`;
  };
  const cover = (card, on) => {
    card.querySelector(".found").hidden = on;
    card.querySelector(".ask").hidden = !on;
    card.querySelector(".yours")?.remove();
    marks.get(card.dataset.claim).classList.toggle("covered", on);
  };
  const begin = on => {
    guess.setAttribute("aria-pressed", on);
    root.classList.toggle("guessing", on);
    // The marks, their links, and what chooses by verdict would tell.
    tally.inert = on;
    filters.forEach(each => { each.disabled = on; });
    [chosen, said] = ["all", []];
    cards.forEach(card => cover(card, on));
    show();
  };

  filters.forEach(each => each.addEventListener("click", () => {
    chosen = each.dataset.filter;
    show();
  }));
  search.addEventListener("input", show);
  guess.addEventListener("click", () => begin(!guessing()));
  root.addEventListener("click", ({ target }) => {
    const answer = target.closest("[data-say]");
    if (!answer) return;
    const card = answer.closest(".card");
    const agrees = answer.dataset.say === card.dataset.verdict;
    said.push(agrees);
    cover(card, false);
    const yours = document.createElement("p");
    yours.className = "yours";
    yours.textContent = agrees ? "You said so." : `You said: ${answer.textContent.toLowerCase()}.`;
    card.querySelector(".evidence").before(yours);
    card.querySelector(".evidence a").focus({ preventScroll: true });
    show();
  });
  tools.hidden = false;
  begin(false);
};
