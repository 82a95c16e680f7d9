// Suggestions for a deck, for those who decide: accept, edit and accept, reject, one by one or several together.

import { button, confirmLoss, dialog, element, emptyBox, form, labelled, newId, notify, notifyFailure, replaceContent, showLoaded, timeElement, translator, whileDisabled } from "/frame.js";
import { review, suggestions } from "./api.js";
import { pager, reloading } from "./sections.js";
import { TEXTS } from "./texts.js";
import { proposal, subjectOf } from "./values.js";
import { addressOf, pieces, plain, written } from "./written.js";

const t = translator(TEXTS);

const STATES = ["pending", "accepted", "rejected", "withdrawn", "superseded"];
// Outcomes of a decision about several that leave some as they are.
const LEFT = ["stale", "card_gone", "decided_before"];

const noteField = () => ({ name: "note", label: t("note"), type: "textarea", required: false, rows: 2, maxlength: 1000, hint: t("note_hint") });

// Tells what became of `ids`.
function tell({ results, decided, version }, decision) {
  const how = decision.action === "accept" ? "accepted" : "rejected";
  if (decided) notify(t(`${how}_count`, { count: decided, version }));
  for (const outcome of LEFT) {
    const count = results.filter(({ status }) => status === outcome).length;
    if (count) notify(t(`left_${outcome}`, { count }), { kind: "info", staysOpen: true });
  }
}

// What is true of a suggestion that somebody else has decided, or whose card has changed, is in the list when it is loaded again.
async function decide(ids, decision, reload) {
  try {
    tell(await review(ids, decision), decision);
  } catch (failure) {
    notifyFailure(failure);
  }
  await reload();
}

async function accept(one, reload) {
  if (one.is_stale && !await confirmLoss({ title: t("stale_title"), loss: t("stale_loss"), action: t("accept_anyway") })) return;
  await decide([one.suggestion_id], { action: "accept", ...(one.is_stale && { force: true }) }, reload);
}

// Asks in a form, in which everything typed stays until the server has taken it. What else the list has to tell is shown after it.
async function ask(title, about, fields, action, kind, decisionOf, ids, reload) {
  let wasRefused = false;
  const taken = await dialog(title, (close) => [about, form({
    fields, action, kind,
    submit: async (values) => {
      const decision = decisionOf(values);
      try {
        close([await review(ids, decision), decision]);
      } catch (failure) {
        wasRefused = true;
        throw failure;
      }
    },
  })]);
  if (taken) tell(...taken);
  if (taken || wasRefused) await reload();
}

function editAndAccept(one, reload) {
  const about = [element("p", { class: "about" }, t("edit_about")), one.is_stale && element("p", { class: "alert alert-warning" }, t("stale_loss"))].filter(Boolean);
  const fields = [{ name: "value", label: t("value_of", { field: plain(one.field_name) }), type: "textarea", required: false, rows: 6, value: one.suggested_value, dir: "auto", autofocus: true, spellcheck: "true" }, noteField()];
  return ask(t("edit_and_accept"), element("div", {}, about), fields, t("accept"), "success",
    ({ value, note }) => ({ action: "accept", value, note, ...(one.is_stale && { force: true }) }), [one.suggestion_id], reload);
}

function reject(ids, reload) {
  return ask(t("reject_title", { count: ids.length }), element("p", { class: "about" }, t("reject_about")), [noteField()], t("reject"), "danger",
    ({ note }) => ({ action: "reject", note }), ids, reload);
}

function item(deck, one, chosen, onChoice, reload) {
  const id = newId("suggestion");
  const isOpen = one.status === "pending";
  const described = { "aria-describedby": id };
  const yes = button(one.is_stale ? t("accept_anyway") : t("accept"), { kind: "success", name: "done", ...described, on: { click: () => whileDisabled(yes, () => accept(one, reload)) } });
  const choose = ({ target }) => {
    chosen[target.checked ? "add" : "delete"](one.suggestion_id);
    onChoice();
  };
  return element("li", { class: "suggestion", "aria-labelledby": id },
    element("div", { class: "suggestion-head" },
      isOpen && element("input", { type: "checkbox", class: "choice", "aria-label": t("choose"), ...described, "data-id": one.suggestion_id, on: { change: choose } }),
      element("h3", { id }, element("bdi", {}, pieces(subjectOf(one))), ", ", t("suggested_by"), " ", written(one.suggested_by)),
      one.is_stale && element("span", { class: "tag tag-warn" }, t("stale")), !isOpen && element("span", { class: `tag tag-${one.status}` }, t(`state_${one.status}`))),
    element("p", { class: "quiet" }, timeElement(new Date(one.created_at)), one.version && [" · ", t("in_version", { version: one.version })]),
    one.reason && element("p", {}, t("reason"), " ", written(one.reason)),
    one.note && element("p", { class: "note" }, t("note_given"), " ", written(one.note)),
    one.is_stale && element("p", { class: "quiet" }, t("stale_about")),
    proposal(one),
    element("div", { class: "actions" },
      isOpen && [one.card_exists && yes,
        one.card_exists && one.kind === "field" && button(t("edit_and_accept"), { name: "pencil", ...described, on: { click: () => editAndAccept(one, reload) } }),
        button(t("reject"), { kind: "outline-danger", ...described, on: { click: () => reject([one.suggestion_id], reload) } })],
      element("a", { class: "btn btn-link", href: addressOf("card", { deck, guid: one.card_guid }), ...described }, t("card_history"))));
}

// What is done with those that are chosen.
function together(list, chosen, all, reload) {
  const yes = button(t("accept_chosen"), { kind: "success btn-sm", on: { click: () => whileDisabled(yes, () => decide([...chosen], { action: "accept" }, reload)) } });
  const no = button(t("reject_chosen"), { kind: "outline-danger btn-sm", on: { click: () => reject([...chosen], reload) } });
  const said = element("span", { role: "status" });
  const every = element("input", { type: "checkbox", id: newId("all"), class: "choice", on: { change: () => {
    for (const one of list.querySelectorAll(".choice")) one.checked = every.checked;
    chosen.clear();
    if (every.checked) for (const one of all) chosen.add(one.suggestion_id);
    show();
  } } });
  const show = () => {
    every.checked = chosen.size === all.length;
    yes.disabled = chosen.size === 0;
    no.disabled = chosen.size === 0;
    replaceContent(said, t("chosen_count", { count: chosen.size }));
  };
  show();
  return { box: element("div", { class: "together" }, element("label", { for: every.id, class: "choice-label" }, every, t("choose_all")), said, yes, no), show };
}

// `onOpen(count)`: how many are open now.
export function reviewPart(deck, onOpen) {
  const box = element("div");
  let state = "pending";
  let page = 1;
  const ask = async () => {
    const found = await suggestions(deck, state, page);
    // The last one of the last page was decided.
    if (found.suggestions.length || page === 1) return found;
    page = Math.max(1, found.total_pages);
    return suggestions(deck, state, page);
  };
  const load = () => showLoaded(box, ask, ({ suggestions: all, total, total_pages: pages }) => {
    if (state === "pending") onOpen(total);
    if (!all.length) return emptyBox(t(state === "pending" ? "nothing_open" : "nothing_in_state"));
    const chosen = new Set();
    const list = element("ul", { class: "plain" });
    const bar = state === "pending" && together(list, chosen, all, reload);
    replaceContent(list, all.map((one) => item(deck, one, chosen, () => bar.show(), reload)));
    return [bar && bar.box, list, pager(page, pages, (target) => { page = target; return load(); })];
  }, { lines: 8, again: load });
  const reload = reloading(box, load);
  const choice = element("select", { id: newId("state"), class: "form-select", on: { change: () => {
    state = choice.value;
    page = 1;
    load();
  } } }, STATES.map((one) => element("option", { value: one }, t(`state_${one}`))));
  return { box: element("section", { class: "panel", "aria-labelledby": "review" }, element("div", { class: "panel-head" }, element("h2", { id: "review" }, t("suggestions")), labelled(t("state"), choice)), box), loaded: load() };
}
