// Decisions about what is selected: shown at once, sent to the outbox, and on to the next region.

import { toast } from "./dom.js";
import { cutMasks, paintedMask, take } from "./edit.js";
import { loadQueue, loadStart, openPicture, prepare, reloadPicture } from "./loading.js";
import { lastSent, onSaved, send } from "./outbox.js";
import { maskOf, pixelsOf } from "./runs.js";
import { retint } from "./stage.js";
import { selectedRegion, store, update } from "./store.js";
import { say } from "./strings.js";
import { inTurn } from "./turns.js";

/** A label as it is kept: without spaces around it or in rows. */
export const tidy = (text) => text.trim().replace(/\s+/gu, " ");

export const accept = (of) => decide((region) => ({ what: "accepted", region: region.ref, label: region.label }), { reviewed: "accepted" }, of);
export const reject = () => decide((region) => ({ what: "rejected", region: region.ref }), { reviewed: "rejected" });
export const doubt = (remark, of) => decide((region) => ({ what: "unsure", region: region.ref, remark }), { reviewed: "unsure", remark }, of);

/** Give a region a label: its own is accepted. `of` is the one that was shown when the typing began. */
export function relabel(text, of = selectedRegion()) {
  const label = tidy(text);
  if (!label || !of) return;
  if (label === of.label) return accept(of);
  const known = store.start.labels.find(([one]) => one === label);
  return decide((region) => ({ what: "corrected", region: region.ref, label }), { reviewed: "corrected", label, colour: known?.[1] ?? "#808080" }, of);
}

/** Take the n-th proposal, from 1. */
export function takeProposal(n) {
  const proposal = selectedRegion()?.proposals[n - 1];
  if (proposal) return relabel(proposal[0]);
}

/** Take back the last decision of this page that isn't taken back yet; of before this page, the last of all. */
export const undo = () => send("undo", { of: lastSent() });
export const rename = (old, to) => send("decide", { do: [{ what: "renamed", old, new: tidy(to) }] });
export const decideMany = (asked, count, decision) => send("bulk", { ...asked, count, do: decision });

/** Enter, with a tool in hand. */
export function takeEdit() {
  const region = selectedRegion();
  const { mode, picture } = store;
  if (mode === "polygon") {
    const cut = cutMasks();
    if (!cut) return toast(say.splitMisses);
    sendMask({ what: "split", region: region.ref, pieces: cut.map((mask) => ({ mask, label: region.label })) });
  } else if (mode === "join") {
    if (store.gathered.size < 2) return toast(say.joinOne);
    sendMask(joined([...store.gathered].map((i) => picture.regions[i])));
  } else {
    const mask = paintedMask();
    if (!mask) return toast(say.emptyMask);
    if (mode === "add") sendMask({ what: "added", picture: picture.key, piece: { mask, label: null } });
    else sendMask({ what: "corrected", region: region.ref, mask });
  }
  take(null);
}

const behind = []; // what was decided here, for who goes back to it; as in the queue

/** Go `step` regions on in the queue, without a decision; back from its beginning, to what was decided last. */
export async function go(step) {
  const { regions } = store.queue;
  const id = selectedRegion()?.id;
  const at = regions.findIndex(([picture, , one]) => picture === store.number && one === id);
  if (step < 0 && at <= 0 && behind.length) return show(behind.pop());
  const next = regions[at < 0 ? (step > 0 ? 0 : regions.length - 1) : (at + step + regions.length) % regions.length];
  if (next) await show(next);
}

/** @param {number} step */
export async function goPicture(step) {
  const count = store.start.pictures.length;
  if (count) await openPicture((store.number + step + count) % count);
}

async function show([picture, , id]) {
  await openPicture(picture, id);
  const after = store.queue.regions.find(([other]) => other !== picture);
  if (after) prepare(after[0]);
}

/** Begin the queue anew, by an order. */
export async function setOrder(order) {
  update({ order });
  await loadQueue();
  if (store.queue.regions.length) await show(store.queue.regions[0]);
}

function decide(decisionOf, change, of = selectedRegion()) {
  if (!of) return;
  send("decide", { do: [decisionOf(of)] });
  const region = selectedRegion();
  // Another one has come up meanwhile: what was meant for the first changes nothing of that.
  if (region?.id !== of.id || region.ref[0] !== of.ref[0]) return;
  const { queue, number } = store;
  const wasOpen = region.reviewed === "none";
  Object.assign(region, change);
  const at = queue.regions.findIndex(([picture, , id]) => picture === number && id === region.id);
  const regions = queue.regions.filter((_, i) => i !== at);
  behind.push([number, -1, region.id]);
  update({ queue: { open: queue.open - (wasOpen ? 1 : 0), regions } });
  if (store.tint) retint();
  const next = regions[at < 0 ? 0 : at % Math.max(regions.length, 1)];
  if (next) return show(next);
  if (queue.open > 1) return refill();
  update({ selected: -1 });
}

/** The list of the queue has run out: the rest is asked for when all that was decided is saved. */
async function refill() {
  if (store.waiting.length) return;
  await loadQueue();
  if (store.queue.regions.length) await show(store.queue.regions[0]);
}

function sendMask(decision) {
  send("decide", { do: [decision] });
}

function joined(regions) {
  const [high, wide] = regions[0].mask.size;
  const all = regions.map((one) => pixelsOf(one.mask));
  const mask = maskOf(all[0].map((_, i) => all.some((one) => one[i])), high, wide);
  return { what: "joined", regions: regions.map((one) => one.ref), piece: { mask, label: regions[0].label } };
}

/** Whether a decision changes more than the region that it was shown on at once. */
const isFar = ({ name, payload }) => name !== "decide" || payload.do.some((one) => "mask" in one || !["accepted", "corrected", "rejected", "unsure"].includes(one.what));

/** What the page can't know by itself: what masks became, what else a rename met, a new label's colour. */
const asksForMore = (sent) => isFar(sent) || sent.payload.do.some(({ label }) => label && !store.start.labels.some(([one]) => one === label));

/** Whether a region came of it, which is to be seen then: its id is the entry's number, and its place there. */
const makes = ({ name, payload }) => name === "decide" && ["added", "split", "joined"].includes(payload.do[0].what);

async function saved(sent, answer) {
  if (sent.name === "undo") {
    if (answer.undone === null) return toast(say.nothingToUndo);
    toast(say.undone(answer.count));
  } else if (sent.name === "bulk") toast(say.saved(sent.payload.count));
  if (store.waiting.length) return;
  if (asksForMore(sent)) await Promise.all([loadStart(), loadQueue()]);
  if (sent.name === "undo" && answer.pictures.length) {
    const id = answer.first.region?.[1] ?? answer.first.regions?.[0]?.[1];
    if (answer.pictures.includes(store.number)) return reloadPicture(id);
    return openPicture(answer.pictures[0], id ?? null);
  }
  if (makes(sent)) {
    await reloadPicture(`${answer.entry}.0`);
    if (sent.payload.do[0].what === "added") document.querySelector("#region input")?.focus();
  } else if (asksForMore(sent)) await reloadPicture();
  else if (!store.queue.regions.length && store.queue.open > 0) await refill();
}

async function refused(failure) {
  toast(failure.status === 409 ? say.gone : say.refused(failure.message));
  await Promise.all([loadStart(), loadQueue()]);
  await reloadPicture();
}

onSaved({
  saved: (sent, answer) => inTurn(() => saved(sent, answer)),
  refused: (_, failure) => inTurn(() => refused(failure)),
});
