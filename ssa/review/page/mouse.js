// The mouse over the picture: hover, select, walk beneath, drag, zoom; a tool that is in hand comes first.

import { byId, fill, h, name } from "./dom.js";
import { take, tool } from "./edit.js";
import { allAt } from "./idmap.js";
import { boxOf, contains } from "./runs.js";
import { redraw, regionAt } from "./stage.js";
import { isShown, selectedRegion, store, update } from "./store.js";
import { say } from "./strings.js";
import { pixelAt, view, zoom } from "./view.js";

const stage = byId("stage");
const tip = byId("tip");
let drag = null; // {x, y, left, top, isFar}
let hasTool = false; // whether the button that is down began with a tool

const at = (event) => {
  const box = stage.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

let walked = [-1, -1]; // the pixel whose regions are walked

/** Select the next region beneath where it was clicked last, or beneath the selected region's own middle. */
export function walkDown() {
  const region = selectedRegion();
  if (!region) return;
  const [left, top, right, bottom] = boxOf(region.mask) ?? [0, 0, 0, 0];
  const isInside = contains(region.mask, ...walked);
  selectBeneath(isInside ? walked : [Math.floor((left + right) / 2), Math.floor((top + bottom) / 2)]);
}

/** The next one, from the selected one on, round and round. */
function selectBeneath(pixel) {
  walked = pixel;
  const found = allAt(store.picture.regions, isShown, ...pixel);
  if (found.length) update({ selected: found[(found.indexOf(store.selected) + 1) % found.length] });
}

stage.addEventListener("pointerdown", (event) => {
  if (!store.picture || event.button === 1) return;
  stage.focus({ preventScroll: true });
  stage.setPointerCapture(event.pointerId);
  const [x, y] = at(event);
  hasTool = tool.down(pixelAt(x, y), event);
  if (!hasTool) drag = { x, y, left: view.left, top: view.top, isFar: false };
});

stage.addEventListener("pointermove", (event) => {
  const [x, y] = at(event);
  if (hasTool || (store.mode && !drag)) tool.move(pixelAt(x, y), event);
  if (hasTool) return;
  if (!drag) return hover(x, y);
  drag.isFar ||= Math.hypot(x - drag.x, y - drag.y) > 3;
  if (!drag.isFar) return;
  view.left = drag.left + x - drag.x;
  view.top = drag.top + y - drag.y;
  redraw(true);
});

stage.addEventListener("pointerup", (event) => {
  const [x, y] = at(event);
  if (hasTool) tool.up(pixelAt(x, y), event);
  else if (drag && !drag.isFar) click(x, y, event);
  drag = null;
  hasTool = false;
});

stage.addEventListener("pointerleave", () => hover(-1, -1));
stage.addEventListener("contextmenu", (event) => event.preventDefault());

stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...at(event));
  redraw(true);
}, { passive: false });

function click(x, y, event) {
  const position = regionAt(x, y);
  walked = pixelAt(x, y);
  if (event.altKey) return selectBeneath(pixelAt(x, y));
  if (position < 0) return;
  if (event.shiftKey || store.mode === "join") {
    if (store.mode !== "join") take("join");
    const gathered = new Set(store.gathered);
    if (gathered.has(position)) gathered.delete(position);
    else gathered.add(position);
    if (store.selected >= 0) gathered.add(store.selected);
    return update({ gathered });
  }
  update({ selected: position });
}

function hover(x, y) {
  // While a mask is drawn, names would only stand in its way.
  const isDrawing = store.mode && store.mode !== "join";
  const position = x < 0 || isDrawing ? -1 : regionAt(x, y);
  if (position !== store.hovered) {
    store.hovered = position; // not by update: it would ask everybody, sixty times a second
    redraw();
    showTip();
  }
  if (position >= 0) {
    const right = x > stage.clientWidth - 260;
    tip.style.transform = `translate(${right ? x - 16 : x + 16}px, ${Math.min(y + 14, stage.clientHeight - tip.offsetHeight - 8)}px)`
      + (right ? " translateX(-100%)" : "");
  }
}

function showTip() {
  const region = store.picture?.regions[store.hovered];
  tip.hidden = !region || region === selectedRegion();
  if (tip.hidden) return;
  const facts = [
    region.confidence != null ? `${say.confidence} ${percent(region.confidence)}` : null,
    region.margin != null ? `${say.margin} ${percent(region.margin)}` : null,
    region.reviewed === "none" ? null : say.reviewed[region.reviewed],
  ].filter(Boolean);
  const scored = region.proposals.slice(0, 3).map(([label, score]) =>
    h("div", { className: "scored" }, name(label), score == null ? "" : percent(score)));
  fill(tip, h("strong", { colour: region.colour }, name(region.label ?? say.noLabel)), ...scored,
    region.caption ? h("q", {}, region.caption.slice(0, 120)) : null,
    facts.length ? h("small", {}, facts.join(" · ")) : null);
}

const percent = (value) => `${Math.round(100 * value)} %`;
