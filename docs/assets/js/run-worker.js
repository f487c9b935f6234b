// Python in a worker of its own: a long run never blocks the page, and can be ended.
// It is told { id, fresh, snippets: [{ page, name, edited }], answers }, and tells how it
// goes on. Of the snippets it runs the last, and of those above what that one needs.
const home = new URL("../python/", import.meta.url).href;
let tell = (kind, told) => postMessage({ kind, ...told });

// --- What has to come before anything runs ---------------------------------------------

// All of it is asked for at once, and counted as it comes: bytes on the wire.
const START = ["pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json", /^numpy-/, /^chalkgrad-/, "runner.py", "slices.py"];
const ask = fetch;
const early = new Map(); // address → a promise of what comes from there
let sizes = {}; // name → [bytes, bytes on the wire]
let came = 0;
let total = 0;

// Pyodide waits for ever for a core that does not come: what is missing is told here.
let fail;
const failed = new Promise((_, reject) => { fail = reject; });

const megabytes = bytes => Math.round(bytes / 1e6);
// Whether something is still to come: who waits for that has less patience.
const tellStage = text => tell("stage", { text, comes: total - came > 1 });
const count = bytes => {
  came += bytes;
  tellStage(`Python comes, once: ${megabytes(came)} of ${megabytes(total)} MB …`);
};
const got = async address => {
  const name = address.slice(home.length);
  const [bytes, packed] = sizes[name] ?? [0, 0];
  total += packed;
  const lost = why => {
    const error = new Error(`${name} ${why}`);
    fail(error);
    return error;
  };
  const answer = await ask(address).catch(() => { throw lost("did not come: something holds it back, or the line broke."); });
  if (!answer.ok) throw lost(`did not come: the server says ${answer.status}.`);
  const [counted, given] = answer.body.tee();
  const reader = counted.getReader();
  const listen = async () => {
    let seen = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      seen += value.length;
      count(value.length * (bytes ? packed / bytes : 0));
    }
    if (bytes && seen !== bytes) lost(`came with ${seen} bytes and not ${bytes}: something on the way has changed it.`);
  };
  listen().catch(() => lost("did not come whole: the line broke."));
  return new Response(given, { headers: answer.headers });
};
globalThis.fetch = (asked, ...rest) => {
  const address = String(asked.url ?? asked);
  if (!address.startsWith(home)) return ask(asked, ...rest);
  const there = early.get(address) ?? got(address);
  early.delete(address);
  return there;
};

const start = async () => {
  sizes = await (await ask(`${home}sizes.json`)).json();
  const wanted = Object.keys(sizes).filter(name => START.some(each => each === name || each.test?.(name)));
  for (const name of wanted) if (!name.endsWith(".js")) early.set(home + name, got(home + name));
  for (const each of early.values()) each.catch(() => {}); // `failed` tells of it
  const [script, packed] = ["pyodide.asm.js", sizes["pyodide.asm.js"][1]];
  total += packed;
  const boot = async () => {
    await import(`${home}${script}`);
    count(packed);
    const { loadPyodide } = await import(`${home}pyodide.mjs`);
    const python = await loadPyodide({ indexURL: home, env: { MPLBACKEND: "agg" } });
    tellStage("Starting Python …");
    for (const name of ["runner.py", "slices.py"]) python.FS.writeFile(name, await (await fetch(home + name)).text());
    await python.loadPackage(["numpy", "chalkgrad"], { messageCallback: () => {} });
    return { python, runner: python.pyimport("runner"), slices: python.pyimport("slices") };
  };
  return Promise.race([boot(), failed]);
};

// --- Runs ------------------------------------------------------------------------------

let started;
let space; // what the snippets of the page have left

onmessage = async ({ data: { id, fresh, snippets, answers } }) => {
  tell = (kind, told) => postMessage({ id, kind, ...told });
  try {
    tell("stage", { text: "Starting Python …" });
    const { python, runner, slices } = await (started ??= start());
    if (!snippets) { // only warm
      tell("warm", {});
      return;
    }
    if (fresh || !space) {
      space?.destroy();
      space = slices.Namespace();
    }
    const made = snippets.map(({ page, name, edited }) => runner.Snippet(page, name, edited ?? undefined));
    const plan = space.plan(made.map(snippet => snippet.parts()));
    const todo = plan.toJs();
    plan.destroy();
    for (const [i, number] of todo.entries()) {
      const last = i === todo.length - 1;
      const snippet = made[number];
      const { name } = snippets[number];
      await python.loadPackagesFromImports(snippet.source, {
        messageCallback: text => text.startsWith("Loading") && tell("stage", { text: `${text} …` }),
        errorCallback: text => tell("print", { text: `${text}\n` }),
      });
      tell("begin", { name, last, number: i + 1, of: todo.length });
      space.begin(number);
      const { names } = space;
      const answer = snippet.run(names, text => last && tell("print", { text }), python.toPy(last ? answers : []));
      names.destroy();
      const ended = answer.toJs({ dict_converter: Object.fromEntries });
      answer.destroy();
      if (!ended.error && ended.asks === undefined) space.end(number);
      if (last || ended.error || ended.asks !== undefined) {
        tell("end", { name, ...ended });
        break;
      }
      tell("ran", { name });
    }
    made.forEach(snippet => snippet.destroy());
  } catch (error) {
    const why = navigator.onLine === false ? "There is no network: Python could not be fetched. Press Run again when there is." : String(error?.message ?? error);
    tell("end", { error: `${why}\n`, differences: [], figures: [], lost: true });
  }
};
