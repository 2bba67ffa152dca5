// Which region is on top at each pixel: one look-up for whatever the mouse points at.

import { areaOf, contains, eachStretch } from "./runs.js";

/** From the server's three planes of bytes. @param {ArrayBuffer} planes @returns {Uint32Array} */
export function idsOf(planes) {
  const bytes = new Uint8Array(planes);
  const count = bytes.length / 3;
  const ids = new Uint32Array(count);
  for (let i = 0; i < count; i++) ids[i] = bytes[i] | (bytes[count + i] << 8) | (bytes[2 * count + i] << 16);
  return ids;
}

/** The same of some regions alone: smaller ones on top, of equals the later. */
export function painted(regions, isThere, high, wide) {
  const ids = new Uint32Array(high * wide);
  const order = regions.map((_, i) => i).filter((i) => isThere(regions[i]));
  const areas = new Map(order.map((i) => [i, areaOf(regions[i].mask)]));
  order.sort((a, b) => areas.get(b) - areas.get(a) || a - b);
  for (const i of order) {
    eachStretch(regions[i].mask, (x, top, bottom) => {
      for (let at = top * wide + x; at < bottom * wide + x; at += wide) ids[at] = i + 1;
    });
  }
  return ids;
}

/** Positions of all regions at a pixel, the smallest first. @returns {number[]} */
export function allAt(regions, isThere, x, y) {
  const found = regions.map((_, i) => i).filter((i) => isThere(regions[i]) && contains(regions[i].mask, x, y));
  const areas = new Map(found.map((i) => [i, areaOf(regions[i].mask)]));
  return found.sort((a, b) => areas.get(a) - areas.get(b) || b - a);
}

/** The picture's tint, as pixels for a canvas: each label's colour, firmer along the borders. */
export function tinted(ids, regions, high, wide) {
  const pixels = new Uint32Array(high * wide);
  const inner = new Uint32Array(regions.length + 1);
  const border = new Uint32Array(regions.length + 1);
  regions.forEach((one, i) => {
    const rgb = parseInt(one.colour.slice(1), 16);
    const bgr = ((rgb & 255) << 16) | (rgb & 0xff00) | (rgb >> 16);
    const rejected = one.reviewed === "rejected";
    inner[i + 1] = ((rejected ? 0 : 105) << 24 | bgr) >>> 0;
    border[i + 1] = ((rejected ? 90 : 235) << 24 | bgr) >>> 0;
  });
  for (let y = 0, at = 0; y < high; y++) {
    for (let x = 0; x < wide; x++, at++) {
      const id = ids[at];
      if (!id) continue;
      const edge = (x + 1 < wide && ids[at + 1] !== id) || (y + 1 < high && ids[at + wide] !== id);
      pixels[at] = edge ? border[id] : inner[id];
    }
  }
  return new ImageData(new Uint8ClampedArray(pixels.buffer), wide, high);
}
