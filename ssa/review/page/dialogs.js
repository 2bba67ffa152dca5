// Dialogs: a remark, another name for a label, many regions at once, the keys.

import { ask } from "./api.js";
import { decideMany, doubt, rename, tidy } from "./deciding.js";
import { byId, fill, h, name, toast } from "./dom.js";
import { allKeys, change, keyOf, nameOf, reset, written } from "./keys.js";
import { field } from "./search.js";
import { selectedRegion, store } from "./store.js";
import { say } from "./strings.js";
import { inTurn } from "./turns.js";

const dialog = byId("dialog");

function open(title, ...children) {
  fill(dialog, h("h2", {}, title), ...children);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input, button")?.focus();
}

/** Close whatever is open. */
export function close() {
  dialog.close();
  byId("stage").focus();
}

const cancel = () => h("button", { type: "button", onclick: close }, say.cancel);

/** Unsure: asks for a remark. */
export function openDoubt() {
  const region = selectedRegion();
  if (!region) return;
  const input = h("input", { type: "text", "aria-label": say.remarkField, placeholder: say.remarkField, dir: "auto" });
  const take = (event) => {
    event.preventDefault();
    close();
    inTurn(() => doubt(input.value.trim(), region));
  };
  open(say.keys.unsure, h("form", { onsubmit: take }, input, h("div", { className: "row" }, cancel(), h("button", { className: "main" }, say.save))));
}

/** Another name for the selected region's label, everywhere. */
export function openRename() {
  const old = selectedRegion()?.label;
  if (!old) return;
  const take = (text) => {
    close();
    if (tidy(text) !== old) rename(old, text);
  };
  open(say.rename, h("p", {}, name(say.renameFrom(old))), field({ label: say.rename, placeholder: say.typeLabel, take }),
    h("p", { className: "hint" }, say.renameHint), h("div", { className: "row" }, cancel()));
}

/** Many regions at once: "label", "cluster" or "looks". */
export async function openBulk(by) {
  const region = selectedRegion();
  if (!region) return;
  const asked = { label: { by, label: region.label }, cluster: { by, cluster: region.cluster, picture: store.number }, looks: { by, picture: store.number, place: store.selected, least: 0.85 } }[by];
  if (by === "looks" ? !region.looks : asked[by] == null || asked[by] === -1) return toast(say.notKnown[by]);
  await preview({ label: say.ofLabel, cluster: say.ofCluster, looks: say.ofLooks }[by], asked, region);
}

async function preview(title, asked, region) {
  const { count, regions } = await ask("gather", asked);
  const all = (decision) => {
    close();
    decideMany(asked, count, decision);
  };
  const button = (text, decision, className = "") => h("button", { type: "button", className, disabled: !count, onclick: () => all(decision) }, text);
  const slider = asked.by !== "looks" ? null : h("label", {}, `${say.howAlike}: ${asked.least.toFixed(2)}`, h("input", {
    type: "range", min: 0.5, max: 1, step: 0.01, value: String(asked.least),
    onchange: (event) => inTurn(() => preview(title, { ...asked, least: Number(event.target.value) }, region)),
  }));
  open(title, h("p", { className: "count" }, name(region.label ?? say.noLabel), ` · ${say.previewCount(count)}`), slider,
    h("div", { className: "thumbnails" }, ...regions.map(([picture, place]) =>
      h("img", { src: `api/thumbnail?picture=${picture}&place=${place}`, alt: store.start.pictures[picture]?.[0] ?? "", loading: "lazy" }))),
    field({ label: say.relabelAll, placeholder: `${say.relabelAll}: ${say.typeLabel}`, take: (text) => count && all({ what: "corrected", label: tidy(text) }) }),
    h("div", { className: "row" }, cancel(), button(say.rejectAll, { what: "rejected" }, "danger"), button(say.acceptAll, { what: "accepted" }, "main")));
}

/** The keys, and other ones for them. */
export function openHelp() {
  const rows = allKeys().map(([action]) => h("li", {}, h("span", {}, say.keys[action]), keyButton(action)));
  open(say.keysTitle, h("p", { className: "hint" }, say.keysHint),
    h("ul", { className: "keylist" }, ...rows, h("li", {}, h("span", {}, say.take), h("kbd", {}, "1 – 9"))),
    h("p", { className: "hint" }, say.mouse),
    h("div", { className: "row" }, h("button", { type: "button", onclick: () => { reset(); openHelp(); } }, say.keysReset),
      h("button", { type: "button", className: "main", onclick: close }, say.close)));
  dialog.querySelector(".main").focus();
}

function keyButton(action) {
  const button = h("button", { type: "button", className: "key", "aria-label": `${say.keys[action]}: ${keyOf(action)}`, "data-action": action }, h("kbd", {}, written(keyOf(action))));
  const take = (event) => {
    const key = nameOf(event);
    if (key === null) return;
    event.preventDefault();
    event.stopPropagation();
    button.removeEventListener("keydown", take);
    const taken = key === "Escape" ? null : change(action, key);
    if (taken) toast(say.keysTaken(say.keys[taken] ?? say.take));
    openHelp();
  };
  button.addEventListener("click", () => {
    fill(button, h("kbd", {}, say.keysPress));
    button.addEventListener("keydown", take);
    button.focus();
  });
  return button;
}
