// Masks as COCO's compressed run lengths: column by column, false and true pixels in turn, false first.

/** The plain runs of a text. @param {string} counts @returns {number[]} */
export function runsOf(counts) {
  const runs = [];
  for (let at = 0; at < counts.length;) {
    let value = 0;
    let place = 0;
    let digit;
    do {
      digit = counts.charCodeAt(at++) - 48;
      value += (digit & 31) * 2 ** (5 * place++);
    } while (digit & 32);
    if (digit & 16) value -= 2 ** (5 * place);
    // From the fourth on each is the difference to the last but one.
    if (runs.length > 2) value += runs[runs.length - 2];
    runs.push(value);
  }
  return runs;
}

/** The text of plain runs. @param {number[]} runs @returns {string} */
export function textOf(runs) {
  let text = "";
  for (let i = 0; i < runs.length; i++) {
    let value = i > 2 ? runs[i] - runs[i - 2] : runs[i];
    let more = true;
    while (more) {
      const digit = value & 31;
      value >>= 5;
      more = digit & 16 ? value !== -1 : value !== 0;
      text += String.fromCharCode((more ? digit | 32 : digit) + 48);
    }
  }
  return text;
}

/** Call `each(x, top, bottom)` for every stretch of a column inside the mask; bottom is outside. */
export function eachStretch(mask, each) {
  const high = mask.size[0];
  let at = 0;
  runsOf(mask.counts).forEach((run, i) => {
    if (i % 2) {
      for (let start = at; start < at + run;) {
        const x = Math.floor(start / high);
        const stop = Math.min(at + run, (x + 1) * high);
        each(x, start - x * high, stop - x * high);
        start = stop;
      }
    }
    at += run;
  });
}

/** A mask's pixels, row by row, 1 inside. @returns {Uint8Array} */
export function pixelsOf(mask) {
  const [high, wide] = mask.size;
  const pixels = new Uint8Array(high * wide);
  eachStretch(mask, (x, top, bottom) => {
    for (let y = top; y < bottom; y++) pixels[y * wide + x] = 1;
  });
  return pixels;
}

/** The mask of pixels, as `pixelsOf` gives them. */
export function maskOf(pixels, high, wide) {
  const runs = [];
  let inside = 0;
  let run = 0;
  for (let x = 0; x < wide; x++) {
    for (let at = x; at < high * wide; at += wide) {
      if ((pixels[at] ? 1 : 0) === inside) run++;
      else {
        runs.push(run);
        inside = 1 - inside;
        run = 1;
      }
    }
  }
  runs.push(run);
  return { size: [high, wide], counts: textOf(runs) };
}

/** Whether a pixel is inside. */
export function contains(mask, x, y) {
  if (x < 0 || y < 0 || x >= mask.size[1] || y >= mask.size[0]) return false;
  const pixel = x * mask.size[0] + y;
  let at = 0;
  const runs = runsOf(mask.counts);
  for (let i = 0; i < runs.length; i++) {
    at += runs[i];
    if (pixel < at) return i % 2 === 1;
  }
  return false;
}

/** Pixels inside. */
export function areaOf(mask) {
  return runsOf(mask.counts).reduce((sum, run, i) => (i % 2 ? sum + run : sum), 0);
}

/** Left, top, right, bottom; the last two outside; null for an empty mask. */
export function boxOf(mask) {
  let box = null;
  eachStretch(mask, (x, top, bottom) => {
    if (!box) box = [x, top, x + 1, bottom];
    box[1] = Math.min(box[1], top);
    box[2] = x + 1;
    box[3] = Math.max(box[3], bottom);
  });
  return box;
}
