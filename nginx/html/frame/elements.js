// Elements of a page. Whatever comes from a server or a person becomes a text node; there is no way to pass markup.

// `attributes`: undefined, null and false are left out, true is an attribute without a value; `on` has listeners by event.
// `children`: nodes and texts, also in lists; undefined, null, false and "" are left out.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (value !== undefined && value !== null && value !== false) {
      made.setAttribute(key, value === true ? "" : value);
    }
  }
  made.append(...present(children));
  return made;
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false && child !== "");
}

export function replaceContent(box, ...children) {
  box.replaceChildren(...present(children));
}

const SVG = "http://www.w3.org/2000/svg";

// A picture of /icons.svg beside a text that says the same.
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

// `kind`: a button of Bootstrap, such as "primary" or "outline-secondary". With `hidesLabel` only the icon is seen.
export function button(label, { kind = "outline-secondary", name, hidesLabel = false, on = {}, class: more = "", ...attributes } = {}) {
  return element("button", { type: "button", class: `btn btn-${kind} ${more}`.trim(), title: hidesLabel ? label : undefined, on, ...attributes },
    name && icon(name), element("span", { class: hidesLabel ? "visually-hidden" : "btn-label" }, label));
}

let ids = 0;
export function newId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

// An input, which has an id, with its label.
export function labelled(label, input) {
  return element("div", { class: "field" }, element("label", { for: input.id, class: "form-label" }, label), input);
}

// Disables `pressed` while `work` runs, so that a second press does nothing.
export async function whileDisabled(pressed, work) {
  const isFocused = document.activeElement === pressed;
  pressed.disabled = true;
  pressed.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    pressed.disabled = false;
    pressed.removeAttribute("aria-busy");
    // What is disabled loses the focus.
    if (isFocused && document.activeElement === document.body) pressed.focus();
  }
}
