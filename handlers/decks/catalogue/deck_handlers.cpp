#include "handlers/decks/catalogue/deck_handlers.h"

#include <algorithm>
#include <utility>

#include "handlers/base/timestamp.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/catalogue/deck_flow.h"
#include "handlers/decks/catalogue/person_wire.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/dialect/id_wire.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 64 << 10;
constexpr std::int64_t kBrowsedPage = 20, kMaxBrowsedPage = 100, kMaxPage = 1'000'000;
// Administrators mark decks one by one.
constexpr std::int64_t kMaxVerified = 1000;
// An account with more open invitations sees the others once it has answered some.
constexpr std::int64_t kMaxInvitations = 100;
constexpr std::size_t kMaxSearch = 200, kMaxLogin = 254;

Response ShowDeck(const Deck& deck) {
  JsonWriter json;
  Success(json).Object("deck");
  WriteDeck(json, deck.shown);
  json.End();
  return Answer(json);
}

NewDeck Edited(const Deck& deck, const DeckEdit& edit) {
  return {.title = edit.title.value_or(deck.shown.title),
          .description = edit.description.value_or(deck.shown.description),
          .bar_subject = edit.bar_subject.value_or(deck.shown.bar_subject),
          .is_public = edit.is_public.value_or(deck.shown.is_public),
          .tags = edit.tags.value_or(deck.shown.tags)};
}

Response Deleted(const Deck& deck, DeletedCounts counts) {
  JsonWriter json;
  Success(json)
      .Add("message", "The deck was deleted.")
      .Add("cards_deleted", counts.cards)
      .Add("subscribers_removed", counts.subscribers)
      .Object("deleted")
      .Add("deck_id", deck.shown.id)
      .Add("title", deck.shown.title)
      .Add("cards_deleted", counts.cards)
      .Add("subscribers_removed", counts.subscribers)
      .End();
  return Answer(json);
}

// How other accounts see the deck's owner.
std::string OwnerName(PersonStore& people, const Deck& deck) {
  return people.Names({deck.owner}).at(deck.owner);
}

// The same for many decks, with one statement.
void NameCreators(PersonStore& people, std::vector<Deck>& decks) {
  std::vector<UserId> owners;
  for (const Deck& deck : decks) owners.push_back(deck.owner);
  const auto names = people.Names(owners);
  for (Deck& deck : decks) deck.shown.creator_name = names.at(deck.owner);
}

void WriteDecks(JsonWriter& json, const std::vector<Deck>& decks) {
  json.Array("decks");
  for (const Deck& deck : decks) {
    json.Object();
    WriteDeck(json, deck.shown);
    json.End();
  }
  json.End();
}

struct EditInput {
  std::string deck_id{};
  DeckEdit edit{};
};

EditInput ReadEdit(const JsonObject& in) {
  return {ReadDeckId(in), ReadDeckEdit(in)};
}

struct DeleteInput {
  std::string deck_id{};
  bool is_confirmed = false;
};

DeleteInput ReadDelete(const JsonObject& in) {
  const auto confirm = in.Find("confirm");
  return {ReadDeckId(in), confirm && confirm->Raw() == "true"};
}

// An account and a list of decks for it.
struct PersonDecks {
  std::optional<Person> person{};
  std::vector<Deck> decks{};
};

struct Browsing {
  std::string category = "all";
  std::optional<std::string> search{};
  std::int64_t page = 1, limit = kBrowsedPage;
};

Browsing ReadBrowsing(const JsonObject& in) {
  constexpr std::string_view kCategories[] = {"all", "featured", "community", "subscribed"};
  constexpr std::string_view kActions[] = {"list"};
  Browsing browsing;
  in.Maybe("action").Choice(kActions);
  if (const auto index = in.Maybe("category").Choice(kCategories)) browsing.category = kCategories[*index];
  browsing.search = in.Maybe("search").Text(kMaxSearch);
  browsing.page = ReadClamped(in, "page", 1, kMaxPage, 1);
  browsing.limit = ReadClamped(in, "limit", 1, kMaxBrowsedPage, kBrowsedPage);
  return browsing;
}

enum class MemberAction { kList, kAdd, kRemove, kAccept, kDecline };
constexpr Word<MemberAction> kMemberActions[] = {{"list", MemberAction::kList},
                                                 {"add", MemberAction::kAdd},
                                                 {"remove", MemberAction::kRemove},
                                                 {"accept", MemberAction::kAccept},
                                                 {"decline", MemberAction::kDecline}};

struct MembersInput {
  std::string deck_id{}, login{};
  std::optional<UserId> person{};  ///< from the id that the list shows; only for kRemove
  MemberAction action = MemberAction::kList;
};

Error NoSuchPerson() {
  return Refusal(ErrorKind::kNotFound, "person_not_found", "There is no such maintainer.");
}

UserId ReadPersonId(std::string_view text) {
  const auto id = ParseId(IdKind::kPerson, text);
  if (!id) throw NoSuchPerson();
  return UserId{id->number};
}

MembersInput ReadMembers(const JsonObject& in) {
  MembersInput input{.deck_id = ReadDeckId(in), .login = in.Maybe("user").Text(kMaxLogin).value_or("")};
  input.action = ReadWord(in, "action", kMemberActions, MemberAction::kList);
  const bool removes = input.action == MemberAction::kRemove;
  if (const auto id = in.Maybe("user_id").Text(kMaxLogin); id && removes) input.person = ReadPersonId(*id);
  if ((input.action == MemberAction::kAdd || removes) && input.login.empty() && !input.person)
    throw Refused("user_missing", "user is missing.");
  return input;
}

NewNotice InvitationTo(const Deck& deck, const std::string& owner) {
  return {.type = "maintainer_invited",
          .title = "Invitation to " + deck.shown.title,
          .message = owner + " asks you to become a maintainer of the deck " + deck.shown.title +
                     ". Accept or decline it with addon-manage-members.",
          .deck_public_id = deck.shown.id,
          .metadata = JsonWriter().Object().Add("deck_title", deck.shown.title).Finish()};
}

// `message`: empty for none.
Response ShowMaintainers(DeckStore& decks, PersonStore& people, const Deck& deck,
                         std::string_view message = "") {
  const auto maintainers = decks.Maintainers(deck.id);
  const auto names = people.Names(maintainers);
  JsonWriter json;
  Success(json).Array("maintainers");
  for (const UserId one : maintainers)
    json.Object().Add("id", PersonId(one)).Add("name", names.at(one)).End();
  json.End();
  if (!message.empty()) json.Add("message", message);
  return Answer(json);
}

// Takes no lock: a large push may hold the deck for almost two minutes, and neither must wait for the other.
Response ListMaintainers(Context& context, const MembersInput& in) {
  return context.Read<DeckStore, PersonStore>([&](DeckStore& decks, PersonStore& people) {
    return ShowMaintainers(decks, people, OpenDeck(decks, context, in.deck_id, Need::kEdit));
  });
}

// The answer is the same whether the account exists or not, so the call does not reveal who has an account.
Response InviteMaintainer(Context& context, const MembersInput& in) {
  return context.Write<DeckStore, PersonStore>([&](DeckStore& decks, PersonStore& people) {
    const Deck deck = LockDeck(decks, context, in.deck_id, Need::kOwn);
    const auto person = people.FindByLogin(in.login);
    if (person && *person != deck.owner && decks.Invite(deck.id, *person))
      people.Tell({*person}, InvitationTo(deck, OwnerName(people, deck)));
    return ShowMaintainers(
        decks, people, deck,
        "If this account exists, it was invited. It becomes a maintainer when it accepts.");
  });
}

// Removes a maintainer or takes an invitation back. Maintainers may remove themselves. An account that the owner removes loses its
// subscription, too, if the deck is private: otherwise it could go on reading.
//
// The owner cannot be removed: their rights do not come from the list of maintainers, and the deck counts against their plan
// and their quota.
Response RemoveMaintainer(Context& context, const MembersInput& in) {
  return context.Write<DeckStore, PersonStore>([&](DeckStore& decks, PersonStore& people) {
    const auto person = in.person ? in.person : people.FindByLogin(in.login);
    const bool leaves = person == context.user();
    const Deck deck = LockDeck(decks, context, in.deck_id, leaves ? Need::kEdit : Need::kOwn);
    if (in.person == deck.owner) throw NoSuchPerson();
    if (person) {
      decks.RemoveMaintainer(deck.id, *person);
      if (!leaves) decks.EndPrivateSubscription(deck.id, *person);
      // The notice goes with its invitation. Otherwise an owner could send one account any number of notices.
      people.TakeInvitationNotice(*person, deck.shown.id);
    }
    return ShowMaintainers(decks, people, deck);
  });
}

NewNotice MaintainerJoined(const Deck& deck) {
  return {.type = "maintainer_joined",
          .title = "A maintainer for " + deck.shown.title,
          .message = "Your invitation to the deck " + deck.shown.title + " was accepted.",
          .deck_public_id = deck.shown.id};
}

// The invited account may not see a private deck yet, so the invitation is its only permission, and without one the deck
// does not exist for it.
Response AnswerInvitation(Context& context, const std::string& id, bool accepts) {
  return context.Write<DeckStore, PersonStore>([&](DeckStore& decks, PersonStore& people) {
    const auto deck = decks.Lock(id);
    if (!deck || deck->is_deleted) throw NotFound("deck_not_found");
    const bool is_done =
        accepts ? decks.AcceptInvitation(deck->id) || deck->is_maintainer : decks.DeclineInvitation(deck->id);
    if (!is_done) throw NotFound("deck_not_found");
    if (accepts && !deck->is_maintainer) people.Tell({deck->owner}, MaintainerJoined(*deck));
    return Done();
  });
}

}  // namespace

// POST addon-create-deck -- creates a deck: {"title", "description"?, "bar_subject"?, "is_public"?, "tags"?}.
//
// The same title, description and visibility within a minute give the first deck again, because clients repeat a call that
// got no answer.
//
// Answers 200 with the deck; 400 bad values; 403 "subscription_required" or "deck_limit_reached" if the account's plan does
// not allow another deck.
Response PostCreateDeck(Request& request, Context& context) {
  const NewDeck values = ReadBody(request, context, kBody, ReadNewDeck);
  return ShowDeck(context.Write<DeckStore, PersonStore>([&](DeckStore& decks, PersonStore& people) {
    Deck deck = CreateDeck(decks, people, values);
    deck.shown.creator_name = OwnerName(people, deck);
    return deck;
  }));
}

// POST addon-update-deck -- changes the deck's description, title, tags or visibility. Makes no version.
//
// Members that are missing keep their values; null clears the description, the subject and the image. Maintainers may change
// everything but the visibility, because hiding a deck is up to its owner.
//
// Answers 200 with the deck; 400 bad values; 403 "no_access", "not_your_deck"; 404 "deck_not_found".
Response PostUpdateDeck(Request& request, Context& context) {
  const EditInput in = ReadBody(request, context, kBody, ReadEdit);
  return ShowDeck(context.Write<DeckStore, PersonStore>([&](DeckStore& decks, PersonStore& people) {
    Deck deck = LockDeck(decks, context, in.deck_id, in.edit.is_public ? Need::kOwn : Need::kEdit);
    if (!in.edit.IsEmpty()) {
      decks.Change(deck.id, Edited(deck, in.edit), in.edit.clears_image);
      deck = decks.Find(in.deck_id).value();
    }
    deck.shown.creator_name = OwnerName(people, deck);
    return deck;
  }));
}

// POST addon-delete-user-deck -- deletes a deck of the account. {"deck_id", "confirm": true}
//
// Only a literal true confirms, not "true" or 1. Repeated by the owner within a day, the call gives the same answer, because
// the add-on repeats calls and would show an error for a deck that was deleted as asked.
//
// Answers 200 with what was deleted; 400 "confirmation_required"; 403 "no_access", "not_your_deck"; 404 "deck_not_found".
Response PostDeleteDeck(Request& request, Context& context) {
  const DeleteInput in = ReadBody(request, context, kBody, ReadDelete);
  return context.Write<DeckStore, Transaction>([&](DeckStore& decks, Transaction& transaction) {
    const auto found = decks.Lock(in.deck_id);
    if (found && found->is_deleted_lately && found->is_owner && in.is_confirmed)
      return Deleted(*found, {found->deleted_cards, found->deleted_subscribers});
    const Deck deck = OpenDeck(decks, context, in.deck_id, Need::kOwn);
    if (!in.is_confirmed) throw BadInput("confirmation_required");
    return Deleted(deck, DeleteDeck(decks, transaction.tx, deck));
  });
}

// POST addon-get-my-decks -- lists the decks that the account owns, the last changed first, and how many it may own.
//
// Answers 200; 401 "user_not_found" if the account was deleted.
Response PostMyDecks(Request&, Context& context) {
  const auto own = context.Read<PersonStore, DeckStore>([](PersonStore& people, DeckStore& decks) {
    PersonDecks found{people.Find(), decks.ListOwn()};
    NameCreators(people, found.decks);
    return found;
  });
  if (!own.person) throw Unauthenticated("user_not_found");
  const auto count = static_cast<std::int64_t>(own.decks.size());
  JsonWriter json;
  WriteDecks(Success(json), own.decks);
  json.Add("total", count)
      .Add("created_decks_count", count)
      .Add("can_create_more", count < own.person->max_decks)
      .Add("max_decks", own.person->max_decks)
      .Add("max_decks_allowed", own.person->max_decks);
  return Answer(json);
}

// GET, POST addon-get-purchases -- lists, by title, the decks that the account follows, and for holders of a plan all
// verified decks too. Only builds of December 2025 call it; they expect the list under both names.
//
// Answers 200; 401 "user_not_found" if the account was deleted.
Response PostPurchases(Request&, Context& context) {
  const auto all = context.Read<PersonStore, DeckStore>([](PersonStore& people, DeckStore& decks) {
    PersonDecks found{people.Find(), decks.ListFollowed()};
    const auto& who = found.person;
    if (who && (who->has_plan || who->owns_collection || who->is_admin)) {
      for (Deck& deck : decks.Browse("verified", std::nullopt, kMaxVerified, 0).decks) {
        if (!deck.shown.is_subscribed) found.decks.push_back(std::move(deck));
      }
    }
    NameCreators(people, found.decks);
    std::sort(found.decks.begin(), found.decks.end(),
              [](const Deck& a, const Deck& b) { return a.shown.title < b.shown.title; });
    return found;
  });
  if (!all.person) throw Unauthenticated("user_not_found");
  JsonWriter json;
  Success(json).Add("total_count", all.decks.size());
  for (const char* const name : {"decks", "purchases"}) {
    json.Array(name);
    for (const Deck& deck : all.decks) {
      json.Object();
      WriteDeck(json, deck.shown);
      json.Add("access_type", AccessType(deck, *all.person)).End();
    }
    json.End();
  }
  return Answer(json);
}

// POST addon-get-deck -- one deck by its id, as lists show it, and whether the account may change it.
//
// Answers 200; 403 "no_access"; 404 "deck_not_found".
Response PostDeck(Request& request, Context& context) {
  const std::string id = ReadBody(request, context, kBody, ReadDeckId);
  return context.Read<DeckStore, PersonStore>([&](DeckStore& decks, PersonStore& people) {
    Deck deck = OpenDeck(decks, context, id, Need::kRead);
    deck.shown.creator_name = OwnerName(people, deck);
    JsonWriter json;
    Success(json).Object("deck");
    WriteDeck(json, deck.shown);
    json.Add("may_edit", MayEdit(deck, context)).End();
    return Answer(json);
  });
}

// POST addon-browse-decks -- a page of the decks of a category, which a search may narrow.
//
// The category "subscribed" is always sent whole, without pages or search, because the add-on forgets decks that are not in
// it.
//
// Answers 200; 400 for an unknown category.
Response PostBrowse(Request& request, Context& context) {
  const Browsing in = ReadBody(request, context, kBody, ReadBrowsing);
  const bool is_whole = in.category == "subscribed";
  DeckPage page = context.Read<DeckStore, PersonStore>([&](DeckStore& decks, PersonStore& people) {
    DeckPage found;
    if (is_whole) {
      found.decks = decks.ListFollowed();
      found.total = static_cast<std::int64_t>(found.decks.size());
    } else {
      found = decks.Browse(in.category, in.search, in.limit, (in.page - 1) * in.limit);
    }
    NameCreators(people, found.decks);
    return found;
  });
  const std::int64_t pages = is_whole ? 1 : (page.total + in.limit - 1) / in.limit;
  JsonWriter json;
  WriteDecks(Success(json), page.decks);
  json.Add("total", page.total).Add("page", is_whole ? 1 : in.page).Add("total_pages", pages);
  return Answer(json);
}

// POST addon-manage-members -- lists, invites and removes the maintainers of a deck, and answers an invitation.
// {"deck_id", "action": list, add, remove, accept or decline, "user", "user_id"}
//
// `user` is a name or an address. To remove a maintainer, the `user_id` of the list works as well, because the name shown
// there need not be the name that the account logs in with.
//
// Answers 200 with the maintainers, or without them to accept and decline; 400 "user_missing"; 403 "no_access",
// "not_your_deck"; 404 "deck_not_found" (also if there is no invitation to answer), "person_not_found" for a malformed
// `user_id` or the owner's.
Response PostMembers(Request& request, Context& context) {
  const MembersInput in = ReadBody(request, context, kBody, ReadMembers);
  switch (in.action) {
    case MemberAction::kAdd:
      return InviteMaintainer(context, in);
    case MemberAction::kRemove:
      return RemoveMaintainer(context, in);
    case MemberAction::kAccept:
      return AnswerInvitation(context, in.deck_id, /*accepts=*/true);
    case MemberAction::kDecline:
      return AnswerInvitation(context, in.deck_id, /*accepts=*/false);
    case MemberAction::kList:
      break;
  }
  return ListMaintainers(context, in);
}

// POST addon-my-invitations -- lists the account's open invitations to become a maintainer, the newest first.
// addon-manage-members answers them.
Response PostMyInvitations(Request&, Context& context) {
  return context.Read<DeckStore, PersonStore>([](DeckStore& decks, PersonStore& people) {
    const auto invitations = decks.Invitations(kMaxInvitations);
    std::vector<UserId> owners;
    for (const Invitation& one : invitations) owners.push_back(one.owner);
    const auto names = people.Names(owners);
    JsonWriter json;
    Success(json).Array("invitations");
    for (const Invitation& one : invitations) {
      json.Object()
          .Add("deck_id", one.deck_public_id)
          .Add("deck_title", one.deck_title)
          .Add("invited_by", names.at(one.owner))
          .Add("invited_at", PrintTimestamp(one.invited_at))
          .End();
    }
    json.End();
    return Answer(json);
  });
}

}  // namespace syncline::decks
