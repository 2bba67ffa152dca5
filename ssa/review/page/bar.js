// The bar above: pictures, the queue, progress, tools; and below what isn't saved yet.

import { byId, fill, h } from "./dom.js";
import { keyOf, written } from "./keys.js";
import { flush } from "./outbox.js";
import { store } from "./store.js";
import { say } from "./strings.js";

const TOOLS = [
  "brush", "eraser", "polygon", "join", "add", "undo", "fit", "tint", "help",
];
const PATHS = {
  brush: "M3 17c2 0 2-3 4-3s3 1.5 3 3-2 3-4 3-3-1-3-3zm6.5-4.5L18 4l2 2-8.5 8.5", eraser: "m4 15 8-9 7 6-6 7H8zm3.500-4.200 7 6.200M11 19h9",
  polygon: "M5 6l10-2 5 8-7 8-8-3zM5 6l8 14", join: "M9 12m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M15 12m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0",
  add: "M12 5v14M5 12h14", undo: "M9 5 4 10l5 5M4 10h10a5 5 0 0 1 0 10h-3", fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  tint: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16", help: "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 17.500v.5",
};

function icon(tool) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[tool]);
  svg.append(path);
  return svg;
}

/** @param {(action: string) => void} act @param {(order: string) => void} setOrder @param {(number: number) => void} setPicture */
export function drawBar(act, setOrder, setPicture) {
  const { start, number } = store;
  const arrow = (action, sign, text) => h("button", { type: "button", "aria-label": text, title: `${text} ${written(keyOf(action))}`, onclick: () => act(action) }, sign);
  const jump = h("input", {
    type: "text", value: start.pictures[number]?.[0] ?? "", "aria-label": say.choosePicture, spellcheck: false, dir: "auto",
    onfocus: (event) => event.target.select(),
    onchange: (event) => {
      const wanted = event.target.value.trim().toLowerCase();
      const at = start.pictures.findIndex(([key]) => key.toLowerCase().includes(wanted));
      if (at >= 0) setPicture(at);
    },
  });
  fill(byId("pictures"), arrow("previousPicture", "‹", say.previous), jump, h("span", { className: "count" }, say.picture(Math.max(number, 0), start.pictures.length)), arrow("nextPicture", "›", say.next));
  const choose = h("select", { id: "order", onchange: (event) => { setOrder(event.target.value); byId("stage").focus(); } },
    ...start.orders.map((one) => h("option", { value: one, selected: one === store.order }, say.orders[one])));
  fill(byId("queue"), h("label", { for: "order" }, say.order), choose);
  fill(byId("tools"), ...TOOLS.map((tool) => h("button", {
    type: "button", className: "tool", "aria-label": say[tool], "data-tool": tool, title: `${say[tool]}  ${written(keyOf(tool))}`,
    "aria-pressed": tool === "tint" ? String(store.tint) : tool in say.modes ? String(store.mode === tool) : null, onclick: () => act(tool),
  }, icon(tool))));
}

/** How far it is. */
export function drawProgress() {
  const all = store.start.pictures.reduce((sum, [, regions]) => sum + regions, 0);
  const left = Math.max(store.queue.open, 0);
  fill(byId("progress"), h("progress", { max: Math.max(all, 1), value: all - left, "aria-label": say.decided(all - left, all) }), h("span", {}, say.open(left)));
}

/** What isn't saved, and why. */
export function drawSaving() {
  const element = byId("saving");
  element.hidden = !store.trouble || !store.waiting.length;
  if (!element.hidden) {
    fill(element, h("strong", {}, say.unsaved(store.waiting.length, store.trouble)), h("span", {}, say.unsavedStays), h("button", { type: "button", onclick: () => flush() }, say.retry));
  }
}
