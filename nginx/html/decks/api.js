// The calls of the decks service that the pages use, and how their answers are spelled. They are those of the add-on: all are
// POST, and a refusal that would log the add-on out comes as a 200 without success.

import { Failure, post } from "/frame.js";

async function ask(name, body) {
  const answer = await post(`/functions/v1/addon-${name}`, body);
  if (answer.success === false) throw new Failure({ status: 200, code: String(answer.code ?? "").toLowerCase(), message: answer.message });
  return answer;
}

// {id, is_admin, ...}: the reader.
export const me = async () => (await ask("me")).user;

// {decks, total, page, total_pages}. `category`: all, featured or community.
export const browse = ({ search, category, page }) => ask("browse-decks", { ...(search && { search }), category, page });
// Of each deck that the reader follows: the version that the reader has, the newest one, and its notes.
export const followed = async () => (await ask("check-updates")).decks;
export const follow = (id) => ask("manage-subscription", { action: "subscribe", deck_id: id });
export const unfollow = (id) => ask("manage-subscription", { action: "unsubscribe", deck_id: id });
// {title, current_version, user_synced_version, versions}, the newest first.
export const changelog = (id, from) => ask("get-changelog", { deck_id: id, ...(from && { from_version: from }) });

// {delivered, delivery: null or {state, is_complete, notes, problem, delete_removed, delivered_at}}
export const delivery = (id) => ask("manage-delivery", { action: "get", deck_id: id });
// Starts it, or changes what becomes of the notes of removed cards.
export const deliver = (id, choice) => ask("manage-delivery", { action: "start", deck_id: id, ...choice });
export const stopDelivery = (id, keepsNotes) => ask("manage-delivery", { action: "stop", deck_id: id, keep_notes: keepsNotes });
// Suggests all that the reader has changed in the notes. Returns how many suggestions that made.
export async function sendEdits(id) {
  let count = 0;
  for (let after; ;) {
    const { suggestions, next } = await ask("manage-delivery", { action: "send_edits", deck_id: id, ...(after && { after }) });
    count += suggestions;
    if (!next) return count;
    after = next;
  }
}

// {decks, can_create_more, max_decks}
export const ownDecks = () => ask("get-my-decks");
export const createDeck = async (deck) => (await ask("create-deck", deck)).deck;
export const changeDeck = async (id, changes) => (await ask("update-deck", { deck_id: id, ...changes })).deck;
export const deleteDeck = (id) => ask("delete-user-deck", { deck_id: id, confirm: true });
export const rollBackDeck = (id, version) => ask("rollback-deck", { deck_id: id, target_version: version });

// As lists show it, and `may_edit`.
export const deckOf = async (id) => (await ask("get-deck", { deck_id: id })).deck;

// [{id, name}]; the owner is not among them.
export const members = async (id) => (await ask("manage-members", { deck_id: id, action: "list" })).maintainers;
// Asks them. Whether there is such an account is not told.
export const inviteMember = (id, user) => ask("manage-members", { deck_id: id, action: "add", user });
export const takeInvitationBack = (id, user) => ask("manage-members", { deck_id: id, action: "remove", user });
export const removeMember = (id, user) => ask("manage-members", { deck_id: id, action: "remove", user_id: user });
// [{deck_id, deck_title, invited_by, invited_at}]: of the reader. `answer`: accept or decline.
export const invitations = async () => (await ask("my-invitations")).invitations;
export const answerInvitation = (id, answer) => ask("manage-members", { deck_id: id, action: answer });

const LISTED = 20;
// {suggestions, total, page, total_pages}. Only editors may ask.
export const suggestions = (id, state, page) => ask("list-suggestions", { deck_id: id, status: state, page, limit: LISTED });
// How many are open.
export const openSuggestions = async (id) => (await ask("list-suggestions", { deck_id: id, limit: 1 })).total;
export const ownSuggestions = (page) => ask("my-suggestions", { page, limit: LISTED });
// {results: [{suggestion_id, status}], decided, version}. `decision`: {action: "accept" | "reject", note, value, force}.
export const review = (ids, decision) => ask("review-suggestion", { suggestion_ids: ids, ...decision });
export const withdraw = (id) => ask("withdraw-suggestion", { suggestion_id: id });

// {history, has_more}, the newest first.
export const cardHistory = (deck, guid) => ask("get-card-history", { deck_id: deck, card_guid: guid, limit: 200 });
export const rollBackCard = (deck, guid, version) => ask("rollback-card", { deck_id: deck, card_guid: guid, target_version: version });
