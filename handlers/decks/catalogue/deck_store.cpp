#include "handlers/decks/catalogue/deck_store.h"

#include "handlers/base/blobs.h"
#include "handlers/decks/dialect/job_wire.h"
#include "sql/queries/decks.h"

namespace syncline::decks {
namespace {

Deck ReadDeck(const sql::Row& row, UserId user) {
  Deck deck;
  deck.id = row["deck_id"].As<DeckId>();
  deck.owner = row["user_id"].As<UserId>();
  deck.shown.id = row["public_id"].As<std::string>();
  deck.shown.title = row["title"].As<std::string>();
  deck.shown.description = row["description"].As<std::string>();
  deck.shown.bar_subject = row["bar_subject"].As<std::optional<std::string>>();
  deck.shown.image_url = row["image_url"].As<std::optional<std::string>>();
  deck.shown.tags = row["tags"].As<std::vector<std::string>>();
  deck.shown.is_public = row["is_public"].As<bool>();
  deck.shown.is_verified = row["is_verified"].As<bool>();
  deck.shown.is_featured = row["is_featured"].As<bool>();
  deck.shown.version = row["version"].As<Version>();
  deck.shown.card_count = row["card_count"].As<std::int64_t>();
  deck.shown.subscriber_count = row["subscriber_count"].As<std::int64_t>();
  deck.shown.creator_id = PersonId(deck.owner);
  deck.shown.created_at = row["created_at"].As<sql::Time>();
  deck.shown.updated_at = row["updated_at"].As<sql::Time>();
  deck.head_seq = row["head_seq"].As<std::int64_t>();
  deck.next_ord = row["next_ord"].As<std::int64_t>();
  deck.content_hash = row["content_hash"].As<std::string>();
  deck.is_deleted = row["is_deleted"].As<bool>();
  deck.is_deleted_lately = row["is_deleted_lately"].As<std::optional<bool>>().value_or(false);
  deck.deleted_cards = row["deleted_cards"].As<std::optional<std::int64_t>>().value_or(0);
  deck.deleted_subscribers = row["deleted_subscribers"].As<std::optional<std::int64_t>>().value_or(0);
  deck.is_owner = deck.owner == user;
  deck.is_maintainer = row["is_maintainer"].As<bool>();
  deck.is_subscribed = !row["subscribed_at"].IsNull();
  deck.is_idle = deck.is_subscribed && row["is_idle"].As<bool>();
  deck.shown.is_subscribed = deck.is_subscribed || deck.is_owner || deck.is_maintainer;
  deck.baseline_seq = row["baseline_seq"].As<std::optional<std::int64_t>>();
  deck.synced_version = row["synced_version"].As<std::optional<Version>>();
  if (!row["protected_fields"].IsNull())
    deck.protected_fields = row["protected_fields"].As<std::vector<std::string>>();
  return deck;
}

std::vector<Deck> ReadDecks(const sql::Rows& rows, UserId user) {
  std::vector<Deck> decks;
  for (const sql::Row row : rows) decks.push_back(ReadDeck(row, user));
  return decks;
}

std::optional<std::string> PublicIdIn(const std::optional<sql::Row>& row) {
  return row ? std::optional((*row)["public_id"].As<std::string>()) : std::nullopt;
}

std::optional<std::string> Pattern(const std::optional<std::string>& search) {
  if (!search || search->empty()) return std::nullopt;
  std::string pattern = "%";
  for (const char c : *search) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

}  // namespace

std::optional<Deck> DeckStore::Find(const std::string& public_id) {
  const auto row = tx_.MaybeOne(sql::decks::find_deck, public_id, user_);
  return row ? std::optional(ReadDeck(*row, user_)) : std::nullopt;
}

std::optional<Deck> DeckStore::Lock(const std::string& public_id) {
  return tx_.MaybeOne(sql::decks::lock_deck, public_id) ? Find(public_id) : std::nullopt;
}

std::optional<std::string> DeckStore::PublicId(DeckId deck) {
  return PublicIdIn(tx_.MaybeOne(sql::decks::public_id_of, deck));
}

std::optional<Deck> DeckStore::Find(DeckId deck) {
  const auto id = PublicId(deck);
  return id ? Find(*id) : std::nullopt;
}

Access DeckStore::AccessOf(DeckId deck, UserId user) {
  const auto row = tx_.MaybeOne(sql::decks::access_of, deck, user);
  if (!row) return {};
  return {(*row)["may_read"].As<bool>(), (*row)["may_edit"].As<bool>()};
}

Deck DeckStore::Add(const NewDeck& deck, const std::optional<std::string>& import_key) {
  std::optional<sql::Bytes> key;
  if (import_key) key = sql::AsBytes(*import_key);
  const auto row = tx_.One(sql::decks::insert_deck, user_, deck.title, deck.description, deck.bar_subject,
                           deck.is_public, deck.tags, key);
  return Find(row["public_id"].As<std::string>()).value();
}

std::optional<std::string> DeckStore::FindSame(const NewDeck& deck) {
  return PublicIdIn(
      tx_.MaybeOne(sql::decks::find_same_deck, user_, deck.title, deck.description, deck.is_public));
}

std::optional<std::string> DeckStore::FindImported(const std::string& import_key) {
  return PublicIdIn(tx_.MaybeOne(sql::decks::find_imported_deck, user_, sql::AsBytes(import_key)));
}

void DeckStore::Change(DeckId deck, const NewDeck& values, bool clears_image) {
  tx_.Execute(sql::decks::change_deck, deck, values.title, values.description, values.bar_subject,
              values.is_public, values.tags, clears_image);
}

void DeckStore::Touch(DeckId deck) {
  tx_.Execute(sql::decks::touch_deck, deck);
  Spread(deck);
}

void DeckStore::Advance(DeckId deck, const DeckCounters& counters) {
  tx_.Execute(sql::decks::advance_deck, deck, counters.version, counters.head_seq, counters.next_ord,
              counters.card_count, sql::AsBytes(counters.content_hash), counters.growth);
}

void DeckStore::RequireRoom(UserId owner) {
  syncline::RequireRoom(tx_, owner, 0);
}

void DeckStore::Collect(DeckId deck, UserId owner) {
  // A deck arrives in batches, one after the other.
  constexpr std::chrono::seconds kLater{30};
  NewJob job = JobOfDeck("decks.collect", deck);
  job.user = owner;
  job.delay = kLater;
  EnqueueJob(tx_, job);
}

void DeckStore::Spread(DeckId deck) {
  if (!tx_.One(sql::decks::has_deliveries, deck)["has"].As<bool>()) return;
  // As above.
  constexpr std::chrono::seconds kLater{3};
  NewJob job = JobOfDeck("decks.spread", deck);
  job.delay = kLater;
  EnqueueJob(tx_, job);
}

DeletedCounts DeckStore::Delete(DeckId deck) {
  tx_.Execute(sql::decks::take_invitation_notices, deck);
  const auto row = tx_.One(sql::decks::delete_deck, deck);
  return {row["deleted_cards"].As<std::int64_t>(), row["deleted_subscribers"].As<std::int64_t>()};
}

std::vector<std::string> DeckStore::Collected(DeckId deck, UserId owner) {
  return tx_.Query(sql::decks::list_collected, deck, owner).Column<std::string>("guid");
}

void DeckStore::NoteCollected(DeckId deck, std::int64_t seq) {
  tx_.Execute(sql::decks::note_collected, deck, seq);
}

std::int64_t DeckStore::RemoveRows(DeckId deck, int batch) {
  return tx_.One(sql::decks::delete_deck_rows, deck, batch)["deleted"].As<std::int64_t>();
}

std::int64_t DeckStore::DropTombstones(int limit) {
  return tx_.Execute(sql::decks::drop_tombstones, limit);
}

std::vector<Deck> DeckStore::ListOwn() {
  return ReadDecks(tx_.Query(sql::decks::list_own_decks, user_), user_);
}

std::vector<Deck> DeckStore::ListFollowed() {
  return ReadDecks(tx_.Query(sql::decks::list_decks_of_reader, user_), user_);
}

DeckPage DeckStore::Browse(std::string_view category, const std::optional<std::string>& search,
                           std::int64_t limit, std::int64_t offset) {
  const auto pattern = Pattern(search);
  const sql::Rows rows = tx_.Query(sql::decks::browse_decks, user_, category, pattern, limit, offset);
  DeckPage page{ReadDecks(rows, user_), 0};
  if (!rows.empty()) {
    page.total = rows[0]["total"].As<std::int64_t>();
  } else if (offset > 0) {
    page.total = tx_.One(sql::decks::count_browsed, user_, category, pattern)["total"].As<std::int64_t>();
  }
  return page;
}

bool DeckStore::Mark(const std::string& public_id, std::optional<bool> is_verified,
                     std::optional<bool> is_featured) {
  return tx_.Execute(sql::decks::mark_deck, public_id, is_verified, is_featured) == 1;
}

std::vector<UserId> DeckStore::Editors(DeckId deck) {
  return tx_.Query(sql::decks::list_editors, deck).Column<UserId>("user_id");
}

std::vector<UserId> DeckStore::Maintainers(DeckId deck) {
  return tx_.Query(sql::decks::list_maintainers, deck).Column<UserId>("user_id");
}

bool DeckStore::Invite(DeckId deck, UserId user) {
  return tx_.MaybeOne(sql::decks::invite, deck, user).has_value();
}

std::vector<Invitation> DeckStore::Invitations(std::int64_t limit) {
  std::vector<Invitation> invitations;
  for (const sql::Row row : tx_.Query(sql::decks::list_invitations, user_, limit)) {
    invitations.push_back({row["public_id"].As<std::string>(), row["title"].As<std::string>(),
                           row["user_id"].As<UserId>(), row["invited_at"].As<sql::Time>()});
  }
  return invitations;
}

bool DeckStore::AcceptInvitation(DeckId deck) {
  if (!tx_.MaybeOne(sql::decks::take_invitation, deck, user_)) return false;
  tx_.Execute(sql::decks::add_maintainer, deck, user_);
  return true;
}

bool DeckStore::DeclineInvitation(DeckId deck) {
  return tx_.MaybeOne(sql::decks::decline_invitation, deck, user_).has_value();
}

void DeckStore::RemoveMaintainer(DeckId deck, UserId user) {
  tx_.Execute(sql::decks::remove_maintainer, deck, user);
  tx_.Execute(sql::decks::take_invitation, deck, user);
}

void DeckStore::EndPrivateSubscription(DeckId deck, UserId user) {
  if (tx_.Execute(sql::decks::end_private_subscription, deck, user) > 0)
    tx_.Execute(sql::decks::count_subscribers, deck);
}

}  // namespace syncline::decks
