// A mask's border as a path along its pixels' edges; kept as long as the mask is.

import { eachStretch } from "./runs.js";

const known = new WeakMap();

/** @returns {Path2D} in pixels of the picture */
export function outlineOf(mask) {
  if (!known.has(mask)) known.set(mask, traced(mask));
  return known.get(mask);
}

function traced(mask) {
  const columns = new Map();
  eachStretch(mask, (x, top, bottom) => {
    if (!columns.has(x)) columns.set(x, []);
    columns.get(x).push(top, bottom);
  });
  const path = new Path2D();
  const line = (x1, y1, x2, y2) => { path.moveTo(x1, y1); path.lineTo(x2, y2); };
  const flat = new Map(); // horizontal edges that go on: where they began, by their height
  for (const [x, ends] of columns) {
    if (!columns.has(x - 1)) upright(line, x, [], ends);
    upright(line, x + 1, ends, columns.get(x + 1) ?? []);
    const here = new Set(ends);
    for (const y of here) if (!flat.has(y)) flat.set(y, x);
    const next = new Set(columns.get(x + 1) ?? []);
    for (const [y, start] of flat) {
      if (!next.has(y)) {
        line(start, y, x + 1, y);
        flat.delete(y);
      }
    }
  }
  return path;
}

/** Edges between two columns: where one is inside and the other is not. */
function upright(line, x, left, right) {
  const ends = [...left, ...right].sort((a, b) => a - b);
  for (let i = 0; i + 1 < ends.length; i += 2) if (ends[i] !== ends[i + 1]) line(x, ends[i], x, ends[i + 1]);
}
