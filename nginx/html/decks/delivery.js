// Delivery: a deck that the reader follows appears in the reader's own Anki collection with each sync, without the add-on.

import { button, dialog, element, follow, form, notify, showLoaded, succeeds, timeElement, translator, whileDisabled } from "/frame.js";
import { deliver, delivery, sendEdits, stopDelivery } from "./api.js";
import { panel } from "./sections.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

// Those that the reader can mend.
const PROBLEMS = { no_collection: t("delivery_no_collection"), over_quota: t("delivery_over_quota") };

function stateOf({ state, is_complete: isComplete, notes, problem, delivered_at: at }) {
  if (problem) return PROBLEMS[problem] ?? t("delivery_problem");
  if (state !== "on") return t("delivery_ending");
  return isComplete ? [t("delivery_notes", { count: notes }), " · ", timeElement(new Date(at))] : t("delivery_under_way");
}

export function deliveryPart(deck) {
  const box = element("div");
  const isSettled = ({ delivery: found }) => !found || (found.state === "on" && (found.is_complete || found.problem !== ""));
  let isWaiting = false;
  const waitForEnd = async (now) => {
    if (isWaiting || isSettled(now)) return;
    isWaiting = true;
    await follow({ poll: () => delivery(deck.id), isFinished: isSettled, onState: () => {} }).catch(() => {});
    isWaiting = false;
    if (box.isConnected) await load();
  };
  const load = () => showLoaded(box, async () => {
    const now = await delivery(deck.id);
    waitForEnd(now);
    return now;
  }, ({ delivered, delivery: found }) => [
    element("p", { class: "about" }, t("delivery_about")),
    found && element("p", { role: "status" }, stateOf(found)),
    found?.state === "on" && element("p", { class: "quiet" }, t(found.delete_removed ? "delivery_deletes" : "delivery_suspends")),
    element("div", { class: "actions" }, delivered ? [change(found), send, stop] : start),
  ], { lines: 3, again: load });
  // The choice is asked with the start, and can be changed later.
  const choose = async (found) => {
    const done = await dialog(found ? t("delivery_change") : t("delivery_start"), (close) => [element("p", { class: "about" }, t("delivery_start_about")), form({
      fields: [{ name: "delete_removed", label: t("delivery_delete_removed"), type: "checkbox", checked: found?.delete_removed ?? false, required: false, hint: t("delivery_delete_removed_hint") }],
      action: found ? t("save") : t("delivery_start"),
      submit: async (values) => {
        await deliver(deck.id, values);
        close(true);
      },
    })]);
    if (!done) return;
    notify(found ? t("delivery_changed") : t("delivery_started"));
    await load();
  };
  const start = button(t("delivery_start"), { kind: "primary", name: "plus", on: { click: () => choose() } });
  const change = (found) => button(t("delivery_change"), { name: "pencil", on: { click: () => choose(found) } });
  const send = button(t("delivery_send"), { on: { click: () => whileDisabled(send, async () => {
    let count = 0;
    if (await succeeds(async () => { count = await sendEdits(deck.id); })) notify(count > 0 ? t("delivery_sent", { count }) : t("delivery_none_sent"));
  }) } });
  const stop = button(t("delivery_stop"), { kind: "outline-danger", on: { click: async () => {
    const keeps = await dialog(t("delivery_stop_title"), (close) => [
      element("p", {}, t("delivery_stop_about")),
      element("div", { class: "actions" }, button(t("cancel"), { autofocus: true, on: { click: () => close() } }),
        button(t("delivery_remove_notes"), { kind: "danger", on: { click: () => close(false) } }), button(t("delivery_keep_notes"), { kind: "primary", on: { click: () => close(true) } })),
    ]);
    if (keeps === undefined || !await succeeds(() => stopDelivery(deck.id, keeps))) return;
    notify(t("delivery_stopped"));
    await load();
  } } });
  load();
  return panel("delivery", t("delivery"), box);
}
