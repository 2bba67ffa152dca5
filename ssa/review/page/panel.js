// What is known of the selected region, and the field for its name.

import { byId, fill, h, name } from "./dom.js";
import { relabel, takeProposal } from "./deciding.js";
import { keyOf, written } from "./keys.js";
import { field } from "./search.js";
import { selectedRegion, store } from "./store.js";
import { say } from "./strings.js";
import { inTurn } from "./turns.js";

const percent = (value) => (value == null ? say.none : `${Math.round(100 * value)} %`);

/** Draw the panel. */
export function drawPanel() {
  const region = selectedRegion();
  const panel = byId("region");
  if (!region) {
    const isDone = store.picture && store.queue.open <= 0;
    return fill(panel, h("p", { className: "hint" }, isDone ? say.allDone : say.noRegion), keysHint(["nextRegion", "nextPicture", "help"]));
  }
  fill(panel,
    h("div", { className: "heading" },
      h("h1", { colour: region.colour }, h("i", { className: "swatch", colour: region.colour }), name(region.label ?? say.noLabel)),
      h("span", { className: `badge ${region.reviewed}` }, say.reviewed[region.reviewed])),
    region.remark ? h("p", { className: "remark", dir: "auto" }, region.remark.slice(0, 500)) : null,
    h("ol", { className: "proposals", "aria-label": say.proposals }, ...region.proposals.slice(0, 9).map(proposal)),
    field({ label: say.labelField, placeholder: say.typeLabel, take: (text) => inTurn(() => relabel(text, region)) }),
    facts(region),
    keysHint(["accept", "reject", "unsure", "undo", "nextRegion", "help"]));
}

function proposal([label, score], i) {
  const isNow = label === selectedRegion().label;
  return h("li", {}, h("button", { type: "button", className: isNow ? "now" : "", onclick: () => inTurn(() => takeProposal(i + 1)) },
    h("kbd", {}, String(i + 1)), name(label),
    score == null ? null : h("span", { className: "score" }, percent(score)),
    score == null ? null : h("meter", { min: 0, max: 1, value: score, "aria-hidden": "true" })));
}

function facts(region) {
  const rows = [
    [say.confidence, region.confidence == null ? null : percent(region.confidence)],
    [say.margin, region.margin == null ? null : percent(region.margin)],
    [say.votes, region.votes?.length ? region.votes.map(([source, label, share]) => `${source}: ${label.slice(0, 80)} ${percent(share)}`).join("\n") : null],
    [say.caption, region.caption?.slice(0, 300) || null],
    [say.partOf, region.partOf?.slice(0, 200) ?? null],
    [say.cluster, region.cluster == null || region.cluster < 0 ? null : String(region.cluster)],
    [say.was, region.found && region.found !== region.label ? region.found.slice(0, 200) : null],
  ].filter(([, value]) => value !== null);
  return h("dl", {}, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", { dir: "auto" }, value)]));
}

function keysHint(names) {
  return h("p", { className: "keys" }, ...names.map((one) =>
    h("span", {}, h("kbd", {}, written(keyOf(one))), ` ${say.keys[one].split(/[,:]/)[0]}`)));
}
