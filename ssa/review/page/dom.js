// Elements, made of data as text alone: what a label says is never read as HTML.

/**
 * An element with properties ("on…" are listeners, "aria-…", "data-…" and "role" attributes) and children.
 * @param {string} tag @param {Record<string, any>} props @param {...(Node|string|null)} children
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else if (name === "colour") element.style.setProperty("--colour", value);
    else element[name] = value;
  }
  element.append(...children.filter((one) => one !== null));
  return element;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** Put these in place of what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((one) => one !== null));
}

/** A label as text that can't turn its neighbours around. */
export function name(text, props = {}) {
  return h("bdi", { ...props, className: `name ${props.className ?? ""}`, title: text.slice(0, 200) }, text.slice(0, 300));
}

let fading = 0;

/** Say something for a moment. */
export function toast(text) {
  const element = byId("toast");
  element.textContent = text;
  element.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => { element.hidden = true; }, 3500);
}
