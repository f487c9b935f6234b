// What a reader has done, kept on this device alone: one entry with a version, from which
// an older one is made anew. Nothing is sent.
const KEY = "chalkgrad";
const VERSION = 1;
// From version n to n + 1.
const MIGRATIONS = [
  () => ({ version: 1, exercises: {} }),
];

// `early.js` puts something that forgets in the place of a storage that is switched off.
export const isKept = !("value" in (Object.getOwnPropertyDescriptor(window, "localStorage") ?? {}));

const migrate = kept => {
  let now = kept;
  while (now.version < VERSION) now = MIGRATIONS[now.version](now);
  return now;
};
// What is not ours, or of a later version, is refused; `null` then.
export const parse = text => {
  let kept;
  try {
    kept = text === null ? { version: 0 } : JSON.parse(text);
  } catch {
    return null;
  }
  const isOurs = Number.isInteger(kept?.version) && kept.version >= 0 && kept.version <= VERSION;
  const found = isOurs ? migrate(kept) : null;
  return typeof found?.exercises === "object" ? found : null;
};

export const read = () => parse(localStorage.getItem(KEY)) ?? migrate({ version: 0 });
// A later version of the site may have written there: what it knows is not written over.
export const change = does => {
  const kept = parse(localStorage.getItem(KEY));
  if (!kept) return;
  does(kept);
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // It is full: what was there stays.
  }
};
export const replace = kept => localStorage.setItem(KEY, JSON.stringify(kept));
export const clear = () => localStorage.removeItem(KEY);

// What is known of one exercise: { starter, text, tries, passed }.
export const recordOf = name => {
  const found = () => read().exercises[name] ?? {};
  return {
    get: found,
    set: more => change(kept => { kept.exercises[name] = { ...kept.exercises[name], ...more }; }),
  };
};
