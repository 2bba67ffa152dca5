// The two canvases: the picture with its tint below, outlines and whatever is being drawn above.

import { byId } from "./dom.js";
import { idsOf, painted, tinted } from "./idmap.js";
import { outlineOf } from "./outline.js";
import { isShown, store } from "./store.js";
import { bringIntoSight, fit, pixelAt, view } from "./view.js";
import { boxOf } from "./runs.js";

const base = byId("base");
const top_ = byId("top");
const stage = byId("stage");
const tint = document.createElement("canvas");
let shownIds = null;
let overlay = null; // draws what is being edited
let frame = 0;
let isBaseStale = true;

/** @param {null | ((context: CanvasRenderingContext2D) => void)} draw in pixels of the picture */
export function setOverlay(draw) {
  overlay = draw;
  redraw();
}

/** The regions' ids came, or what is shown of them has changed. */
export function retint(planes = null) {
  const { picture } = store;
  if (!picture) return;
  if (planes) store.ids = idsOf(planes);
  const { width, height, regions } = picture;
  const all = store.alone === null && store.hidden.size === 0;
  shownIds = all && store.ids?.length === width * height ? store.ids : painted(regions, isShown, height, width);
  tint.width = width;
  tint.height = height;
  tint.getContext("2d").putImageData(tinted(shownIds, regions, height, width), 0, 0);
  redraw(true);
}

/** Position of the region on top at a point of the stage, -1 for none. */
export function regionAt(x, y) {
  const { picture } = store;
  if (!picture || !shownIds) return -1;
  const [column, row] = pixelAt(x, y);
  if (column < 0 || row < 0 || column >= picture.width || row >= picture.height) return -1;
  return shownIds[row * picture.width + column] - 1;
}

/** Draw before the next frame; `all` draws the picture too. */
export function redraw(all = false) {
  isBaseStale ||= all;
  if (!frame) frame = requestAnimationFrame(draw);
}

/** All of the picture in sight. */
export function showAll() {
  if (store.picture) fit(stage, store.picture.width, store.picture.height);
  redraw(true);
}

/** Have the selected region in sight. */
export function showSelected() {
  const region = store.picture?.regions[store.selected];
  const box = region && boxOf(region.mask);
  if (box) bringIntoSight(stage, box);
  redraw(true);
}

function draw() {
  frame = 0;
  if (isBaseStale) drawBase();
  isBaseStale = false;
  const context = cleared(top_);
  const { picture } = store;
  if (!picture) return;
  context.translate(view.left, view.top);
  context.scale(view.scale, view.scale);
  for (const position of store.gathered) stroke(context, picture.regions[position], "#ffffff", 2);
  if (store.hovered >= 0 && store.hovered !== store.selected) stroke(context, picture.regions[store.hovered], "#ffffff", 1.5);
  if (!["brush", "eraser"].includes(store.mode)) stroke(context, picture.regions[store.selected], "#ffffff", 2.5);
  overlay?.(context);
}

function drawBase() {
  const context = cleared(base);
  const { picture, image } = store;
  if (!picture) return;
  context.translate(view.left, view.top);
  context.scale(view.scale, view.scale);
  context.imageSmoothingEnabled = view.scale < 3;
  context.imageSmoothingQuality = "medium";
  if (image) context.drawImage(image, 0, 0, picture.width, picture.height);
  else {
    context.fillStyle = "#55606b";
    context.fillRect(0, 0, picture.width, picture.height);
  }
  if (store.tint && tint.width === picture.width) context.drawImage(tint, 0, 0);
}

function cleared(canvas) {
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [Math.round(stage.clientWidth * ratio), Math.round(stage.clientHeight * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, wide, high);
  context.scale(ratio, ratio);
  return context;
}

/** A light line on a dark one: it is seen on any picture. */
function stroke(context, region, colour, width) {
  if (!region) return;
  const path = outlineOf(region.mask);
  context.lineCap = "square";
  context.strokeStyle = "rgb(8 12 18 / 0.85)";
  context.lineWidth = (width + 2.5) / view.scale;
  context.stroke(path);
  context.strokeStyle = colour;
  context.lineWidth = width / view.scale;
  context.stroke(path);
}

new ResizeObserver(() => redraw(true)).observe(stage);
