// Who may change a deck beside its owner. Whoever is added is asked first, and nobody learns which accounts there are.

import { button, confirmLoss, dialog, element, emptyBox, form, notify, showLoaded, succeeds, translator } from "/frame.js";
import { inviteMember, members, removeMember, takeInvitationBack } from "./api.js";
import { panel } from "./sections.js";
import { TEXTS } from "./texts.js";
import { plain, written } from "./written.js";

const t = translator(TEXTS);

// `mayChange`: the owner. Others see the list, and may leave.
export function membersPart(deck, { mayChange, reader }) {
  const box = element("div");
  const load = () => showLoaded(box, () => members(deck), (list) => (list.length ? element("ul", { class: "keys" }, list.map(row)) : emptyBox(t("no_members"))), { lines: 3, again: load });
  const row = ({ id, name }) => {
    const isReader = id === reader.id;
    const remove = async () => {
      const title = isReader ? t("leave_title") : t("remove_member_title", { name: plain(name) });
      if (!await confirmLoss({ title, loss: isReader ? t("leave_loss") : t("remove_member_loss"), action: isReader ? t("leave_deck") : t("remove") })) return;
      if (!await succeeds(() => removeMember(deck, id))) return;
      if (isReader) return location.assign("/decks/");
      notify(t("member_removed", { name: plain(name) }));
      await load();
    };
    return element("li", { class: "key" }, element("div", { class: "key-what" }, element("p", { class: "key-name" }, written(name), isReader && element("span", { class: "tag" }, t("you")))),
      (mayChange || isReader) && element("div", { class: "key-actions" },
        button(isReader ? t("leave_deck") : t("remove"), { kind: "outline-danger btn-sm", "aria-label": isReader ? t("leave_deck") : t("remove_what", { name: plain(name) }), on: { click: remove } })));
  };
  // Both begin with a name that the owner types.
  const named = (title, text, action, call) => dialog(title, (close) => [element("p", { class: "about" }, text), form({
    fields: [{ name: "user", label: t("name_or_email"), autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 254 }],
    action,
    submit: async ({ user }) => {
      await call(deck, user.trim());
      close(user.trim());
    },
  })]);
  const ask = async () => {
    const asked = await named(t("ask_member"), t("ask_member_about"), t("ask"), inviteMember);
    if (asked) notify(t("member_asked", { name: plain(asked) }));
  };
  const takeBack = async () => {
    const name = await named(t("take_back"), t("take_back_about"), t("take_back_action"), takeInvitationBack);
    if (!name) return;
    notify(t("taken_back", { name: plain(name) }));
    await load();
  };
  return { box: panel("members", t("members"), [element("p", { class: "about" }, t("members_about")), box],
    mayChange && element("div", { class: "shown-actions" }, button(t("take_back"), { on: { click: takeBack } }), button(t("ask_member"), { kind: "primary", name: "plus", on: { click: ask } }))), loaded: load() };
}
