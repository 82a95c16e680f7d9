// Invitations to become a maintainer that the reader has not answered. Without any there is nothing to see.

import { button, element, notify, showLoaded, succeeds, timeElement, translator, whileDisabled } from "/frame.js";
import { answerInvitation, invitations } from "./api.js";
import { panel, reloading } from "./sections.js";
import { TEXTS } from "./texts.js";
import { addressOf, plain, written } from "./written.js";

const t = translator(TEXTS);

function row(one, reload) {
  const title = plain(one.deck_title);
  const answering = (answer, kind) => {
    const made = button(t(answer), { kind: `${kind} btn-sm`, "aria-label": t(`${answer}_invitation`, { title }), on: { click: () => whileDisabled(made, async () => {
      const isAnswered = await succeeds(() => answerInvitation(one.deck_id, answer));
      if (isAnswered && answer === "accept") return location.assign(addressOf("deck", { id: one.deck_id }));
      if (isAnswered) notify(t("invitation_declined", { title }));
      // Also where it was taken back meanwhile: the list shows it.
      await reload();
    }) } });
    return made;
  };
  return element("li", { class: "key" }, element("div", { class: "key-what" }, element("p", { class: "key-name" }, written(one.deck_title)),
    element("p", { class: "quiet" }, t("invited_by"), " ", written(one.invited_by), " · ", timeElement(new Date(one.invited_at)))),
  element("div", { class: "key-actions" }, answering("accept", "primary"), answering("decline", "outline-secondary")));
}

export function invitationsPart() {
  const box = element("div");
  const load = () => showLoaded(box, invitations, (list) => list.length > 0
    && panel("invitations", t("invitations"), [element("p", { class: "about" }, t("invitations_about")), element("ul", { class: "keys" }, list.map((one) => row(one, reloading(box, load))))]), { lines: 0, again: load });
  return { box, loaded: load() };
}
