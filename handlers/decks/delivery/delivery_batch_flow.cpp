#include "handlers/decks/delivery/delivery_batch_flow.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/files/packed_object_wire.h"

namespace syncline::decks {
namespace {

// What was read, when the transaction that applies it begins: a device may have synced since. Of two deliveries to one account,
// the second waits here, and then sees the notes of the first (DeliveryStore::Save).
void RequireSame(sql::Tx& tx, UserId user, const anki::Collection& head) {
  const auto now = anki::CollectionStore(tx, user).Lock();
  if (!now || now->generation != head.generation || now->meta.usn != head.meta.usn)
    throw anki::ImportPutOff{"a device has synced"};
}

std::vector<NoteField> Named(const std::vector<std::string>& names, const std::vector<std::string>& texts) {
  std::vector<NoteField> fields;
  for (std::size_t i = 0; i < names.size(); ++i) fields.push_back({names[i], texts[i]});
  return fields;
}

// The texts of a note by the fields of another type, which has all of its own.
std::vector<std::string> TextsIn(const std::vector<std::string>& fields, const std::vector<std::string>& own,
                                 const std::vector<std::string>& texts) {
  std::vector<std::string> moved;
  for (const std::string& name : fields) {
    const auto found = std::find(own.begin(), own.end(), name);
    moved.push_back(found == own.end() ? "" : texts[static_cast<std::size_t>(found - own.begin())]);
  }
  return moved;
}

// Of a card of the note; 0: it has none of this id.
std::int64_t ModOf(const DeliveredPart& part, const anki::Note& note, std::int64_t card) {
  const auto cards = part.note_cards.find(note.id);
  if (cards == part.note_cards.end()) return 0;
  const auto found = std::find_if(cards->second.begin(), cards->second.end(),
                                  [&](const anki::Card& one) { return one.id == card; });
  return found == cards->second.end() ? 0 : found->mod;
}

std::int32_t DueOf(const Card& card) {
  constexpr std::int64_t kMaxDue = 1'000'000;
  return static_cast<std::int32_t>(std::min(card.ord, kMaxDue));
}

DeliveredNote RowOf(const Card& card, const std::string& tags) {
  DeliveredNote row{.guid = card.guid, .hash = card.hash, .tags = tags, .older_tags = tags};
  return row;
}

}  // namespace

DeliveryBatch::DeliveryBatch(Context& context, const BatchInput& in, DeliveredPart part)
    : context_(context),
      in_(in),
      part_(std::move(part)),
      homes_(in.deck.shown.title, in.delivery.homes, part_.objects.decks),
      package_(context, in.deck, in.media) {
  for (const std::string& name : in.new_files) {
    if (name.starts_with('_')) package_.PutFile(name);
  }
  changes_.tag = kRemovedTag;
  for (const Card& card : part_.cards) Plan(card);
  PutFilesOfTypes();
}

bool DeliveryBatch::HasChanges() const {
  return !changes_.suspended.empty() || !changes_.woken.empty() || !changes_.deleted.empty();
}

void DeliveryBatch::Change(const Job& job) {
  const anki::NoteChangeHost host{
      .name = SessionName(job),
      .generation = part_.head.generation,
      .usn = part_.head.meta.usn,
      .commit = [&](sql::Tx& tx, const std::map<std::int64_t, std::vector<std::int64_t>>& cards) {
        DeliveryStore deliveries(tx, context_.user());
        RequireState(deliveries, in_.deck.id, DeliveryState::kOn);
        std::vector<SuspendedCard> suspended;
        for (const anki::Note& note : changes_.suspended) {
          suspended.push_back({note.guid, 0});
          if (const auto found = cards.find(note.id); found != cards.end()) {
            for (const std::int64_t card : found->second)
              suspended.push_back({note.guid, card, ModOf(part_, note, card)});
          }
        }
        std::vector<std::string> woken, deleted;
        for (const anki::SuspendedNote& one : changes_.woken) woken.push_back(one.note.guid);
        for (const anki::Note& note : changes_.deleted) deleted.push_back(note.guid);
        deliveries.MarkSuspended(in_.deck.id, suspended);
        deliveries.MarkWoken(in_.deck.id, woken);
        deliveries.ForgetNotes(in_.deck.id, deleted);
      }};
  anki::ChangeNotes(context_, changes_, host);
}

void DeliveryBatch::Import(const Job& job, JobControl& control, const Step& step) {
  if (package_.is_empty()) {
    context_.Write<Transaction>([&](Transaction& transaction) { Commit(transaction.tx, step); });
    return;
  }
  TempFile file(context_.config().temp_dir);
  package_.Write(file);
  const anki::ImportHost host{.name = SessionName(job),
                              .progress = [&](std::int64_t done, std::int64_t total,
                                              std::string_view what) { control.Progress(done, total, what); },
                              .commit =
                                  [&](sql::Tx& tx, const anki::ImportReport& report) {
                                    for (const anki::ObjectOutcome& deck : report.decks)
                                      homes_.Note(deck.id, deck.name);
                                    Commit(tx, step);
                                  },
                              .stored = [&](const anki::Note& note) { NoteStored(note); },
                              .moved = moved_};
  // With scheduling: the tags "marked" and "leech" of notes that are there stay, and no card here has any.
  anki::ImportPackage(context_, file, anki::PackageKind::kApkg,
                      {.update_notes = anki::UpdateWhen::kAlways,
                       .update_notetypes = anki::UpdateWhen::kAlways,
                       .with_scheduling = true,
                       .changes_notetypes = true,
                       .avoids_deleted_ids = true},
                      host);
}

void DeliveryBatch::Plan(const Card& card) {
  const auto known = part_.delivered.find(card.guid);
  const DeliveredNote* const row = known == part_.delivered.end() ? nullptr : &known->second;
  const auto found = part_.notes.find(card.guid);
  const anki::Note* const note = found == part_.notes.end() ? nullptr : &found->second;
  // Another deck looks after the note.
  if (row == nullptr && part_.elsewhere.contains(card.guid)) return;
  if (row != nullptr && note == nullptr && IsDeleted(*row)) {
    DeliveredNote gone = *row;
    gone.state = NoteState::kDeleted;
    if (row->state != NoteState::kDeleted) saved_.push_back({.row = gone, .base = ParseTexts(gone.fields)});
  } else if (card.removed_seq) {
    if (row == nullptr || note == nullptr) return;
    row->state == NoteState::kSuspended ? ChangeType(card, *note) : Remove(*row, *note);
  } else if (note == nullptr) {
    Add(card);
  } else if (row != nullptr && row->state == NoteState::kSuspended) {
    Wake(*row, *note);
  } else {
    Update(card, *note, row);
  }
}

// By the subscriber. A collection that has replaced another one may come from a device that never had the note.
bool DeliveryBatch::IsDeleted(const DeliveredNote& row) const {
  return !in_.delivery.restores &&
         (row.state == NoteState::kDeleted || in_.delivery.generation == part_.head.generation);
}

void DeliveryBatch::Remove(const DeliveredNote& row, const anki::Note& note) {
  // A note that was there before belongs to the subscriber.
  const bool is_deleted = in_.delivery.removed == RemovedNotes::kDeleted && !row.is_adopted;
  (is_deleted ? changes_.deleted : changes_.suspended).push_back(note);
}

// A card that a device has changed meanwhile was suspended by the subscriber, too.
void DeliveryBatch::Wake(const DeliveredNote& row, const anki::Note& note) {
  anki::SuspendedNote woken{.note = note, .cards = {}};
  for (std::size_t i = 0; i < row.suspended_cards.size(); ++i) {
    const std::int64_t card = row.suspended_cards[i];
    if (i >= row.suspended_mods.size() || row.suspended_mods[i] == ModOf(part_, note, card))
      woken.cards.push_back(card);
  }
  changes_.woken.push_back(std::move(woken));
}

PlannedType& DeliveryBatch::PlanOf(const NoteType& type) {
  const auto found = types_.find(type.name);
  if (found != types_.end()) return found->second;
  PlannedType plan = PlanType({.deck = in_.deck,
                               .type = type,
                               .delivered = part_.delivered_types,
                               .notetypes = part_.objects.notetypes,
                               .now_s = context_.NowSeconds()});
  if (plan.fate == DesignFate::kTooEarly) throw anki::ImportPutOff{"a note type was changed in this second"};
  return types_.emplace(type.name, std::move(plan)).first->second;
}

void DeliveryBatch::Add(const Card& card) {
  const NoteType* const type = part_.TypeOf(card);
  if (type == nullptr) return;
  const PlannedType& plan = PlanOf(*type);
  // The subscriber may have changed it: then the note is made for what it is now.
  const OwnType& shape = plan.shape;
  if (shape.fields.empty()) return;  // a client may sync a broken note type of this id
  const ShownCardTexts texts = TextsOf(card.content, type->fields, part_.to_nfc);
  Saved saved{.row = RowOf(card, texts.tags), .base = {}, .follows = {}, .fields = shape.fields};
  std::vector<NoteField> fields;
  for (const std::string& name : shape.fields) {
    const auto text = texts.fields.find(name);
    fields.push_back({name, text == texts.fields.end() ? "" : text->second});
    if (text != texts.fields.end()) saved.follows.insert(name);
  }
  const std::int64_t created_ms =
      std::chrono::floor<std::chrono::milliseconds>(in_.deck.shown.created_at).time_since_epoch().count();
  anki::Note note{.id = created_ms + card.ord,
                  .guid = card.guid,
                  .notetype_id = plan.target.id,
                  .mod = context_.NowSeconds(),
                  .usn = 0,
                  .tags = TagsOfNote(texts.tags),
                  .fields = JoinedFields(fields)};
  package_.Put(std::move(note), plan.target, homes_.NameOf(card.content.subdeck_path),
               CardsOf(shape.design, fields), DueOf(card));
  packed_types_.insert(type->name);
  saved.is_packed = true;
  saved_.push_back(std::move(saved));
}

std::optional<DeliveryBatch::TypedNote> DeliveryBatch::Typed(const Card& card, const anki::Note& note) {
  const NoteType* const type = part_.TypeOf(card);
  const anki::Object* const notetype = part_.FindNotetype(note.notetype_id);
  if (type == nullptr || notetype == nullptr) return std::nullopt;
  TypedNote typed{.before = OwnTypeOf(*notetype), .mine = SplitFields(note.fields)};
  if (typed.mine.size() != typed.before.fields.size()) return std::nullopt;  // for Check Database
  // A note that came with another type keeps it.
  const PlannedType& plan = PlanOf(*type);
  typed.changes_type =
      std::find(plan.earlier.begin(), plan.earlier.end(), note.notetype_id) != plan.earlier.end() &&
      CanBecome(typed.before, plan.shape);
  const bool has_type = typed.changes_type || plan.target.id == note.notetype_id;
  typed.after = has_type ? plan.shape : typed.before;
  typed.notetype = has_type ? &plan.target : notetype;
  typed.plan = has_type ? &plan : nullptr;
  if (typed.changes_type) typed.mine = TextsIn(typed.after.fields, typed.before.fields, typed.mine);
  return typed;
}

// Of a note whose card was removed: a device that had the earlier type has sent it, and cards of the later one lack templates.
void DeliveryBatch::ChangeType(const Card& card, anki::Note note) {
  const auto typed = Typed(card, note);
  const auto cards = part_.note_cards.find(note.id);
  if (!typed || !typed->changes_type || cards == part_.note_cards.end()) return;
  const auto templates = static_cast<std::int32_t>(typed->before.design.templates.size());
  // Otherwise it gets the later type, and its cards, when the card comes back.
  if (typed->before.design.is_cloze ||
      std::none_of(cards->second.begin(), cards->second.end(),
                   [&](const anki::Card& one) { return one.ord >= templates; }))
    return;
  note.notetype_id = typed->notetype->id;
  note.fields = JoinedFields(Named(typed->after.fields, typed->mine));
  --note.mod;
  package_.Put(std::move(note), *typed->notetype, "", {}, 0);
  packed_types_.insert(part_.TypeOf(card)->name);
}

void DeliveryBatch::Update(const Card& card, const anki::Note& note, const DeliveredNote* row) {
  const auto typed = Typed(card, note);
  if (!typed) return;
  const OwnType& after = typed->after;
  const ShownCardTexts texts = TextsOf(card.content, part_.TypeOf(card)->fields, part_.to_nfc);
  MergedNote merged =
      Merge(part_.MergeOf(card, note, after.fields, typed->mine, texts, in_.deck.protected_fields));
  const bool has_new_files =
      TakeNewFiles(after, texts, merged) || DeliveryPackage::RefersTo(note.fields, in_.new_files);
  Saved saved{.row = RowOf(card, merged.base_tags),
              .base = merged.base,
              .follows = merged.follows,
              .fields = after.fields};
  saved.row.older_tags = merged.older_tags;
  saved.row.is_adopted = row == nullptr || row->is_adopted;
  const bool has_news = merged.is_changed || has_new_files || typed->changes_type;
  saved.is_packed = has_news;
  const std::vector<anki::Card> moved = CardsToMove(card, note);
  if (has_news || !moved.empty() || (typed->plan != nullptr && typed->plan->has_news)) {
    std::vector<std::int32_t> ords = has_news ? NewCards(*typed, merged) : std::vector<std::int32_t>();
    for (const anki::Card& one : moved) ords.push_back(one.ord);
    const std::string home = ords.empty() ? "" : homes_.NameOf(card.content.subdeck_path);
    for (const anki::Card& one : moved) moved_.push_back({one, package_.DeckIdOf(home)});
    anki::Note put = note;
    put.notetype_id = typed->notetype->id;
    if (has_news) {
      put.fields = JoinedFields(Named(after.fields, merged.texts));
      put.tags = TagsOfNote(merged.tags);
      // The note does not get a newer time: an edit that a device has not sent yet is newer, and wins. What it then undoes of this
      // comes again, because the note is looked at after every sync. A second less, because an import takes equal times for equal
      // notes; that is what notes get that are packed only for their cards or their type.
      --put.mod;
    }
    package_.Put(std::move(put), *typed->notetype, home, ords, DueOf(card));
    if (typed->plan != nullptr) packed_types_.insert(part_.TypeOf(card)->name);
  }
  if (has_news || row == nullptr || row->hash != card.hash || row->state != NoteState::kThere ||
      row->older_tags != merged.older_tags)
    saved_.push_back(std::move(saved));
}

// The import may have given a file another name, which a field that follows has here. Its name in the deck brings the new one.
bool DeliveryBatch::TakeNewFiles(const OwnType& shape, const ShownCardTexts& texts,
                                 MergedNote& merged) const {
  bool has_taken = false;
  for (std::size_t i = 0; i < shape.fields.size(); ++i) {
    if (!merged.follows.contains(shape.fields[i])) continue;
    const std::string& text = texts.fields.at(shape.fields[i]);
    if (!DeliveryPackage::RefersTo(text, in_.new_files)) continue;
    merged.texts[i] = text;
    has_taken = true;
  }
  return has_taken;
}

// Only what the new texts and templates need: cards that the subscriber has removed do not come back.
std::vector<std::int32_t> DeliveryBatch::NewCards(const TypedNote& in, const MergedNote& merged) const {
  const auto had = CardsOf(in.before.design, Named(in.after.fields, in.mine));
  std::vector<std::int32_t> ords = CardsOf(in.after.design, Named(in.after.fields, merged.texts));
  std::erase_if(ords, [&](std::int32_t ord) { return std::find(had.begin(), had.end(), ord) != had.end(); });
  return ords;
}

// Those that lie where the publisher once had the card, as a text that the publisher once had is no edit.
std::vector<anki::Card> DeliveryBatch::CardsToMove(const Card& card, const anki::Note& note) const {
  std::vector<anki::Card> moved;
  const auto paths = part_.earlier_paths.find(card.guid);
  const auto cards = part_.note_cards.find(note.id);
  if (paths == part_.earlier_paths.end() || cards == part_.note_cards.end()) return moved;
  const auto home = homes_.Find(card.content.subdeck_path);
  std::set<std::int64_t> former;
  for (const std::string& path : paths->second) {
    if (const auto deck = homes_.Find(path); deck && deck != home) former.insert(*deck);
  }
  for (const anki::Card& one : cards->second) {
    if (former.contains(one.original_deck_id != 0 ? one.original_deck_id : one.deck_id)) moved.push_back(one);
  }
  return moved;
}

// Designs name files that no note names.
void DeliveryBatch::PutFilesOfTypes() {
  const bool has_design =
      std::any_of(packed_types_.begin(), packed_types_.end(),
                  [&](const std::string& name) { return types_.at(name).fate != DesignFate::kSame; });
  if (!has_design) return;
  for (const MediaFile& file : in_.media) {
    if (file.name.starts_with('_')) package_.PutFile(file.name);
  }
}

void DeliveryBatch::NoteStored(const anki::Note& note) {
  if (by_guid_.empty()) {
    for (Saved& one : saved_) by_guid_.emplace(one.row.guid, &one);
  }
  const auto found = by_guid_.find(note.guid);
  if (found == by_guid_.end()) return;
  Saved* const saved = found->second;
  saved->is_stored = true;
  const std::vector<std::string> texts = SplitFields(note.fields);
  for (std::size_t i = 0; i < saved->fields.size() && i < texts.size(); ++i) {
    if (saved->follows.contains(saved->fields[i])) saved->base[saved->fields[i]] = texts[i];
  }
}

void DeliveryBatch::Commit(sql::Tx& tx, const Step& step) {
  RequireSame(tx, context_.user(), part_.head);
  DeliveryStore deliveries(tx, context_.user());
  std::vector<DeliveredNote> rows;
  for (const Saved& one : saved_) {
    // What the import has not taken was not delivered.
    if (one.is_packed && !one.is_stored) continue;
    rows.push_back(one.row);
    rows.back().fields = PrintTexts(one.base);
  }
  deliveries.Save(in_.deck.id, rows);
  for (const std::string& name : packed_types_) {
    const PlannedType& plan = types_.at(name);
    if (plan.has_news) deliveries.SaveType(in_.deck.id, plan.row);
  }
  if (!deliveries.Advance(in_.deck.id, step.from, step.to, homes_.known()))
    throw anki::ImportPutOff{"the delivery was changed"};
}

}  // namespace syncline::decks
