// What was decided and is not saved yet. It is sent in its order, and again until the server has it on its disk.

import { Failure, tell } from "./api.js";
import { say } from "./strings.js";
import { store, update } from "./store.js";

const WAITS = [500, 1000, 2000, 4000]; // milliseconds
// One address may serve another folder tomorrow: what waits is for its own alone.
const kept = () => `ssa.review.unsaved.${store.start.folder}`;

let sent = []; // requests with decisions that this page made, and hasn't taken back
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
  if (name === "undo") sent.pop();
  else sent.push(request);
  update({ waiting: [...store.waiting, { name, payload: { ...payload, request } }] });
  keep();
  void flush();
}

/** The request that an undoing is for, "" where this page has made none that is left. */
export const lastSent = () => sent.at(-1) ?? "";

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
          sent = sent.filter((one) => one !== first.payload.request);
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

/** What an earlier page of this address could not save any more; whether there was something. */
export async function takeUp() {
  try {
    const waiting = JSON.parse(sessionStorage.getItem(kept()) ?? "[]");
    if (waiting.length) update({ waiting });
  } catch { /* somebody else's */ }
  const had = store.waiting.length > 0;
  await flush();
  return had;
}

function drop(trouble) {
  update({ waiting: store.waiting.slice(1), trouble });
  keep();
}

function keep() {
  try {
    sessionStorage.setItem(kept(), JSON.stringify(store.waiting));
  } catch { /* full: it stays in the page */ }
}

addEventListener("beforeunload", (event) => {
  if (store.waiting.length) event.preventDefault();
});
