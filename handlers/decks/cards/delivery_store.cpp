#include "handlers/decks/cards/delivery_store.h"

#include <algorithm>

#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/decks/dialect/job_wire.h"
#include "sql/queries/decks.h"

namespace syncline::decks {
namespace {

// Of the log that a batch is made of. Its cards and their notes are held in memory.
constexpr std::int64_t kEntriesAtOnce = 1000, kBytesAtOnce = 8 << 20;
// A card with a longer history is merged by what it was lately.
constexpr int kEarlierValues = 50;

constexpr const char* kStates[] = {"on", "keeping", "removing"};
constexpr const char* kNoteStates[] = {"there", "suspended", "deleted"};

template <typename State, std::size_t kCount>
State StateOf(const char* const (&names)[kCount], const std::string& name) {
  return static_cast<State>(std::find(std::begin(names), std::end(names), name) - std::begin(names));
}
DeliveryState StateIn(const sql::Row& row) {
  return StateOf<DeliveryState>(kStates, row["state"].As<std::string>());
}

std::string PrintHomes(const std::map<std::string, std::int64_t>& homes) {
  JsonWriter json;
  json.Object();
  for (const auto& [path, id] : homes) json.Add(path, id);
  return json.Finish();
}

std::map<std::string, std::int64_t> ParseHomes(const std::string& text) {
  std::map<std::string, std::int64_t> homes;
  const JsonSpans spans(text);
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
    homes.emplace(spans.Key(member), WholeNumber(spans.Raw(member)).value_or(0));
  });
  return homes;
}

}  // namespace

const char* NameOf(DeliveryState state) {
  return kStates[static_cast<std::size_t>(state)];
}

void DeliveryStore::Start(DeckId deck, std::optional<RemovedNotes> removed) {
  tx_.Execute(sql::decks::start_delivery, deck, user_,
              removed ? std::optional(*removed == RemovedNotes::kDeleted) : std::nullopt);
  Enqueue(deck);
}

void DeliveryStore::RestoreDeleted(DeckId deck) {
  tx_.Execute(sql::decks::restore_delivered, deck, user_);
}

bool DeliveryStore::End(DeckId deck, NotesAfterwards notes) {
  const DeliveryState state =
      notes == NotesAfterwards::kStay ? DeliveryState::kKeeping : DeliveryState::kRemoving;
  if (tx_.Execute(sql::decks::end_delivery, deck, user_, NameOf(state)) == 0) return false;
  Enqueue(deck);
  return true;
}

void DeliveryStore::Forget(DeckId deck) {
  if (tx_.Execute(sql::decks::forget_delivery, deck, user_) == 0) return;
  for (const sql::Row row : tx_.Query(sql::decks::revisit_deliveries, deck, user_))
    Enqueue(row["deck_id"].As<DeckId>());
}

std::optional<Delivery> DeliveryStore::Find(DeckId deck) {
  const auto row = tx_.MaybeOne(sql::decks::find_delivery, deck, user_);
  if (!row) return std::nullopt;
  return Delivery{
      .state = StateIn(*row),
      .removed = (*row)["deletes_removed"].As<bool>() ? RemovedNotes::kDeleted : RemovedNotes::kSuspended,
      .seq = (*row)["seq"].As<std::int64_t>(),
      .generation = (*row)["generation"].As<std::int32_t>(),
      .usn = (*row)["usn"].As<std::int32_t>(),
      .homes = ParseHomes((*row)["homes"].As<std::string>()),
      .media_hash = (*row)["media_hash"].As<std::optional<std::string>>(),
      .media_at = (*row)["media_at"].As<std::optional<sql::Time>>(),
      .design_hash = (*row)["design_hash"].As<std::optional<std::string>>(),
      .restores = (*row)["restores"].As<bool>(),
      .problem = (*row)["problem"].As<std::string>(),
      .started_at = (*row)["started_at"].As<sql::Time>(),
      .delivered_at = (*row)["delivered_at"].As<std::optional<sql::Time>>(),
      .notes = (*row)["notes"].As<std::int64_t>()};
}

std::optional<DeliveryState> DeliveryStore::LockState(DeckId deck) {
  const auto row = tx_.MaybeOne(sql::decks::lock_delivery, deck, user_);
  return row ? std::optional(StateIn(*row)) : std::nullopt;
}

void DeliveryStore::Enqueue(DeckId deck) {
  NewJob job = JobOfDeck("decks.deliver", deck);
  job.user = user_;
  EnqueueJob(tx_, job);
}

std::vector<DeliveryKey> DeliveryStore::List(DeckId deck, UserId after, std::int64_t limit) {
  std::vector<DeliveryKey> found;
  for (const sql::Row row : tx_.Query(sql::decks::list_deliveries, deck, after, limit))
    found.push_back({deck, row["user_id"].As<UserId>()});
  return found;
}

std::vector<DeliveryKey> DeliveryStore::ListLate(const DeliveryKey& after, std::int64_t limit) {
  std::vector<DeliveryKey> late;
  for (const sql::Row row : tx_.Query(sql::decks::list_late_deliveries, after.deck, after.user, limit))
    late.push_back({row["deck_id"].As<DeckId>(), row["user_id"].As<UserId>()});
  return late;
}

ChangedPart DeliveryStore::ChangedSince(DeckId deck, std::int64_t seq) {
  ChangedPart part{.seq = seq};
  for (const sql::Row row :
       tx_.Query(sql::decks::list_changed_guids, deck, seq, kEntriesAtOnce, kBytesAtOnce)) {
    part.guids.push_back(row["guid"].As<std::string>());
    part.seq = std::max(part.seq, row["seq"].As<std::int64_t>());
  }
  return part;
}

std::map<std::string, std::map<std::string, std::vector<std::string>>> DeliveryStore::EarlierValues(
    DeckId deck, const std::vector<std::string>& guids) {
  std::map<std::string, std::map<std::string, std::vector<std::string>>> values;
  if (guids.empty()) return values;
  for (const sql::Row row : tx_.Query(sql::decks::list_earlier_values, deck, guids, kEarlierValues))
    values[row["guid"].As<std::string>()][row["field"].As<std::string>()].push_back(
        row["old_value"].As<std::string>());
  return values;
}

std::map<std::string, std::vector<std::string>> DeliveryStore::EarlierTexts(
    DeckId deck, std::string_view kind, const std::vector<std::string>& guids) {
  std::map<std::string, std::vector<std::string>> texts;
  if (guids.empty()) return texts;
  for (const sql::Row row : tx_.Query(sql::decks::list_earlier_texts, deck, guids, kind, kEarlierValues))
    texts[row["guid"].As<std::string>()].push_back(row["old_value"].As<std::string>());
  return texts;
}

std::set<std::string> DeliveryStore::DeliveredElsewhere(DeckId deck, const std::vector<std::string>& guids) {
  const auto found =
      tx_.Query(sql::decks::find_delivered_elsewhere, deck, user_, guids).Column<std::string>("guid");
  return {found.begin(), found.end()};
}

std::map<std::string, DeliveredNote> DeliveryStore::Delivered(DeckId deck,
                                                              const std::vector<std::string>& guids) {
  std::map<std::string, DeliveredNote> notes;
  if (guids.empty()) return notes;
  for (const sql::Row row : tx_.Query(sql::decks::find_delivered, deck, user_, guids)) {
    DeliveredNote note{.guid = row["guid"].As<std::string>(),
                       .state = StateOf<NoteState>(kNoteStates, row["state"].As<std::string>()),
                       .is_adopted = row["is_adopted"].As<bool>(),
                       .hash = row["hash"].As<std::string>(),
                       .fields = row["fields"].As<std::string>(),
                       .tags = row["tags"].As<std::string>(),
                       .older_tags = row["older_tags"].As<std::string>(),
                       .suspended_cards = row["suspended_cards"].As<std::vector<std::int64_t>>(),
                       .suspended_mods = row["suspended_mods"].As<std::vector<std::int64_t>>()};
    notes.emplace(note.guid, std::move(note));
  }
  return notes;
}

std::vector<std::string> DeliveryStore::DeliveredGuids(DeckId deck, const std::string& after,
                                                       std::int64_t limit) {
  return tx_.Query(sql::decks::list_delivered, deck, user_, after, limit).Column<std::string>("guid");
}

std::vector<std::string> DeliveryStore::DeliveredGuidsOf(DeckId deck, const std::string& note_type,
                                                         const std::string& after, std::int64_t limit) {
  return tx_.Query(sql::decks::list_delivered_of_type, deck, user_, note_type, after, limit)
      .Column<std::string>("guid");
}

std::vector<DeliveredType> DeliveryStore::Types(DeckId deck) {
  std::vector<DeliveredType> types;
  for (const sql::Row row : tx_.Query(sql::decks::list_delivered_types, deck, user_))
    types.push_back({.name_key = row["name_key"].As<std::string>(),
                     .step = row["step"].As<std::int32_t>(),
                     .id = row["notetype_id"].As<std::int64_t>(),
                     .fields = row["fields"].As<std::vector<std::string>>(),
                     .templates = row["templates"].As<std::vector<std::string>>(),
                     .known = row["known"].As<std::string>()});
  return types;
}

void DeliveryStore::SaveType(DeckId deck, const DeliveredType& type) {
  tx_.Execute(sql::decks::save_delivered_type, deck, user_, type.name_key, type.step, type.id, type.fields,
              type.templates, type.known);
}

void DeliveryStore::Save(DeckId deck, const std::vector<DeliveredNote>& notes) {
  if (notes.empty()) return;
  std::vector<std::string> guids, states, hashes, fields, tags, older;
  std::vector<std::int64_t> adopted;
  for (const DeliveredNote& note : notes) {
    guids.push_back(note.guid);
    states.push_back(kNoteStates[static_cast<std::size_t>(note.state)]);
    adopted.push_back(note.is_adopted ? 1 : 0);
    hashes.push_back(note.hash);
    fields.push_back(note.fields);
    tags.push_back(note.tags);
    older.push_back(note.older_tags);
  }
  tx_.Execute(sql::decks::save_delivered, deck, user_, guids, states, adopted, hashes, fields, tags, older);
}

void DeliveryStore::MarkSuspended(DeckId deck, const std::vector<SuspendedCard>& cards) {
  if (cards.empty()) return;
  std::vector<std::string> guids;
  std::vector<std::int64_t> ids, mods;
  for (const SuspendedCard& one : cards) {
    guids.push_back(one.guid);
    ids.push_back(one.card);
    mods.push_back(one.mod);
  }
  tx_.Execute(sql::decks::mark_suspended, deck, user_, guids, ids, mods);
}

void DeliveryStore::MarkWoken(DeckId deck, const std::vector<std::string>& guids) {
  if (!guids.empty()) tx_.Execute(sql::decks::mark_woken, deck, user_, guids);
}

void DeliveryStore::MarkDeleted(DeckId deck, const std::vector<std::string>& guids) {
  if (!guids.empty()) tx_.Execute(sql::decks::mark_deleted, deck, user_, guids);
}

void DeliveryStore::ForgetNotes(DeckId deck, const std::vector<std::string>& guids) {
  if (!guids.empty()) tx_.Execute(sql::decks::forget_delivered, deck, user_, guids);
}

bool DeliveryStore::Advance(DeckId deck, std::int64_t from, std::int64_t to,
                            const std::map<std::string, std::int64_t>& homes) {
  return tx_.Execute(sql::decks::advance_delivery, deck, user_, from, to, PrintHomes(homes)) == 1;
}

void DeliveryStore::NoteLookedAt(DeckId deck, std::int32_t generation, std::int32_t usn) {
  tx_.Execute(sql::decks::note_looked_at, deck, user_, generation, usn);
}

void DeliveryStore::NoteMedia(DeckId deck, const std::string& hash, std::optional<sql::Time> newest) {
  tx_.Execute(sql::decks::note_delivered_media, deck, user_, sql::AsBytes(hash), newest);
}

void DeliveryStore::NoteDesigns(DeckId deck, const std::string& hash) {
  tx_.Execute(sql::decks::note_delivered_designs, deck, user_, sql::AsBytes(hash));
}

void DeliveryStore::NoteProblem(DeckId deck, std::string_view problem) {
  tx_.Execute(sql::decks::note_delivery_problem, deck, user_, problem);
}

}  // namespace syncline::decks
