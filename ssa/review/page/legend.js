// The labels of the picture with their counts: hide one, show one alone.

import { byId, fill, h, name } from "./dom.js";
import { retint } from "./stage.js";
import { store, update } from "./store.js";
import { say } from "./strings.js";

/** Hide a label's regions, or show them. */
export function toggle(label) {
  const hidden = new Set(store.hidden);
  if (hidden.has(label)) hidden.delete(label);
  else hidden.add(label);
  update({ hidden, alone: null });
  retint();
}

/** Show a label's regions alone, or all again. */
export function alone(label) {
  update({ alone: store.alone === label ? null : label, hidden: new Set() });
  retint();
}

/** Draw the legend. */
export function drawLegend() {
  const counts = new Map();
  for (const region of store.picture?.regions ?? []) {
    const label = region.label ?? "";
    const found = counts.get(label) ?? [region.colour, 0];
    counts.set(label, [region.colour, found[1] + 1]);
  }
  const rows = [...counts].sort((a, b) => b[1][1] - a[1][1] || (a[0] < b[0] ? -1 : 1));
  const isCut = store.alone !== null || store.hidden.size > 0;
  fill(byId("legend"),
    h("h2", {}, say.legend, isCut
      ? h("button", { type: "button", className: "link", onclick: () => { update({ hidden: new Set(), alone: null }); retint(); } }, say.showAll)
      : null),
    h("ul", {}, ...rows.map(([label, [colour, count]]) => row(label, colour, count))));
}

function row(label, colour, count) {
  const shown = label || say.noLabel;
  const isOff = store.alone !== null ? store.alone !== label : store.hidden.has(label);
  return h("li", { className: isOff ? "off" : "" },
    h("button", { type: "button", "aria-pressed": String(!isOff), "aria-label": isOff ? say.show(shown) : say.hide(shown), onclick: () => toggle(label) },
      h("i", { className: "swatch", colour }), name(shown), h("span", { className: "score" }, String(count))),
    h("button", { type: "button", className: "link", "aria-pressed": String(store.alone === label), "aria-label": say.alone(shown), onclick: () => alone(label) }, say.aloneShort));
}
