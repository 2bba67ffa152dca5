// What is shown comes from the server here: the start, the queue, pictures. What came too late is dropped.

import { ask, idPlanes, image } from "./api.js";
import { toast } from "./dom.js";
import { retint, showAll, showSelected } from "./stage.js";
import { store, update } from "./store.js";
import { say } from "./strings.js";

const images = new Map(); // promises of the last few, by the picture's number
const MOST_IMAGES = 3;

let wanted = -1; // the picture that was asked for last

/** All that is known at the start: pictures, labels, progress. */
export async function loadStart() {
  update({ start: await ask("start") });
}

/** The queue anew, by the order that was chosen. */
export async function loadQueue() {
  const query = { order: store.order };
  if (store.number >= 0) query.picture = store.number;
  update({ queue: await ask("queue", query) });
}

/** Show a picture; select the region with this id, or the first open one. */
export async function openPicture(number, id = null) {
  wanted = number;
  if (number === store.number) return select(id);
  const [picture, pixels, planes] = await Promise.all([ask("picture", { picture: number }), imageOf(number), idPlanes(number)]);
  if (wanted !== number) return;
  const hidden = new Set([...store.hidden].filter((one) => picture.regions.some((region) => (region.label ?? "") === one)));
  update({ number, picture, image: pixels, selected: -1, hovered: -1, gathered: new Set(), hidden, alone: null });
  showAll();
  retint(planes);
  if (!pixels) toast(say.noPicture);
  select(id);
}

/** The picture that is shown as it is now; the selected region stays, if it is there still. */
export async function reloadPicture(id = undefined) {
  const { number } = store;
  if (number < 0) return;
  const before = store.picture?.masks;
  const picture = await ask("picture", { picture: number });
  const planes = picture.masks === before ? null : await idPlanes(number);
  if (store.number !== number) return;
  // Equal masks stay the same objects: their outlines are kept by them.
  for (const region of picture.regions) {
    const old = store.picture?.regions.find((one) => one.id === region.id);
    if (old && old.mask.counts === region.mask.counts) region.mask = old.mask;
  }
  const shown = id === undefined ? store.picture?.regions[store.selected]?.id : id;
  const selected = picture.regions.findIndex((one) => one.id === shown);
  update({ picture, selected, hovered: -1, gathered: new Set() });
  retint(planes);
}

/** Have the next picture at hand before it is asked for. */
export function prepare(number) {
  void imageOf(number).catch(() => {});
}

function imageOf(number) {
  const found = images.get(number) ?? image(number);
  found.catch(() => images.delete(number));
  images.delete(number);
  images.set(number, found);
  if (images.size > MOST_IMAGES) images.delete(images.keys().next().value);
  return found;
}

function select(id) {
  const { regions } = store.picture;
  const first = regions.findIndex((one) => one.reviewed === "none");
  const selected = id === null ? first : regions.findIndex((one) => one.id === id);
  update({ selected });
  showSelected();
}
