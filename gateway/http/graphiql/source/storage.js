// What the browser remembers between visits: theme, panes and history, but neither tabs nor tokens.
//
// Each visit opens the examples anew, with fresh idempotency keys and the demo's current tokens. A
// remembered tab would replay an old key, and a remembered token would stay on the disk.
const FORGOTTEN = /^graphiql:(tabState|query|variables|headers|shouldPersistHeaders)$/;
const WITH_HEADERS = /^graphiql:(queries|favorites)$/;

const withoutHeaders = (text) =>
  JSON.stringify(JSON.parse(text), (name, value) => (name === "headers" ? undefined : value));

export const storage = {
  getItem: (key) => (FORGOTTEN.test(key) ? null : localStorage.getItem(key)),
  setItem: (key, value) => {
    if (!FORGOTTEN.test(key)) {
      localStorage.setItem(key, WITH_HEADERS.test(key) ? withoutHeaders(value) : value);
    }
  },
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => localStorage.clear(),
  get length() {
    return localStorage.length;
  },
};
