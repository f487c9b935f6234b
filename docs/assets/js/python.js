// A Python for what a reader has written: a worker of its own, ended if it goes on for too
// long. The snippets of the page have another one, and keep what they have defined.
const here = new URL(".", import.meta.url);
export const limit = { seconds: 20, quiet: 30 };

// As in run.js: a worker from a blob: URL inherits the page's Content-Security-Policy.
const makeWorker = () => {
  const source = `import ${JSON.stringify(new URL("run-worker.js", here).href)};`;
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  return new Worker(address, { type: "module" });
};

let worker = null;
let timer = 0;
let tell = null; // whoever waits for what is running

const end = (kind, words) => {
  clearTimeout(timer);
  const ended = tell;
  tell = null;
  ended?.(kind, words);
};
export const isRunning = () => tell !== null;
export const stop = why => {
  worker?.terminate();
  worker = null;
  end("stopped", why);
};
const wait = (seconds, why) => {
  clearTimeout(timer);
  timer = setTimeout(() => stop(why), 1000 * seconds);
};

// Run a text. `told` hears "stage" and "begin", then one of: "printed" with all that it has
// printed, "failed", "stopped", each with words.
export const run = (source, told) => {
  tell = told;
  const late = "Python does not come. The next press tries once more.";
  if (!worker) {
    worker = makeWorker();
    worker.onerror = () => stop(navigator.onLine ? "Python could not be started." : "There is no network.");
  }
  let printed = "";
  worker.onmessage = ({ data: { kind, ...said } }) => {
    if (kind === "stage") wait(limit.quiet, late);
    if (kind === "begin") wait(limit.seconds, `It does not come to an end within ${limit.seconds} s.`);
    if (kind === "print") printed += said.text;
    if (kind === "stage" || kind === "begin") tell?.(kind, said.text);
    if (kind !== "end") return;
    if (said.lost) stop(said.error.trim());
    else if (said.error) end("failed", said.error.trim().split("\n").at(-1));
    else end("printed", printed);
  };
  worker.postMessage({ fresh: true, snippets: [{ page: "", name: "judge", edited: source }], answers: [] });
  wait(limit.quiet, late);
};
