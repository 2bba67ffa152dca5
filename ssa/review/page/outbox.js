// What was decided and is not saved yet. It is sent in its order, and again until the server has it on its disk.

import { Failure, tell } from "./api.js";
import { say } from "./strings.js";
import { store, update } from "./store.js";

const WAITS = [500, 1000, 2000, 4000]; // milliseconds
const KEPT = "ssa.review.unsaved";

let sending = false;
let timer = 0;
let hear = { saved() {}, refused() {} };

/** @param {{saved: (sent: any, answer: any) => void, refused: (sent: any, failure: Failure) => void}} listener */
export function onSaved(listener) {
  hear = listener;
}

/** Send this, now or as soon as it can be. @param {string} name @param {any} payload */
export function send(name, payload) {
  const request = crypto.randomUUID();
  update({ waiting: [...store.waiting, { name, payload: { ...payload, request } }] });
  keep();
  void flush();
}

/** Try now. */
export async function flush(tries = 0) {
  clearTimeout(timer);
  if (sending) return;
  sending = true;
  try {
    while (store.waiting.length) {
      const [first] = store.waiting;
      try {
        const answer = await tell(first.name, first.payload);
        drop("");
        tries = 0;
        hear.saved(first, answer);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (error.status >= 400 && error.status < 500 && error.status !== 403) {
          drop("");
          hear.refused(first, error);
          continue;
        }
        update({ trouble: error.status === 0 || error.status === 403 ? say.noServer : error.message });
        timer = setTimeout(() => flush(tries + 1), WAITS[Math.min(tries, WAITS.length - 1)]);
        return;
      }
    }
  } finally {
    sending = false;
  }
}

/** What an earlier page of this address could not save any more. */
export function takeUp() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    if (kept.length) update({ waiting: kept });
  } catch { /* somebody else's */ }
  void flush();
}

function drop(trouble) {
  update({ waiting: store.waiting.slice(1), trouble });
  keep();
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(store.waiting));
  } catch { /* full: it stays in the page */ }
}

addEventListener("beforeunload", (event) => {
  if (store.waiting.length) event.preventDefault();
});
