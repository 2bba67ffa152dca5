// The one store: what is shown now. Whoever changes it says which part, and those who listen draw.

/**
 * @typedef {Object} Region
 * @property {number|string} id
 * @property {[string, number|string, string]} ref
 * @property {{size: [number, number], counts: string}} mask
 * @property {string|null} label
 * @property {string} colour
 * @property {string} reviewed
 * @property {string} remark
 * @property {[string, number|null][]} proposals
 */

const listeners = [];

export const store = {
  start: { folder: "", pictures: [], labels: [], reviewed: {}, orders: [], unreadable: 0 },
  queue: { open: 0, regions: [] }, // [picture, place, id]
  order: "confidence",
  number: -1, // of the picture
  picture: null, // as api/picture gives it
  image: null, // ImageBitmap or null
  ids: null, // Uint32Array, position + 1 on top of each pixel
  selected: -1, // positions in picture.regions
  hovered: -1,
  gathered: new Set(), // to join
  hidden: new Set(), // labels
  alone: null, // a label
  tint: true,
  mode: null, // "brush", "eraser", "polygon", "join", "add"
  waiting: [], // what is not saved yet
  trouble: "", // why
  busy: 0, // how much is still to be done in turn
};

/** @param {(changed: Set<string>) => void} hear */
export function listen(hear) {
  listeners.push(hear);
}

/** @param {Partial<typeof store>} change */
export function update(change) {
  Object.assign(store, change);
  const changed = new Set(Object.keys(change));
  for (const hear of listeners) hear(changed);
}

/** The selected region, or null. @returns {Region|null} */
export function selectedRegion() {
  return (store.picture && store.picture.regions[store.selected]) || null;
}

/** @param {Region} region */
export function isShown(region) {
  const name = region.label ?? "";
  return store.alone !== null ? name === store.alone : !store.hidden.has(name);
}
