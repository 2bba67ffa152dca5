// One thing after another: a key is for the region that it was pressed for, however fast the fingers.

import { Failure } from "./api.js";
import { toast } from "./dom.js";
import { store, update } from "./store.js";
import { say } from "./strings.js";

let last = Promise.resolve();

/** Do this when all before it is done. @param {() => any} what */
export function inTurn(what) {
  update({ busy: store.busy + 1 });
  last = last.then(what).catch((error) => {
    if (!(error instanceof Failure)) throw error;
    toast(say.failed(error.message || say.noServer));
  }).finally(() => update({ busy: store.busy - 1 }));
}
