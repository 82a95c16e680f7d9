#include "handlers/decks/reading/follow_handlers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "handlers/base/sha256.h"
#include "handlers/base/timestamp.h"
#include "handlers/decks/cards/card_store.h"
#include "handlers/decks/cards/delivery_store.h"
#include "handlers/decks/cards/reader_flow.h"
#include "handlers/decks/cards/reader_store.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/catalogue/person_wire.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/cursor_rules.h"
#include "handlers/decks/dialect/error_wire.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 64 << 10;
constexpr std::int64_t kMaxReleases = 200;
constexpr std::int64_t kNotices = 20, kMaxNotices = 100;
constexpr std::size_t kMaxVersion = 100, kMaxTime = 100;

std::optional<std::string> TimeText(const std::optional<sql::Time>& time) {
  return time ? std::optional(PrintTimestamp(*time)) : std::nullopt;
}

std::optional<Version> ReadVersion(const JsonObject& in, std::string_view name) {
  const auto text = in.Maybe(name).Text(kMaxVersion);
  if (!text || text->empty()) return std::nullopt;
  const auto version = ParseVersion(*text);
  if (!version) throw BadInput("bad_version");
  return version;
}

// --- manage-subscription

enum class SubscriptionAction { kGet, kSubscribe, kUnsubscribe, kUpdate };
constexpr Word<SubscriptionAction> kSubscriptionActions[] = {
    {"get", SubscriptionAction::kGet},
    {"subscribe", SubscriptionAction::kSubscribe},
    {"unsubscribe", SubscriptionAction::kUnsubscribe},
    {"update", SubscriptionAction::kUpdate}};

struct SubscriptionInput {
  std::string deck_id{};
  SubscriptionAction action{};
  std::optional<bool> is_enabled{}, notifies{};
  bool keeps_notes = true;  ///< those that a delivery has brought
};

SubscriptionInput ReadSubscription(const JsonObject& in) {
  return {ReadDeckId(in), ReadWord(in, "action", kSubscriptionActions, SubscriptionAction::kGet),
          in.Maybe("sync_enabled").Bool(), in.Maybe("notify_updates").Bool(),
          in.Maybe("keep_notes").Bool().value_or(true)};
}

// Unsubscribes. This also works for a deck that the account may not read any more, because a 403 would log the add-on out.
// Repeating it gives the same answer.
Response Leave(DeckStore& decks, ReaderStore& readers, PersonStore& people, DeliveryStore& deliveries,
               const Context& context, const SubscriptionInput& in) {
  const std::string& id = in.deck_id;
  const auto deck = decks.Lock(id);
  if (!deck || deck->is_deleted) throw NotFound("deck_not_found");
  deliveries.End(deck->id, in.keeps_notes ? NotesAfterwards::kStay : NotesAfterwards::kGo);
  readers.Unsubscribe(deck->id);
  readers.CountSubscribers(deck->id);
  const auto after = decks.Find(id).value();
  const bool may_read = after.MayRead() || IsAdmin(context);
  const auto person = people.Find();
  JsonWriter json;
  Success(json)
      .Add("subscribed", false)
      .Add("message", "You do not follow this deck.")
      .Add("subscription", nullptr);
  json.Object("deck").Add("id", id);
  if (may_read) json.Add("title", after.shown.title).Add("subscriber_count", after.shown.subscriber_count);
  json.End();
  if (person) WriteAccess(json, *person);
  return Answer(json);
}

void ChangeSubscription(DeckStore& decks, ReaderStore& readers, const Context& context,
                        const SubscriptionInput& in) {
  const Deck deck = LockDeck(decks, context, in.deck_id, Need::kRead);
  if (!deck.is_owner && (in.action == SubscriptionAction::kSubscribe || deck.is_subscribed))
    readers.Subscribe(deck.id, in.is_enabled, in.notifies);
  readers.CountSubscribers(deck.id);
}

void WriteSubscription(JsonWriter& json, const Deck& deck, const std::optional<Subscription>& found,
                       UserId user) {
  if (!found || !found->subscribed_at) {
    json.Add("subscription", nullptr);
    return;
  }
  json.Object("subscription")
      .Add("id", PrintId(IdKind::kSubscription, {deck.id, static_cast<std::int64_t>(user)}))
      .Add("deck_id", deck.shown.id)
      .Add("user_id", PersonId(user))
      .Add("sync_enabled", found->is_enabled)
      .Add("notify_updates", found->notifies)
      .Add("subscribed_at", TimeText(found->subscribed_at))
      .Add("last_synced_at", TimeText(found->last_synced_at))
      .Add("synced_version", PrintVersion(found->synced_version))
      .Add("current_version", PrintVersion(deck.shown.version))
      .Add("latest_version", PrintVersion(deck.shown.version))
      .Add("has_update", deck.HasUpdate())
      .End();
}

// --- check-updates

void WriteUpdate(JsonWriter& json, const Deck& deck, const Followed* followed) {
  const std::string newest = PrintVersion(deck.shown.version);
  json.Object()
      .Add("deck_id", deck.shown.id)
      .Add("title", deck.shown.title)
      .Add("has_update", deck.HasUpdate())
      .Add("synced_version", PrintVersion(deck.synced_version))
      .Add("current_version", newest)
      .Add("latest_version", newest)
      .Add("update_type", deck.HasUpdate()
                              ? KindOfUpdate(deck.synced_version.value_or(Version{}), deck.shown.version)
                              : "none")
      .Add("changelog_summary", followed == nullptr ? "" : followed->notes)
      .Add("last_synced_at", followed == nullptr ? std::nullopt : TimeText(followed->last_synced_at))
      .End();
}

struct FollowedDecks {
  std::vector<Deck> decks{};
  std::vector<Followed> followed{};
};

Response AllUpdates(Context& context) {
  const auto all = context.Read<DeckStore, ReaderStore>([](DeckStore& decks, ReaderStore& readers) {
    FollowedDecks found{.decks = decks.ListFollowed()};
    std::vector<std::int64_t> ids;
    for (const Deck& deck : found.decks) ids.push_back(static_cast<std::int64_t>(deck.id));
    found.followed = readers.ListFollowed(ids);
    return found;
  });
  std::map<DeckId, const Followed*> by_deck;
  for (const Followed& one : all.followed) by_deck.emplace(one.deck, &one);
  std::int64_t updates = 0;
  JsonWriter json;
  Success(json);
  json.Array("decks");
  for (const Deck& deck : all.decks) {
    const auto found = by_deck.find(deck.id);
    WriteUpdate(json, deck, found == by_deck.end() ? nullptr : found->second);
    updates += deck.HasUpdate() ? 1 : 0;
  }
  json.End()
      .Add("updates_available", updates)
      .Add("total_decks", all.decks.size())
      .Add("has_updates", updates > 0);
  return Answer(json);
}

Response UpdatesOf(Context& context, const std::string& id, const std::optional<Version>& known) {
  return context.Read<DeckStore, CardStore>([&](DeckStore& decks, CardStore& cards) {
    const Deck deck = OpenDeck(decks, context, id, Need::kRead);
    std::int64_t added = 0, modified = 0, deleted = 0;
    for (const Release& release : cards.Releases(deck.id, known, kMaxReleases)) {
      added += release.added;
      modified += release.modified;
      deleted += release.deleted;
    }
    const bool has_updates = !known || *known < deck.shown.version;
    JsonWriter json;
    Success(json)
        .Add("deck_id", deck.shown.id)
        .Add("has_updates", has_updates)
        .Add("has_update", has_updates)
        .Add("current_version", PrintVersion(known))
        .Add("latest_version", PrintVersion(deck.shown.version))
        .Add("changes_count", added + modified + deleted)
        .Object("change_summary")
        .Add("cards_added", added)
        .Add("cards_modified", modified)
        .Add("cards_deleted", deleted)
        .End();
    return Answer(json);
  });
}

void WriteReleases(JsonWriter& json, std::string_view name, const Deck& deck,
                   const std::vector<Release>& releases) {
  json.Array(name);
  for (const Release& release : releases) {
    const std::string version = PrintVersion(release.version);
    json.Object()
        .Add("version", version)
        .Add("notes", release.notes)
        .Add("version_notes", release.notes)
        .Add("cards_added", release.added)
        .Add("cards_modified", release.modified)
        .Add("cards_deleted", release.deleted)
        .Add("card_count", release.card_count)
        .Add("content_hash", HexText(release.content_hash))
        .Add("is_current", release.version == deck.shown.version)
        .Add("is_synced", deck.synced_version && release.version <= *deck.synced_version)
        .Add("released_at", PrintTimestamp(release.created_at))
        .Array("changes")
        .End()
        .End();
  }
  json.End();
}

struct UpdatesInput {
  std::optional<std::string> deck_id{};
  std::optional<Version> known{};
};

UpdatesInput ReadUpdates(const JsonObject& in) {
  const auto deck = in.Find("deck_id");
  if (!deck || deck->IsNull()) return {};
  return {ReadDeckId(in), ReadVersion(in, "current_version")};
}

// --- get-changelog

struct ChangelogInput {
  std::string deck_id{};
  std::optional<Version> from{};
};

ChangelogInput ReadChangelog(const JsonObject& in) {
  return {ReadDeckId(in), ReadVersion(in, "from_version")};
}

// --- check-notifications

struct NoticesInput {
  std::optional<sql::Time> since{};
  bool marks = false;
  std::int64_t limit = kNotices;
};

NoticesInput ReadNotices(const JsonObject& in) {
  NoticesInput input;
  if (const auto text = in.Maybe("last_check").Text(kMaxTime)) {
    // Without a zone, it comes from a clock that may be up to 14 hours ahead of UTC.
    if (const auto time = ParseTime(*text))
      input.since = time->has_zone ? time->time : time->time - kEasternmost;
  }
  input.marks = in.Maybe("mark_as_read").Bool().value_or(false);
  input.limit = ReadClamped(in, "limit", 1, kMaxNotices, kNotices);
  return input;
}

void WriteNotice(JsonWriter& json, const Notice& notice) {
  const bool is_release = notice.id == 0;
  const std::string version = PrintVersion(notice.version);
  json.Object()
      .Add("id", is_release ? PrintId(IdKind::kRelease, {notice.deck, Number(notice.version)})
                            : PrintId(IdKind::kNotice, {DeckId{}, notice.id}))
      .Add("type", notice.type)
      .Add("title", is_release ? "Update of " + notice.title : notice.title)
      .Add("message", is_release ? notice.title + " is at version " + version + "." : notice.message)
      .Add("deck_id", notice.deck_public_id)
      .Add("created_at", PrintTimestamp(notice.created_at))
      .Add("read", notice.is_read);
  if (is_release) {
    json.Object("metadata")
        .Add("deck_title", notice.title)
        .Add("new_version", version)
        .Add("version_notes", notice.notes)
        .End();
  } else {
    json.Add("metadata", RawJson{notice.metadata});
  }
  json.End();
}

}  // namespace

// POST addon-manage-subscription -- shows, starts, changes or ends the account's subscription to a deck. {"action": get,
// subscribe, unsubscribe or update, "deck_id", "sync_enabled"?, "notify_updates"?, "keep_notes"? (true)}
//
// `keep_notes` says what becomes of delivered notes when the subscription ends. The owner of a deck needs no subscription
// and gets none. Each action may be repeated.
//
// Answers 200; 403 "no_access", except to unsubscribe; 404 "deck_not_found".
Response PostSubscription(Request& request, Context& context) {
  const SubscriptionInput in = ReadBody(request, context, kBody, ReadSubscription);
  return context.Write<DeckStore, ReaderStore, PersonStore, DeliveryStore>(
      [&](DeckStore& decks, ReaderStore& readers, PersonStore& people, DeliveryStore& deliveries) {
        if (in.action == SubscriptionAction::kUnsubscribe)
          return Leave(decks, readers, people, deliveries, context, in);
        if (in.action != SubscriptionAction::kGet) ChangeSubscription(decks, readers, context, in);
        const Deck deck = OpenDeck(decks, context, in.deck_id, Need::kRead);
        const auto found = readers.Find(deck.id);
        const auto person = people.Find();
        JsonWriter json;
        Success(json)
            .Add("subscribed", found && found->subscribed_at)
            .Add("message",
                 found && found->subscribed_at ? "You follow this deck." : "You do not follow this deck.");
        WriteSubscription(json, deck, found, context.user());
        json.Object("deck")
            .Add("id", deck.shown.id)
            .Add("title", deck.shown.title)
            .Add("subscriber_count", deck.shown.subscriber_count)
            .End();
        if (person) WriteAccess(json, *person);
        return Answer(json);
      });
}

// POST addon-check-updates -- whether there are new versions: of all decks that the account follows, or of one deck after
// `current_version`.
//
// Answers 200; 400 "bad_version"; 403 "no_access"; 404 "deck_not_found".
Response PostCheckUpdates(Request& request, Context& context) {
  const UpdatesInput in = ReadBody(request, context, kBody, ReadUpdates);
  return in.deck_id ? UpdatesOf(context, *in.deck_id, in.known) : AllUpdates(context);
}

// POST addon-get-changelog -- lists the releases of a deck after `from_version`, the newest first.
//
// Answers 200; 400 "bad_version"; 403 "no_access"; 404 "deck_not_found".
Response PostChangelog(Request& request, Context& context) {
  const ChangelogInput in = ReadBody(request, context, kBody, ReadChangelog);
  return context.Read<DeckStore, CardStore>([&](DeckStore& decks, CardStore& cards) {
    const Deck deck = OpenDeck(decks, context, in.deck_id, Need::kRead);
    const auto releases = cards.Releases(deck.id, in.from, kMaxReleases);
    JsonWriter json;
    Success(json)
        .Add("deck_id", deck.shown.id)
        .Add("title", deck.shown.title)
        .Add("current_version", PrintVersion(deck.shown.version))
        .Add("user_synced_version", PrintVersion(deck.synced_version))
        .Add("is_up_to_date", !deck.HasUpdate());
    WriteReleases(json, "changelog", deck, releases);
    WriteReleases(json, "versions", deck, releases);
    return Answer(json);
  });
}

// POST addon-check-notifications -- lists the account's notices, the newest first. {"last_check"?, "mark_as_read"?,
// "limit"?}
//
// `mark_as_read` marks all notices up to the newest one of the answer. The client may send `server_time` as its next
// `last_check`: it lies before the time of any release that is still being written, so no notice is skipped.
//
// Answers 200.
Response PostNotifications(Request& request, Context& context) {
  const NoticesInput in = ReadBody(request, context, kBody, ReadNotices);
  const sql::Time time = QuietTime(context);
  return context.Write<PersonStore>([&](PersonStore& people) {
    const auto notices = people.Notices(in.since, in.limit);
    // A release that is not committed yet may have an earlier time, and must still count as unread when it appears.
    if (in.marks && !notices.empty())
      people.MarkRead(notices.front().created_at, std::min(notices.front().created_at, time));
    JsonWriter json;
    Success(json).Array("notifications");
    for (const Notice& notice : notices) WriteNotice(json, notice);
    json.End()
        .Add("unread_count", people.CountUnread())
        .Add("total_count", notices.size())
        .Add("server_time", PrintTimestamp(time));
    return Answer(json);
  });
}

}  // namespace syncline::decks
