// Forms: fields with labels, what is wrong with them beside them, and the refusal of a server. What was typed stays.

import { element, icon, button, newId, replaceContent, whileDisabled } from "./elements.js";
import { translator } from "./language.js";
import { sentenceOf } from "./notices.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

// A field: {name, label, hint, type, ...attributes of the input}. A password has a button that shows it. A checkbox is true or
// false, and stands before its label; a textarea has several lines.
function field({ name, label, hint, type = "text", value, ...attributes }) {
  const id = newId(name);
  const shared = { id, name, class: "form-control", required: true, "aria-describedby": `${id}-error${hint ? ` ${id}-hint` : ""}` };
  if (type === "checkbox") {
    return element("div", { class: "field" }, element("label", { for: id, class: "choice-label" }, element("input", { ...shared, type, class: "choice", required: false, ...attributes }), label),
      hint && element("div", { id: `${id}-hint`, class: "form-text" }, hint), element("div", { id: `${id}-error`, class: "field-error" }));
  }
  const input = type === "textarea" ? element("textarea", { ...shared, ...attributes }, value) : element("input", { ...shared, type, value, ...attributes });
  const shown = type === "password" ? element("div", { class: "input-group" }, input, revealer(input)) : input;
  return element("div", { class: "field" }, element("label", { for: id, class: "form-label" }, label), shown,
    hint && element("div", { id: `${id}-hint`, class: "form-text" }, hint),
    element("div", { id: `${id}-error`, class: "field-error" }));
}

function revealer(input) {
  const made = button(t("show_password"), { name: "eye", hidesLabel: true, "aria-pressed": "false", on: { click: () => {
    const hides = input.type === "text";
    input.type = hides ? "password" : "text";
    made.setAttribute("aria-pressed", String(!hides));
  } } });
  return made;
}

function mark(input, problem) {
  const place = document.getElementById(`${input.id}-error`);
  input.classList.toggle("is-invalid", Boolean(problem));
  if (problem) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  replaceContent(place, problem && icon("warning"), problem);
}

// What the browser finds wrong with an input, in words that are the same in all browsers.
function problemOf(input, values) {
  if (input.validity.valueMissing) return t("required");
  if (input.validity.typeMismatch && input.type === "email") return t("not_an_email");
  if (input.minLength > 0 && [...input.value].length < input.minLength) return t("too_short", { count: input.minLength });
  if (input.dataset.repeats && input.value !== values[input.dataset.repeats]) return t("not_the_same");
  return "";
}

const INPUTS = "input[name], textarea[name]";
const valueOf = (input) => (input.type === "checkbox" ? input.checked : input.value);

const TYPED = "syncline-typed";

// What is typed on this page, for when it is loaded anew. Passwords are kept nowhere.
export function keepTyped() {
  const inputs = [...document.querySelectorAll("form.form :is(input, textarea)[name]:not([type=password], [type=checkbox], [autocomplete$=password])")];
  try {
    sessionStorage.setItem(TYPED, JSON.stringify({ path: location.pathname, values: Object.fromEntries(inputs.map(({ name, value }) => [name, value])) }));
  } catch {
    // A browser may refuse to keep anything.
  }
}

function takeTyped() {
  try {
    const { path, values } = JSON.parse(sessionStorage.getItem(TYPED)) ?? {};
    sessionStorage.removeItem(TYPED);
    return path === location.pathname ? values : {};
  } catch {
    return {};
  }
}

const typed = takeTyped();

// A form of `fields` with a button `action`. `submit(values)` sends it; a Failure it throws is shown with the fields it names
// (`fieldOf`: names of fields by what the server calls them, or by the code of the failure).
export function form({ fields, action, kind = "primary", submit, fieldOf = {} }) {
  const refusal = element("div", { class: "form-refusal", role: "alert", tabindex: "-1" });
  const send = button(action, { kind, type: "submit" });
  const made = element("form", { class: "form", novalidate: true }, fields.map(field), refusal,
    element("div", { class: "actions" }, send));
  const inputs = () => [...made.querySelectorAll(INPUTS)];
  for (const input of inputs()) {
    if (input.name in typed) input.value = typed[input.name];
    delete typed[input.name];
  }

  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send.disabled) return;
    const values = Object.fromEntries(inputs().map((input) => [input.name, valueOf(input)]));
    replaceContent(refusal);
    for (const input of inputs()) mark(input, problemOf(input, values));
    const wrong = inputs().find((input) => input.classList.contains("is-invalid"));
    if (wrong) return wrong.focus();
    await whileDisabled(send, async () => {
      try {
        await submit(values);
      } catch (failure) {
        show(failure);
      }
    });
  });
  made.addEventListener("input", ({ target }) => { if (target.classList.contains("is-invalid")) mark(target, ""); });

  function show(failure) {
    const marked = new Map(Object.entries(failure.fields ?? {}).map(([name, problem]) => [fieldOf[name] ?? name, problem]));
    if (failure.code in fieldOf) marked.set(fieldOf[failure.code], failure.sentence);
    let first = null;
    for (const input of inputs()) {
      if (!marked.has(input.name)) continue;
      mark(input, marked.get(input.name));
      first ??= input;
    }
    if (!failure.sentence) console.error(failure);
    replaceContent(refusal, element("div", { class: "alert alert-danger" }, sentenceOf(failure)));
    (first ?? refusal).focus();
  }
  return made;
}

// A text that people copy into another program, with its button. `what` names it for those who do not see it.
export function copyField(text, what) {
  const input = element("input", { class: "form-control copied-text", readonly: true, value: text, "aria-label": what, on: { focus: () => input.select() } });
  const said = element("span", { role: "status", class: "visually-hidden" });
  const copy = button(t("copy"), { name: "copy", "aria-label": t("copy_what", { what }), on: { click: async () => {
    await toClipboard(input);
    const label = copy.querySelector("span");
    copy.classList.add("is-copied");
    replaceContent(label, t("copied"));
    replaceContent(said, t("copied_what", { what }));
    setTimeout(() => { copy.classList.remove("is-copied"); replaceContent(label, t("copy")); }, 2500);
  } } });
  return element("div", { class: "copy-field" }, element("div", { class: "input-group" }, input, copy), said);
}

// Over plain HTTP a page has no clipboard, only what is selected.
async function toClipboard(input) {
  try {
    await navigator.clipboard.writeText(input.value);
  } catch {
    input.select();
    document.execCommand("copy");
  }
}
