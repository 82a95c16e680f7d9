// What a page tells its reader outside of its own content: short messages, questions, and the end of a session.

import { button, element, icon, newId, replaceContent } from "./elements.js";
import { printMoment, translator } from "./language.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

// Live regions have to be in the page before their first message.
const messages = element("div", { role: "status", "aria-live": "polite" });
const alerts = element("div", { role: "alert" });
export const noticeRegion = element("div", { class: "notice-region" }, alerts, messages);

const SHOWN_MS = 6000;
const READING_MS = 1000;

// Behind a dialog nobody would see a message or hear of it.
function putInFront() {
  ([...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body).append(noticeRegion);
}

// A message that needs no answer. One with the same `key` takes the place of the other. `kind`: success, danger, info.
// Of failures only the reader decides when they go.
export function notify(text, { kind = "success", key, staysOpen = kind === "danger" } = {}) {
  for (const other of noticeRegion.querySelectorAll(".notice")) {
    if (key && other.dataset.key === key) other.remove();
  }
  const shown = element("div", { class: `notice notice-${kind}`, "data-key": key },
    icon(kind === "success" ? "done" : kind === "danger" ? "warning" : "info"), element("p", {}, text),
    button(t("close"), { kind: "link", name: "close", hidesLabel: true, on: { click: () => shown.remove() } }));
  (kind === "danger" ? alerts : messages).append(shown);
  // Not under the eyes or the fingers of the reader.
  const go = () => (shown.matches(":hover, :focus-within") ? setTimeout(go, READING_MS) : shown.remove());
  if (!staysOpen) setTimeout(go, SHOWN_MS);
  return shown;
}

export function notifyFailure(failure, options = {}) {
  return notify(sentenceOf(failure), { kind: "danger", ...options });
}

// Whether `work()` came to its end. If not, the reader has been told why.
export async function succeeds(work) {
  try {
    await work();
    return true;
  } catch (failure) {
    notifyFailure(failure);
    return false;
  }
}

// What happened, what to do, and the number by which the administrator finds it.
export function sentenceOf(failure) {
  const sentence = failure.sentence ?? t("page_broken");
  return failure.requestId ? `${sentence} ${t("request", { id: failure.requestId })}` : sentence;
}

// What is said of an account that is going to be deleted.
export function deletionSentence(own) {
  return t("deletion_pending", { date: printMoment(new Date(own.deletes_at)) });
}

export function failureBox(failure, retry) {
  return element("div", { class: "alert alert-danger", role: "alert" },
    element("p", { class: "mb-1" }, failure.sentence ?? t("page_broken")),
    failure.requestId && element("p", { class: "small mb-1" }, t("request", { id: failure.requestId })),
    !failure.sentence && element("p", { class: "small mb-1" }, String(failure)),
    retry && button(t("try_again"), { kind: "outline-danger", name: "again", class: "mt-2", on: { click: retry } }));
}

// A dialog with `content`, in front of the page. Resolves with what `close(value)` got, or undefined if the reader left it.
export function dialog(title, build) {
  return new Promise((resolve) => {
    let result;
    const heading = newId("dialog");
    const box = element("dialog", { class: "dialog", "aria-labelledby": heading }, element("h2", { id: heading }, title));
    const close = (value) => { result = value; box.close(); };
    box.append(...[build(close)].flat());
    // What a form sends is not called back by leaving: its result would be lost.
    const isSending = () => box.querySelector("form [type=submit][aria-busy]") !== null;
    box.addEventListener("cancel", (event) => isSending() && event.preventDefault());
    box.addEventListener("keydown", (event) => event.key === "Escape" && isSending() && event.preventDefault());
    // Not every device has an Escape key.
    box.querySelector("form .actions")?.prepend(button(t("cancel"), { on: { click: () => isSending() || close() } }));
    box.addEventListener("close", () => {
      putInFront();
      box.remove();
      resolve(result);
    });
    document.body.append(box);
    box.showModal();
    putInFront();
  });
}

// Asks before something is lost for good: `loss` says what. Resolves with whether the reader wants it.
export async function confirmLoss({ title, loss, action }) {
  const answer = await dialog(title, (close) => [
    element("p", {}, loss),
    element("div", { class: "actions" },
      button(t("cancel"), { autofocus: true, on: { click: () => close(false) } }),
      button(action, { kind: "danger", on: { click: () => close(true) } })),
  ]);
  return answer === true;
}

// The four states of a part of a page: loading, failed, empty, filled. `load()` gets the data, `fill(data)` gives what is shown
// of it. Loading again leaves what was there until the new is there, so that nothing jumps.
// `again()` is what a retry calls, where that is more than loading this part.
export async function showLoaded(box, load, fill, { lines = 3, again = () => showLoaded(box, load, fill, { lines }) } = {}) {
  box.setAttribute("aria-busy", "true");
  if (!box.hasChildNodes()) replaceContent(box, skeleton(lines));
  try {
    const shown = fill(await load());
    keepFocus(box, () => replaceContent(box, shown));
  } catch (failure) {
    if (failure.name === "AbortError") return;
    if (!failure.sentence) console.error(failure);
    keepFocus(box, () => replaceContent(box, failureBox(failure, again)));
  }
  box.removeAttribute("aria-busy");
}

// What the focus is on may be redrawn by `change`: then it goes to the same thing in the new content, or to the whole part.
function keepFocus(box, change) {
  const nameOf = (one) => [one.localName, one.name, one.getAttribute("aria-label") ?? one.textContent].join(" ");
  const held = box !== document.activeElement && box.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  change();
  if (held === null) return;
  const same = [...box.querySelectorAll("a, button, input, select, summary, [tabindex]")].find((one) => nameOf(one) === held && !one.disabled);
  if (!same) box.tabIndex = -1;
  (same ?? box).focus();
}

function skeleton(lines) {
  return element("div", {}, element("span", { class: "visually-hidden" }, t("loading")),
    Array.from({ length: lines }, () => element("div", { class: "skeleton-line", "aria-hidden": "true" })));
}

// What to do next where there is nothing yet.
export function emptyBox(text, ...more) {
  return element("div", { class: "empty" }, element("p", {}, text), more);
}
