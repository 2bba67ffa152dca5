// Which key does what. People may change them; their own stay in the browser.

const DEFAULTS = {
  accept: "Enter", reject: "Backspace", unsure: "u", undo: "z", nextRegion: "Tab", previousRegion: "Shift+Tab",
  nextPicture: "ArrowRight", previousPicture: "ArrowLeft", search: "/", beneath: "ArrowDown",
  brush: "Shift+B", eraser: "Shift+E", polygon: "Shift+P", join: "Shift+J", add: "Shift+N",
  hide: "Shift+H", alone: "Shift+S", tint: "Shift+T", bulkLabel: "Shift+L", bulkCluster: "Shift+C",
  bulkLooks: "Shift+A", rename: "Shift+R", fit: "0", zoomIn: "+", zoomOut: "-", help: "?",
};
const KEPT = "ssa.review.keys";

let own = read();

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return Object.fromEntries(Object.entries(found).filter(([name, key]) => name in DEFAULTS && typeof key === "string"));
  } catch {
    return {};
  }
}

function keep() {
  localStorage.setItem(KEPT, JSON.stringify(own));
}

/** All actions with their keys. @returns {[string, string][]} */
export function allKeys() {
  return Object.keys(DEFAULTS).map((name) => [name, keyOf(name)]);
}

/** @param {string} name */
export function keyOf(name) {
  return own[name] ?? DEFAULTS[name];
}

/** What an event's key is called: "z", "Shift+B", "Ctrl+z"; null for a key that only goes with others. */
export function nameOf(event) {
  if (["Shift", "Control", "Alt", "Meta", "Dead", "Unidentified", "Process"].includes(event.key)) return null;
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  // The shift that makes "?" is in it already.
  if (event.shiftKey && (event.key.length > 1 || event.key.toLowerCase() !== event.key.toUpperCase())) parts.push("Shift");
  return [...parts, event.key].join("+");
}

/** The action of an event's key, or null. */
export function actionOf(event) {
  const key = nameOf(event);
  if (key === "Delete") return "reject";
  if (key === "Ctrl+z") return "undo";
  return allKeys().find(([, one]) => one === key)?.[0] ?? null;
}

/** Give an action another key; the action that has it already, if there is one, and then nothing is changed. */
export function change(name, key) {
  const taken = /^[1-9]$|^Escape$/.test(key) ? "take" : allKeys().find(([other, one]) => one === key && other !== name)?.[0];
  if (taken) return taken;
  own = { ...own, [name]: key };
  keep();
  return null;
}

/** Have all keys as they were. */
export function reset() {
  own = {};
  keep();
}

const SIGNS = { ArrowRight: "→", ArrowLeft: "←", ArrowDown: "↓", ArrowUp: "↑", Enter: "⏎", Backspace: "⌫", Tab: "⇥", Shift: "⇧" };

/** A key as people read it. */
export function written(key) {
  return key === "+" ? key : key.split("+").map((part) => SIGNS[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join("");
}
