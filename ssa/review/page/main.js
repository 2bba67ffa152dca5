// Where it begins: listens to keys, and to the store, and draws what has changed.

import { drawBar, drawProgress, drawSaving } from "./bar.js";
import * as deciding from "./deciding.js";
import { openBulk, openDoubt, openHelp, openRename } from "./dialogs.js";
import { byId, fill, h, toast } from "./dom.js";
import { dropCorner, resize, take } from "./edit.js";
import { actionOf } from "./keys.js";
import { alone, drawLegend, toggle } from "./legend.js";
import { loadQueue, loadStart, openPicture, reloadPicture } from "./loading.js";
import { walkDown } from "./mouse.js";
import { takeUp } from "./outbox.js";
import { drawPanel } from "./panel.js";
import { redraw, showAll } from "./stage.js";
import { listen, selectedRegion, store, update } from "./store.js";
import { say } from "./strings.js";
import { inTurn } from "./turns.js";
import { zoom } from "./view.js";

const stage = byId("stage");
const KEPT_ORDER = "ssa.review.order";

const ACTIONS = {
  accept: deciding.accept, reject: deciding.reject, unsure: openDoubt, undo: deciding.undo,
  nextRegion: () => deciding.go(1), previousRegion: () => deciding.go(-1),
  nextPicture: () => deciding.goPicture(1), previousPicture: () => deciding.goPicture(-1),
  search: () => startTyping(""), beneath: walkDown,
  hide: () => selectedRegion() && toggle(selectedRegion().label ?? ""), alone: () => selectedRegion() && alone(selectedRegion().label ?? ""),
  tint: () => { update({ tint: !store.tint }); redraw(true); },
  brush: () => handle("brush"), eraser: () => handle("eraser"), polygon: () => handle("polygon"), join: () => handle("join"), add: () => handle("add"),
  bulkLabel: () => openBulk("label"), bulkCluster: () => openBulk("cluster"), bulkLooks: () => openBulk("looks"), rename: openRename,
  fit: showAll, zoomIn: () => zoomInMiddle(1.25), zoomOut: () => zoomInMiddle(0.8), help: openHelp,
};

const act = (action) => inTurn(() => ACTIONS[action]());

function handle(mode) {
  take(store.mode === mode ? null : mode);
}

function zoomInMiddle(factor) {
  zoom(factor, stage.clientWidth / 2, stage.clientHeight / 2);
  redraw(true);
}

function startTyping(text) {
  const input = document.querySelector("#region input");
  if (!input) return;
  input.value += text;
  input.focus();
  input.dispatchEvent(new Event("input"));
}

function keyDown(event) {
  if (byId("dialog").open || event.isComposing) return;
  const target = event.target;
  if (target.closest?.("input, select, textarea")) {
    if (event.key === "Escape") stage.focus();
    return;
  }
  // On a button these keys are the button's own.
  if (target.closest?.("button") && ["Enter", " ", "Tab"].includes(event.key)) return;
  if (target.closest?.("aside, header") && event.key === "Escape") return stage.focus();
  if (event.key === "F6") {
    event.preventDefault();
    return (target.closest?.("aside") ? document.querySelector("#tools button") : document.querySelector("aside button"))?.focus();
  }
  if (store.mode && keyInMode(event)) return event.preventDefault();
  const action = actionOf(event);
  if (action) {
    event.preventDefault();
    return act(action);
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[1-9]$/.test(event.key)) return inTurn(() => deciding.takeProposal(Number(event.key)));
  if (event.key.length === 1 && /\p{L}/u.test(event.key)) {
    event.preventDefault();
    inTurn(() => startTyping(event.key));
  }
}

// What would put a tool away, and what it has painted with it.
const LEAVES = new Set(["nextRegion", "previousRegion", "nextPicture", "previousPicture", "beneath", "unsure", "undo", "bulkLabel", "bulkCluster", "bulkLooks", "rename"]);

/** A key while a tool is in hand; whether it was the tool's. */
function keyInMode(event) {
  if (event.key === "Escape") take(null);
  else if (event.key === "Enter") deciding.takeEdit();
  else if (event.key === "[") resize(0.8);
  else if (event.key === "]") resize(1.25);
  else if (event.key === "Backspace" || event.key === "Delete") dropCorner();
  else if (store.mode !== "join" && LEAVES.has(actionOf(event))) toast(say.finishFirst);
  else return false;
  return true;
}

function setOrder(order) {
  localStorage.setItem(KEPT_ORDER, order);
  inTurn(() => deciding.setOrder(order));
}

let inHandFor = null; // the region that a tool was taken in hand for

listen((changed) => {
  const any = (...names) => names.some((one) => changed.has(one));
  if (any("start", "number", "order", "mode", "tint")) drawBar(act, setOrder, (number) => inTurn(() => openPicture(number)));
  if (any("start", "queue")) drawProgress();
  if (any("number")) byId("tip").hidden = true;
  if (any("picture", "selected", "queue") && !document.querySelector("#region input:focus")) drawPanel();
  if (any("picture", "hidden", "alone", "queue")) drawLegend();
  if (any("waiting", "trouble")) drawSaving();
  if (any("waiting", "busy")) document.body.setAttribute("aria-busy", String(store.waiting.length + store.busy > 0));
  if (any("selected", "gathered", "mode", "hovered")) redraw();
  if (any("mode")) {
    byId("mode").hidden = !store.mode;
    byId("mode").textContent = say.modes[store.mode] ?? "";
    stage.dataset.mode = store.mode ?? "";
  }
  if (any("mode")) inHandFor = selectedRegion()?.id;
  // Another region's mask isn't what was being painted; the same one, read anew, is.
  if (any("selected") && store.mode && store.mode !== "join" && selectedRegion()?.id !== inHandFor) take(null);
});

addEventListener("keydown", keyDown);
/** Another window may have decided meanwhile. */
async function lookAgain() {
  if (!store.picture || store.waiting.length || store.mode) return;
  await Promise.all([loadStart(), loadQueue()]).catch(() => {});
  await reloadPicture().catch(() => {});
}

addEventListener("focus", lookAgain);
document.addEventListener("visibilitychange", () => { if (!document.hidden) void lookAgain(); });

async function begin() {
  update({ order: localStorage.getItem(KEPT_ORDER) ?? "confidence" });
  await loadStart();
  if (!store.start.orders.includes(store.order)) update({ order: store.start.orders[0] });
  if (await takeUp()) await loadStart();
  await loadQueue();
  stage.focus();
  if (store.queue.regions.length) await deciding.go(1);
  else if (store.start.pictures.length) await openPicture(0);
  document.body.dataset.ready = "yes";
}

begin().catch((error) => {
  byId("nothing").hidden = false;
  fill(byId("nothing"), h("p", {}, say.failed(error.message || say.noServer)));
});
