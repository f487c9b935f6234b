// Python in a worker of its own: a long run never blocks the page, and can be ended.
// It is told { id, fresh, snippets: [{ page, name, edited }] }, and tells how it goes on.
const home = new URL("../python/", import.meta.url).href;

const start = async () => {
  const { loadPyodide } = await import(`${home}pyodide.mjs`);
  const python = await loadPyodide({ indexURL: home, env: { MPLBACKEND: "agg" } });
  python.FS.writeFile("runner.py", await (await fetch(`${home}runner.py`)).text());
  return { python, runner: python.pyimport("runner") };
};
let started;
let names; // what the snippets of the page have defined

onmessage = async ({ data: { id, fresh, snippets } }) => {
  const tell = (kind, told) => postMessage({ id, kind, ...told });
  try {
    tell("stage", { text: "Starting Python …" });
    const { python, runner } = await (started ??= start());
    if (fresh || !names) names = python.toPy({ __name__: "__main__" });
    for (const [i, { page, name, edited }] of snippets.entries()) {
      const last = i === snippets.length - 1;
      const snippet = runner.Snippet(page, name, edited ?? undefined);
      await python.loadPackagesFromImports(snippet.source, {
        messageCallback: text => text.startsWith("Loading") && tell("stage", { text: `${text} …` }),
        errorCallback: text => tell("print", { text: `${text}\n` }),
      });
      tell("begin", { name, last });
      const answer = snippet.run(names, text => last && tell("print", { text }));
      const ended = answer.toJs({ dict_converter: Object.fromEntries });
      answer.destroy();
      snippet.destroy();
      if (last || ended.error) {
        tell("end", { name, ...ended });
        return;
      }
      tell("ran", { name });
    }
  } catch (error) {
    tell("end", { error: String(error), differences: [], figures: [], lost: true });
  }
};
