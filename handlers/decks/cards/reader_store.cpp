#include "handlers/decks/cards/reader_store.h"

#include "sql/queries/decks.h"

namespace syncline::decks {
namespace {

std::int64_t Tristate(std::optional<bool> state) {
  return state ? (*state ? 1 : 0) : -1;
}

std::int64_t Micros(sql::Time time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

}  // namespace

void ReaderStore::Subscribe(DeckId deck, std::optional<bool> is_enabled, std::optional<bool> notifies) {
  tx_.Execute(sql::decks::subscribe, deck, user_, is_enabled, notifies);
}

void ReaderStore::Unsubscribe(DeckId deck) {
  tx_.Execute(sql::decks::unsubscribe, deck, user_);
}

void ReaderStore::CountSubscribers(DeckId deck) {
  tx_.Execute(sql::decks::count_subscribers, deck);
}

std::optional<Subscription> ReaderStore::Find(DeckId deck) {
  const auto row = tx_.MaybeOne(sql::decks::find_subscription, deck, user_);
  if (!row) return std::nullopt;
  return Subscription{.subscribed_at = (*row)["subscribed_at"].As<std::optional<sql::Time>>(),
                      .last_synced_at = (*row)["last_synced_at"].As<std::optional<sql::Time>>(),
                      .is_enabled = (*row)["is_enabled"].As<bool>(),
                      .notifies = (*row)["notifies"].As<bool>(),
                      .synced_version = (*row)["synced_version"].As<std::optional<Version>>(),
                      .protected_fields = (*row)["protected_fields"].As<std::vector<std::string>>()};
}

std::vector<Followed> ReaderStore::ListFollowed(const std::vector<std::int64_t>& decks) {
  std::vector<Followed> followed;
  for (const sql::Row row : tx_.Query(sql::decks::list_followed, decks, user_)) {
    followed.push_back({row["deck_id"].As<DeckId>(), row["last_synced_at"].As<std::optional<sql::Time>>(),
                        row["notes"].As<std::string>()});
  }
  return followed;
}

void ReaderStore::NoteDownload(DeckId deck, DeviceId device, std::int64_t seq,
                               std::optional<Version> version) {
  tx_.Execute(sql::decks::note_download, deck, user_, seq, version);
  if (device != DeviceId{}) tx_.Execute(sql::decks::note_sent, deck, user_, device, seq);
}

void ReaderStore::OfferPosition(DeckId deck, DeviceId device, std::int64_t seq) {
  if (device != DeviceId{}) tx_.Execute(sql::decks::offer_position, deck, user_, device, seq);
}

std::int64_t ReaderStore::OfferedPosition(DeckId deck, DeviceId device) {
  const auto row = tx_.MaybeOne(sql::decks::find_offer, deck, user_, device);
  return row ? (*row)["seq"].As<std::int64_t>() : 0;
}

void ReaderStore::NotePull(DeckId deck, std::optional<Version> version) {
  tx_.Execute(sql::decks::note_pull, deck, user_, version);
}

void ReaderStore::NotePosition(DeckId deck, DeviceId device, std::int64_t seq) {
  // Scripts have no computer of their own.
  if (device != DeviceId{}) tx_.Execute(sql::decks::note_position, deck, user_, device, seq);
}

ReaderStore::Place ReaderStore::PlaceOf(DeckId deck, DeviceId device) {
  const auto row = tx_.One(sql::decks::find_position, deck, user_, device);
  return {row["seq"].As<std::int64_t>(), row["pushed_seq"].As<std::int64_t>(),
          row["whole_seq"].As<std::int64_t>(), row["is_own"].As<bool>()};
}

void ReaderStore::NotePush(DeckId deck, DeviceId device, std::int64_t seq) {
  if (device != DeviceId{}) tx_.Execute(sql::decks::note_push, deck, user_, device, seq);
}

void ReaderStore::SetProtectedFields(DeckId deck, const std::vector<std::string>& names) {
  tx_.Execute(sql::decks::save_protected_fields, deck, user_, names);
}

std::vector<std::pair<std::string, std::vector<std::string>>> ReaderStore::AllProtectedFields() {
  std::vector<std::pair<std::string, std::vector<std::string>>> all;
  for (const sql::Row row : tx_.Query(sql::decks::list_protected_fields, user_))
    all.emplace_back(row["public_id"].As<std::string>(),
                     row["protected_fields"].As<std::vector<std::string>>());
  return all;
}

std::int64_t ReaderStore::PushSuspensions(DeckId deck, const std::vector<Suspension>& states) {
  std::vector<std::string> guids;
  std::vector<std::int64_t> ords, suspended, buried, times;
  for (const Suspension& state : states) {
    guids.push_back(state.guid);
    ords.push_back(state.card_ord);
    suspended.push_back(Tristate(state.is_suspended));
    buried.push_back(Tristate(state.is_buried));
    times.push_back(Micros(state.updated_at));
  }
  return tx_.Query(sql::decks::push_suspensions, deck, user_, guids, ords, suspended, buried, times).size();
}

std::vector<Suspension> ReaderStore::Suspensions(DeckId deck, std::optional<sql::Time> since) {
  std::vector<Suspension> states;
  for (const sql::Row row : tx_.Query(sql::decks::list_suspensions, deck, user_, since)) {
    states.push_back({row["guid"].As<std::string>(), row["card_ord"].As<std::int64_t>(),
                      row["is_suspended"].As<bool>(), row["is_buried"].As<bool>(),
                      row["updated_at"].As<sql::Time>()});
  }
  return states;
}

sql::Time ReaderStore::QuietTime() {
  return tx_.One(sql::decks::quiet_time)["at"].As<sql::Time>();
}

void ReaderStore::SaveProgress(DeckId deck, const std::string& snapshot) {
  tx_.Execute(sql::decks::save_progress, deck, user_, snapshot);
}

std::vector<DeckId> ReaderStore::DecksWithIdle(int days) {
  return tx_.Query(sql::decks::list_decks_with_idle, days).Column<DeckId>("deck_id");
}

void ReaderStore::MarkIdle(DeckId deck, int days) {
  tx_.Execute(sql::decks::mark_idle, deck, days);
}

void ReaderStore::Forget(int days) {
  tx_.Execute(sql::decks::forget_readers, days);
  tx_.Execute(sql::decks::forget_conflicts, days);
  tx_.Execute(sql::decks::forget_positions, days);
}

std::int64_t ReaderStore::ForgetRows(int days, int limit) {
  std::int64_t forgotten = 0;
  for (const sql::Statement* const one : {&sql::decks::forget_notices, &sql::decks::forget_withdrawn,
                                          &sql::decks::forget_suspensions, &sql::decks::forget_progress})
    forgotten += tx_.Execute(*one, days, limit);
  return forgotten;
}

}  // namespace syncline::decks
