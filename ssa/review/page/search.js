// A field for a label: what was typed against all labels seen, and as a name of its own.

import { fill, h, name } from "./dom.js";
import { store } from "./store.js";
import { say } from "./strings.js";

const MOST = 8;
let count = 0;

/** Labels that have the text: those that begin with it first, then words of them, then the more frequent. */
export function found(text, labels) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const rank = (label) => {
    const at = label.toLowerCase().indexOf(wanted);
    return at < 0 ? 3 : at === 0 ? 0 : label[at - 1] === " " ? 1 : 2;
  };
  return labels.map((one) => [rank(one[0]), one]).filter(([place]) => place < 3)
    .sort((a, b) => a[0] - b[0]).slice(0, MOST).map(([, one]) => one);
}

/** Whether Enter is to take this label: one that has the text somewhere in a word is not meant by it. */
function beginsWord(label, typed) {
  return label !== undefined && ` ${label.toLowerCase()}`.includes(` ${typed.toLowerCase()}`);
}

/** @param {{label: string, placeholder: string, take: (text: string) => void, value?: string}} of @returns {HTMLElement} */
export function field({ label, placeholder, take, value = "" }) {
  const list = h("ul", { id: `labels${++count}`, role: "listbox", hidden: true });
  const input = h("input", {
    type: "text", value, placeholder, autocomplete: "off", spellcheck: true, role: "combobox", dir: "auto",
    "aria-label": label, "aria-controls": list.id, "aria-expanded": "false", "aria-autocomplete": "list",
  });
  let at = -1;
  let options = [];
  const choose = (text) => {
    if (!text.trim()) return;
    input.value = "";
    draw();
    input.blur();
    take(text);
  };
  const draw = (isNew = false) => {
    const known = found(input.value, store.start.labels);
    const typed = input.value.trim();
    options = known.map(([one]) => one);
    if (typed && !options.includes(typed)) options.push(typed);
    if (isNew) at = beginsWord(known[0]?.[0], typed) ? 0 : options.length - 1;
    at = options.length ? Math.min(Math.max(at, 0), options.length - 1) : -1;
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.setAttribute("aria-activedescendant", at < 0 ? "" : `${list.id}-${at}`);
    fill(list, ...options.map((one, i) => h("li", {
      id: `${list.id}-${i}`, role: "option", "aria-selected": String(i === at),
      onpointerdown: (event) => { event.preventDefault(); choose(one); },
    }, ...(i < known.length
      ? [h("i", { className: "swatch", colour: known[i][1] }), name(one), h("span", { className: "score" }, known[i][2].toLocaleString("en"))]
      : [name(say.newLabel(one))]))));
  };
  input.addEventListener("input", () => draw(true));
  input.addEventListener("blur", () => { list.hidden = true; });
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) {
      event.preventDefault();
      at = (at + step + options.length) % options.length;
      draw();
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(options[at] ?? input.value);
    } else if (event.key === "Escape") {
      if (input.closest("dialog") && !input.value) return; // it closes the dialog
      event.preventDefault();
      input.value = "";
      draw();
      if (!input.closest("dialog")) document.getElementById("stage").focus();
    }
  });
  return h("div", { className: "field" }, input, list);
}
