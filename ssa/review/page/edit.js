// Tools that change masks: brush, eraser, polygon. One is in hand at a time; Enter takes what it made.

import { redraw, setOverlay } from "./stage.js";
import { maskOf, pixelsOf } from "./runs.js";
import { selectedRegion, store, update } from "./store.js";

let size = 24; // of the brush, pixels of the picture across
let pixels = null; // being painted, row by row
let sheet = null; // the same on a canvas
let last = null; // where the stroke is
let points = []; // of the polygon
let mouse = null;

const PAINTS = { brush: true, eraser: false, add: true };

/** Take a tool in hand, or put it away with null. */
export function take(mode) {
  const region = selectedRegion();
  if (mode in PAINTS || mode === "polygon") {
    if (!store.picture || (mode !== "add" && !region)) return;
    // From the brush to the eraser what was painted stays.
    const goesOn = pixels && mode !== "add" && store.mode !== "add" && store.mode in PAINTS && mode in PAINTS;
    if (!goesOn) begin(mode, region);
  } else pixels = sheet = null;
  points = [];
  update({ mode, gathered: mode === "join" && store.selected >= 0 ? new Set([store.selected]) : new Set() });
  setOverlay(mode in PAINTS ? drawPaint : mode === "polygon" ? drawPolygon : null);
}

/** The mask that was painted, null for an empty one. */
export function paintedMask() {
  const { height, width } = store.picture;
  return pixels.includes(1) ? maskOf(pixels, height, width) : null;
}

/** The region's mask inside the polygon and outside of it, null where one of them is empty. */
export function cutMasks() {
  const { height, width } = store.picture;
  const own = pixelsOf(selectedRegion().mask);
  const inside = filled(width, height);
  const piece = own.map((one, i) => one & inside[i]);
  const rest = own.map((one, i) => one & (1 - inside[i]));
  return piece.includes(1) && rest.includes(1) ? [maskOf(piece, height, width), maskOf(rest, height, width)] : null;
}

/** Take the polygon's last corner back; whether there was one. */
export function dropCorner() {
  const had = points.pop() !== undefined;
  redraw();
  return had;
}

/** @param {number} factor */
export function resize(factor) {
  size = Math.min(Math.max(size * factor, 1), 400);
  redraw();
}

export const tool = {
  /** The button went down; whether the tool takes it. */
  down(pixel, event) {
    if (store.mode === "polygon") points.push([pixel[0] + 0.5, pixel[1] + 0.5]);
    else if (store.mode in PAINTS) dab(pixel, event);
    else return false;
    redraw();
    return true;
  },
  move(pixel, event) {
    mouse = pixel;
    if (event.buttons && last) dab(pixel, event);
    redraw();
  },
  up() {
    last = null;
  },
};

function begin(mode, region) {
  const { width, height } = store.picture;
  pixels = mode === "add" ? new Uint8Array(width * height) : pixelsOf(region.mask);
  sheet = new OffscreenCanvas(width, height);
  const context = sheet.getContext("2d");
  const image = context.createImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  for (let i = 0; i < words.length; i++) if (pixels[i]) words[i] = 0xffeed222;
  context.putImageData(image, 0, 0);
}

/** A line from where the stroke was, as wide as the brush, in the pixels and on their sheet. */
function dab([x, y], event) {
  const isErasing = !PAINTS[store.mode] || event.shiftKey || (event.buttons & 2) !== 0;
  const [fromX, fromY] = last ?? [x, y];
  const steps = Math.max(Math.ceil(Math.hypot(x - fromX, y - fromY) / Math.max(size / 4, 1)), 1);
  const context = sheet.getContext("2d");
  context.fillStyle = "rgb(34 210 238)";
  for (let i = 0; i <= steps; i++) disc(fromX + ((x - fromX) * i) / steps, fromY + ((y - fromY) * i) / steps, isErasing, context);
  last = [x, y];
}

function disc(x, y, isErasing, context) {
  const { width, height } = store.picture;
  const radius = size / 2;
  for (let row = Math.max(Math.ceil(y - radius), 0); row <= Math.min(y + radius, height - 1); row++) {
    const half = Math.sqrt(radius ** 2 - (row - y) ** 2);
    const [left, right] = [Math.max(Math.round(x - half), 0), Math.min(Math.round(x + half), width - 1)];
    if (right < left) continue;
    pixels.fill(isErasing ? 0 : 1, row * width + left, row * width + right + 1);
    if (isErasing) context.clearRect(left, row, right - left + 1, 1);
    else context.fillRect(left, row, right - left + 1, 1);
  }
}

function filled(width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fill(polygon());
  const { data } = context.getImageData(0, 0, width, height);
  return new Uint8Array(width * height).map((_, i) => (data[4 * i + 3] > 127 ? 1 : 0));
}

function polygon() {
  const path = new Path2D();
  points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  return path;
}

function drawPaint(context) {
  context.globalAlpha = 0.62;
  context.imageSmoothingEnabled = false;
  if (sheet) context.drawImage(sheet, 0, 0);
  context.globalAlpha = 1;
  if (mouse) ring(context, mouse, size / 2);
}

function drawPolygon(context) {
  const path = polygon();
  if (mouse && points.length) path.lineTo(...mouse);
  const { a: scale } = context.getTransform();
  for (const [colour, width] of [["#0b1018", 5], ["#22d2ee", 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = (width * devicePixelRatio) / scale;
    context.stroke(path);
  }
  for (const point of points) ring(context, point, (4 * devicePixelRatio) / scale);
}

function ring(context, [x, y], radius) {
  const { a: scale } = context.getTransform();
  for (const [colour, width] of [["#0b1018", 3.5], ["#ffffff", 1.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = (width * devicePixelRatio) / scale;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
}
