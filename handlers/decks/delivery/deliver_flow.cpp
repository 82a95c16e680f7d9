#include "handlers/decks/delivery/deliver_flow.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/package/import_flow.h"
#include "handlers/anki/package/note_change_flow.h"
#include "handlers/base/sha256.h"
#include "handlers/decks/cards/card_flow.h"
#include "handlers/decks/cards/reader_store.h"
#include "handlers/decks/delivery/delivered_part_flow.h"
#include "handlers/decks/delivery/delivery_package_flow.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/files/packed_object_wire.h"

namespace syncline::decks {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kNotesAtOnce = 500, kSubscribersAtOnce = 500;
// A file gets its time before it can be seen, while its request waits for the deck.
constexpr auto kLateFile = 5min;

std::string JobName(const Job& job) {
  return std::to_string(static_cast<std::int64_t>(job.id));
}

// Over names and contents.
std::string HashOf(const std::vector<MediaFile>& files) {
  std::string all;
  for (const MediaFile& file : files) all += file.name + '\0' + file.sha256;
  return Sha256(all);
}
std::optional<sql::Time> NewestOf(const std::vector<MediaFile>& files) {
  std::optional<sql::Time> newest;
  for (const MediaFile& file : files) newest = std::max(newest.value_or(file.updated_at), file.updated_at);
  return newest;
}

// What was read, when the transaction that applies it begins: a device may have synced since.
void RequireSame(sql::Tx& tx, UserId user, const anki::Collection& head) {
  const auto now = anki::CollectionStore(tx, user).Find();
  if (!now || now->generation != head.generation || now->meta.usn != head.meta.usn)
    throw anki::ImportPutOff{"a device has synced"};
}

// The subscriber may have ended the delivery meanwhile, or begun it again.
void RequireState(DeliveryStore& deliveries, DeckId deck, std::string_view state) {
  if (deliveries.LockState(deck) != state) throw anki::ImportPutOff{"the delivery was changed"};
}

// A place in the log, before and after a batch. Equal for notes that are looked at again.
struct Step {
  std::int64_t from = 0, to = 0;
};

// One batch: plans it, and then carries it out.
class Batch {
 public:
  Batch(Context& context, const Deck& deck, const Delivery& delivery, DeliveredPart part,
        const std::vector<MediaFile>& media, const std::set<std::string>& new_files)
      : context_(context),
        deck_(deck),
        delivery_(delivery),
        part_(std::move(part)),
        homes_(deck.shown.title, delivery.homes, part_.objects.decks),
        package_(context, deck, media),
        new_files_(new_files) {
    for (const MediaFile& file : media) {
      if (file.name.starts_with('_')) static_files_.push_back(file.name);
    }
    for (const std::string& name : new_files) {
      if (name.starts_with('_')) package_.PutFile(name);
    }
    changes_.tag = kRemovedTag;
    for (const Card& card : part_.cards) Plan(card);
  }

  // Notes are suspended, woken or deleted first, in a transaction of their own. The batch is then planned again.
  bool HasChanges() const {
    return !changes_.suspended.empty() || !changes_.woken.empty() || !changes_.deleted.empty();
  }

  void Change(const Job& job) {
    const anki::NoteChangeHost host{
        .name = JobName(job),
        .generation = part_.head.generation,
        .usn = part_.head.meta.usn,
        .commit = [&](sql::Tx& tx, const std::map<std::int64_t, std::vector<std::int64_t>>& cards) {
          DeliveryStore deliveries(tx, context_.user());
          RequireState(deliveries, deck_.id, "on");
          std::vector<SuspendedCard> suspended;
          for (const anki::Note& note : changes_.suspended) {
            suspended.push_back({note.guid, 0});
            if (const auto found = cards.find(note.id); found != cards.end()) {
              for (const std::int64_t card : found->second) suspended.push_back({note.guid, card});
            }
          }
          std::vector<std::string> woken, deleted;
          for (const anki::SuspendedNote& one : changes_.woken) woken.push_back(one.note.guid);
          for (const anki::Note& note : changes_.deleted) deleted.push_back(note.guid);
          deliveries.MarkSuspended(deck_.id, suspended);
          deliveries.MarkWoken(deck_.id, woken);
          deliveries.ForgetNotes(deck_.id, deleted);
        }};
    anki::ChangeNotes(context_, changes_, host);
  }

  void Import(const Job& job, JobControl& control, const Step& step) {
    if (package_.is_empty()) {
      context_.Write<Transaction>([&](Transaction& transaction) { Commit(transaction.tx, step); });
      return;
    }
    TempFile file(context_.config().temp_dir);
    package_.Write(file);
    const anki::ImportHost host{
        .name = JobName(job),
        .progress = [&](std::int64_t done, std::int64_t total,
                        std::string_view what) { control.Progress(done, total, what); },
        .commit =
            [&](sql::Tx& tx, const anki::ImportReport& report) {
              RequireSame(tx, context_.user(), part_.head);
              for (const anki::ObjectOutcome& deck : report.decks) homes_.Note(deck.id, deck.name);
              Commit(tx, step);
            },
        .stored = [&](const anki::Note& note) { NoteStored(note); }};
    // With scheduling: the tags "marked" and "leech" of notes that are there stay, and no card here has any.
    anki::ImportPackage(context_, file, anki::PackageKind::kApkg,
                        {.update_notes = anki::UpdateWhen::kAlways,
                         .update_notetypes = anki::UpdateWhen::kNever,
                         .with_scheduling = true},
                        host);
  }

 private:
  struct Saved {
    DeliveredNote row{};
    TextsByName base{};
    std::set<std::string> follows{};    // fields whose base is what is stored
    std::vector<std::string> fields{};  // of the note's type
    bool is_packed = false, is_stored = false;
  };

  void Plan(const Card& card) {
    const auto known = part_.delivered.find(card.guid);
    const DeliveredNote* const row = known == part_.delivered.end() ? nullptr : &known->second;
    const auto found = part_.notes.find(card.guid);
    const anki::Note* const note = found == part_.notes.end() ? nullptr : &found->second;
    if (row != nullptr && note == nullptr && IsDeleted(*row)) {
      DeliveredNote gone = *row;
      gone.state = "deleted";
      if (row->state != "deleted") saved_.push_back({.row = gone, .base = ParseTexts(gone.fields)});
    } else if (card.removed_seq) {
      if (row != nullptr && note != nullptr && row->state != "suspended") Remove(*row, *note);
    } else if (note == nullptr) {
      Add(card);
    } else if (row != nullptr && row->state == "suspended") {
      changes_.woken.push_back({*note, row->suspended_cards});
    } else {
      Update(card, *note, row);
    }
  }

  // By the subscriber. A collection that has replaced another one may come from a device that never had the note.
  bool IsDeleted(const DeliveredNote& row) const {
    return !delivery_.restores && (row.state == "deleted" || delivery_.generation == part_.head.generation);
  }

  void Remove(const DeliveredNote& row, const anki::Note& note) {
    // A note that was there before belongs to the subscriber.
    (delivery_.deletes_removed && !row.is_adopted ? changes_.deleted : changes_.suspended).push_back(note);
  }

  void Add(const Card& card) {
    const NoteType* const type = part_.TypeOf(card);
    if (type == nullptr) return;
    // The subscriber may have changed it: then the note is made for what it is now.
    const std::int64_t id = StableId("type", deck_, Folded(type->name));
    const anki::Object* const own = part_.FindNotetype(id);
    const OwnType shape = own == nullptr ? OwnType{type->fields, DesignOf(*type)} : OwnTypeOf(*own);
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
        std::chrono::floor<std::chrono::milliseconds>(deck_.shown.created_at).time_since_epoch().count();
    anki::Note note{.id = created_ms + card.ord,
                    .guid = card.guid,
                    .notetype_id = id,
                    .mod = context_.NowSeconds(),
                    .usn = 0,
                    .tags = TagsOfNote(texts.tags),
                    .fields = JoinedFields(fields)};
    package_.Put(std::move(note), own == nullptr ? NotetypeOf(id, *type, shape.design) : *own,
                 homes_.NameOf(card.content.subdeck_path), CardsOf(shape.design, fields), DueOf(card));
    if (own == nullptr) {
      for (const std::string& name : static_files_) package_.PutFile(name);
    }
    saved.is_packed = true;
    saved_.push_back(std::move(saved));
  }

  void Update(const Card& card, const anki::Note& note, const DeliveredNote* row) {
    const NoteType* const type = part_.TypeOf(card);
    const anki::Object* const notetype = part_.FindNotetype(note.notetype_id);
    if (type == nullptr || notetype == nullptr) return;
    const OwnType shape = OwnTypeOf(*notetype);
    const ShownCardTexts texts = TextsOf(card.content, type->fields, part_.to_nfc);
    const NoteMerge in = part_.MergeOf(card, note, shape.fields, texts, deck_.protected_fields);
    if (in.mine.size() != shape.fields.size()) return;  // for Check Database
    MergedNote merged = Merge(in);
    const bool has_new_files =
        TakeNewFiles(shape, texts, merged) || DeliveryPackage::RefersTo(note.fields, new_files_);
    Saved saved{.row = RowOf(card, merged.base_tags),
                .base = merged.base,
                .follows = merged.follows,
                .fields = shape.fields};
    saved.row.older_tags = merged.older_tags;
    saved.row.is_adopted = row == nullptr || row->is_adopted;
    const bool has_news = merged.is_changed || has_new_files;
    saved.is_packed = has_news;
    if (has_news) PutUpdate(card, note, *notetype, shape, merged);
    if (has_news || row == nullptr || row->hash != card.hash || row->state != "there" ||
        row->older_tags != merged.older_tags)
      saved_.push_back(std::move(saved));
  }

  // The import may have given a file another name, which a field that follows has here. Its name in the deck brings the new one.
  bool TakeNewFiles(const OwnType& shape, const ShownCardTexts& texts, MergedNote& merged) const {
    bool has_taken = false;
    for (std::size_t i = 0; i < shape.fields.size(); ++i) {
      if (!merged.follows.contains(shape.fields[i])) continue;
      const std::string& text = texts.fields.at(shape.fields[i]);
      if (!DeliveryPackage::RefersTo(text, new_files_)) continue;
      merged.texts[i] = text;
      has_taken = true;
    }
    return has_taken;
  }

  // The note does not get a newer time: an edit that a device has not sent yet is newer, and wins. What it then undoes of this
  // comes again, because the note is looked at after every sync. A second less, because an import takes equal times for equal
  // notes.
  void PutUpdate(const Card& card, anki::Note note, const anki::Object& notetype, const OwnType& shape,
                 const MergedNote& merged) {
    std::vector<NoteField> before, after;
    const std::vector<std::string> mine = SplitFields(note.fields);
    for (std::size_t i = 0; i < shape.fields.size(); ++i) {
      before.push_back({shape.fields[i], mine[i]});
      after.push_back({shape.fields[i], merged.texts[i]});
    }
    note.fields = JoinedFields(after);
    note.tags = TagsOfNote(merged.tags);
    --note.mod;
    // Only what the new texts need: cards that the subscriber has removed do not come back.
    const auto had = CardsOf(shape.design, before);
    std::vector<std::int32_t> ords = CardsOf(shape.design, after);
    std::erase_if(ords,
                  [&](std::int32_t ord) { return std::find(had.begin(), had.end(), ord) != had.end(); });
    package_.Put(std::move(note), notetype, ords.empty() ? "" : homes_.NameOf(card.content.subdeck_path),
                 ords, DueOf(card));
  }

  static DeliveredNote RowOf(const Card& card, const std::string& tags) {
    DeliveredNote row{.guid = card.guid, .hash = card.hash, .tags = tags, .older_tags = tags};
    return row;
  }
  static std::int32_t DueOf(const Card& card) {
    constexpr std::int64_t kMaxDue = 1'000'000;
    return static_cast<std::int32_t>(std::min(card.ord, kMaxDue));
  }

  void NoteStored(const anki::Note& note) {
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

  void Commit(sql::Tx& tx, const Step& step) {
    DeliveryStore deliveries(tx, context_.user());
    std::vector<DeliveredNote> rows;
    for (const Saved& one : saved_) {
      // What the import has not taken was not delivered.
      if (one.is_packed && !one.is_stored) continue;
      rows.push_back(one.row);
      rows.back().fields = PrintTexts(one.base);
    }
    deliveries.Save(deck_.id, rows);
    if (!deliveries.Advance(deck_.id, step.from, step.to, homes_.known()))
      throw anki::ImportPutOff{"the delivery was changed"};
  }

  Context& context_;
  const Deck& deck_;
  const Delivery& delivery_;
  const DeliveredPart part_;
  DeliveryHomes homes_;
  DeliveryPackage package_;
  const std::set<std::string>& new_files_;
  std::vector<std::string> static_files_{};
  anki::NoteChanges changes_{};
  std::vector<Saved> saved_{};
  std::map<std::string, Saved*> by_guid_{};  // once all are planned
};

// One run of the job.
class Delivering {
 public:
  Delivering(Context& context, DeckId deck, const Job& job, JobControl& control)
      : context_(context), id_(deck), job_(job), control_(control) {}

  void Run() {
    for (bool has_ended = false; !has_ended;) {
      control_.Progress(delivery_ ? delivery_->seq : 0, deck_ ? deck_->head_seq : 0, "delivering");
      Look();
      if (!delivery_) {
        has_ended = Finish([](DeliveryStore&, const std::optional<Delivery>& now) { return !now; });
      } else if (delivery_->state != "on") {
        RemoveAll();
        has_ended = Finish([&](DeliveryStore& deliveries, const std::optional<Delivery>& now) {
          if (now && now->state == "on") return false;
          deliveries.Forget(id_);
          return true;
        });
      } else if (!deck_ || deck_->is_deleted || !deck_->is_subscribed) {
        context_.Write<DeliveryStore>(
            [&](DeliveryStore& deliveries) { deliveries.End(id_, /*keeps_notes=*/true); });
      } else {
        has_ended = Deliver();
      }
    }
  }

 private:
  struct NoCollection {};

  void Look() {
    context_.Read<DeckStore, DeliveryStore>([&](DeckStore& decks, DeliveryStore& deliveries) {
      deck_ = decks.Find(id_);
      delivery_ = deliveries.Find(id_);
    });
  }

  // The next step: the log, then what devices have changed, then files. True: the job has ended.
  bool Deliver() {
    if (!delivery_->media_hash) {
      LookForFiles();
      NoteFiles();
      return false;
    }
    if (!has_files_) LookForFiles();
    try {
      const ChangedPart part = context_.ReadOnce<DeliveryStore>(
          [&](DeliveryStore& deliveries) { return deliveries.ChangedSince(id_, delivery_->seq); });
      if (!part.guids.empty()) {
        DeliverPart(part.guids, {delivery_->seq, part.seq}, {});
        return false;
      }
      if (LookAtDevices()) return false;
      if (HashOf(files_) != *delivery_->media_hash) {
        DeliverFiles();
        NoteFiles();
        return false;
      }
    } catch (const NoCollection&) {
      NoteDeliveryProblem(context_, id_, "no_collection");
      return true;
    }
    return Finish([&](DeliveryStore& deliveries, const std::optional<Delivery>& now) {
      if (!now || now->state != "on" || now->seq != delivery_->seq) return false;
      deliveries.NoteLookedAt(id_, looked_at_.generation, looked_at_.meta.usn);
      return true;
    });
  }

  // False: it has changed something else of these notes first. Do it again.
  bool DeliverPart(const std::vector<std::string>& guids, const Step& step,
                   const std::set<std::string>& new_files) {
    auto part = ReadPart(context_, id_, guids);
    if (!part) throw NoCollection{};
    Batch batch(context_, *deck_, *delivery_, *std::move(part), files_, new_files);
    if (batch.HasChanges()) {
      batch.Change(job_);
      return false;
    }
    batch.Import(job_, control_, step);
    return true;
  }

  // True: there may be more.
  bool LookAtDevices() {
    const anki::Collection head =
        context_.Read<anki::CollectionStore>([](anki::CollectionStore& collections) {
          const auto found = collections.Find();
          if (!found) throw NoCollection{};
          if (!found->IsImported()) throw anki::ImportPutOff{"an upload is being imported"};
          return *found;
        });
    if (looked_at_.generation != head.generation) {
      looked_at_ = head;
      since_ = {delivery_->generation, delivery_->usn};
      at_ = {};
      after_.clear();
    }
    if (since_.generation != head.generation) return LookAtAll();
    looked_at_ = head;
    return since_.usn != head.meta.usn && LookAtChanges();
  }

  // The collection has replaced another one: after a full upload it may lack what was delivered before.
  bool LookAtAll() {
    const auto guids = context_.ReadOnce<DeliveryStore>(
        [&](DeliveryStore& deliveries) { return deliveries.DeliveredGuids(id_, after_, kNotesAtOnce); });
    if (guids.empty()) {
      since_ = {looked_at_.generation, looked_at_.meta.usn};
    } else if (DeliverPart(guids, {delivery_->seq, delivery_->seq}, {})) {
      after_ = guids.back();
    }
    return true;
  }

  // A device that had not seen the last delivery may have replaced a note.
  bool LookAtChanges() {
    std::vector<std::string> guids;
    anki::RowPosition end = at_;
    context_.ReadOnce<anki::CollectionStore>([&](anki::CollectionStore& collections) {
      guids.clear();
      collections.NotesSince(since_, at_, kNotesAtOnce, [&](const anki::Note& note, anki::RowPosition place) {
        guids.push_back(note.guid);
        end = place;
      });
    });
    if (guids.empty()) {
      NoteDeleted();
      return false;
    }
    const auto delivered = context_.ReadOnce<DeliveryStore>(
        [&](DeliveryStore& deliveries) { return deliveries.Delivered(id_, guids); });
    guids.clear();
    for (const auto& [guid, row] : delivered) guids.push_back(guid);
    if (guids.empty() || DeliverPart(guids, {delivery_->seq, delivery_->seq}, {})) at_ = end;
    return true;
  }

  // Now, because after a full upload nobody can tell what was deleted from what was never there.
  void NoteDeleted() {
    std::set<std::string> there;
    const bool has_deleted = context_.Read<anki::CollectionStore, anki::ImportStore>(
        [&](anki::CollectionStore& collections, anki::ImportStore& imports) {
          there.clear();
          if (collections.GravesSince(since_.generation, since_.usn).notes.empty()) return false;
          imports.EachNote(since_.generation, [&](std::int64_t, const std::string& guid, std::int64_t,
                                                  std::int64_t) { there.insert(guid); });
          return true;
        });
    std::string after;
    while (has_deleted) {
      control_.Progress(0, 0, "deleted notes");
      auto guids = context_.ReadOnce<DeliveryStore>(
          [&](DeliveryStore& deliveries) { return deliveries.DeliveredGuids(id_, after, kNotesAtOnce); });
      if (guids.empty()) break;
      after = guids.back();
      std::erase_if(guids, [&](const std::string& guid) { return there.contains(guid); });
      context_.Write<DeliveryStore>([&](DeliveryStore& deliveries) { deliveries.MarkDeleted(id_, guids); });
    }
  }

  void LookForFiles() {
    files_ = context_.ReadOnce<MediaStore>([&](MediaStore& media) { return media.List(id_); });
    has_files_ = true;
  }
  void NoteFiles() {
    context_.Write<DeliveryStore>(
        [&](DeliveryStore& deliveries) { deliveries.NoteMedia(id_, HashOf(files_), NewestOf(files_)); });
  }

  // Files that came after the cards that name them.
  void DeliverFiles() {
    std::set<std::string> names;
    bool has_static = false;
    for (const MediaFile& file : files_) {
      if (delivery_->media_at && file.updated_at + kLateFile < *delivery_->media_at) continue;
      names.insert(file.name);
      has_static = has_static || file.name.starts_with('_');
    }
    const auto deliver = [&](const std::vector<std::string>& guids) {
      while (!DeliverPart(guids, {delivery_->seq, delivery_->seq}, names)) {
      }
    };
    std::vector<std::string> guids;
    const auto deliver_found = [&] {
      control_.Progress(0, 0, "files");
      if (!guids.empty()) deliver(std::exchange(guids, {}));
    };
    EachCard(
        context_, id_, 0, kAllCards,
        [&](const Card& card) {
          const Fields fields = ParseFields(card.content.fields);
          if (std::any_of(fields.begin(), fields.end(), [&](const FieldValue& field) {
                return DeliveryPackage::RefersTo(PlainText(field.json), names);
              }))
            guids.push_back(card.guid);
        },
        deliver_found);
    deliver_found();
    if (has_static) deliver({});
  }

  // The delivery ends: its notes go, if the subscriber wants that, and what was kept of them.
  void RemoveAll() {
    for (;;) {
      control_.Progress(0, 0, "removing");
      const auto guids = context_.ReadOnce<DeliveryStore>(
          [&](DeliveryStore& deliveries) { return deliveries.DeliveredGuids(id_, "", kNotesAtOnce); });
      if (guids.empty()) return;
      if (delivery_->state == "removing" && RemoveNotes(guids)) continue;
      context_.Write<DeliveryStore>([&](DeliveryStore& deliveries) {
        RequireState(deliveries, id_, delivery_->state);
        deliveries.ForgetNotes(id_, guids);
      });
    }
  }
  // False: there are none in the collection.
  bool RemoveNotes(const std::vector<std::string>& guids) {
    const auto part = ReadPart(context_, id_, guids);
    if (!part) return false;
    anki::NoteChanges changes;
    for (const auto& [guid, note] : part->notes) {
      if (!part->delivered.at(guid).is_adopted) changes.deleted.push_back(note);
    }
    if (changes.deleted.empty()) return false;
    anki::ChangeNotes(context_, changes,
                      {.name = JobName(job_),
                       .generation = part->head.generation,
                       .usn = part->head.meta.usn,
                       .commit = [&](sql::Tx& tx, const auto&) {
                         DeliveryStore deliveries(tx, context_.user());
                         RequireState(deliveries, id_, "removing");
                         deliveries.ForgetNotes(id_, guids);
                       }});
    return true;
  }

  // A push that comes now finds this job unfinished and adds none: it must not be forgotten. So the job ends under the deck's
  // lock, and only if `last` finds nothing new to do.
  bool Finish(const std::function<bool(DeliveryStore&, const std::optional<Delivery>&)>& last) {
    const bool is_whole = context_.Write<DeckStore, DeliveryStore, ReaderStore, MediaStore, Transaction>(
        [&](DeckStore& decks, DeliveryStore& deliveries, ReaderStore& readers, MediaStore& media,
            Transaction& transaction) {
          const auto public_id = decks.PublicId(id_);
          const auto deck = public_id ? decks.Lock(*public_id) : std::nullopt;
          const auto now = deliveries.Find(id_);
          const bool is_on = now && now->state == "on" && deck && !deck->is_deleted;
          if (is_on && (now->seq != deck->head_seq || HashOf(media.List(id_)) != now->media_hash))
            return false;
          if (!last(deliveries, now)) return false;
          // As a call of the add-on: whoever gets a deck this way still follows it.
          if (is_on) readers.NotePull(id_, deck->shown.version);
          control_.FinishIn(transaction.tx);
          return true;
        });
    has_files_ = false;
    return is_whole;
  }

  Context& context_;
  DeckId id_;
  const Job& job_;
  JobControl& control_;
  std::optional<Deck> deck_{};
  std::optional<Delivery> delivery_{};
  std::vector<MediaFile> files_{};
  bool has_files_ = false;
  // What devices have changed before this was looked at, and what was looked at in this run since.
  anki::Since since_{};
  anki::Collection looked_at_{};
  anki::RowPosition at_{};
  std::string after_{};
};

// Enqueues the jobs of deliveries, page by page. `page`: those after one.
void EnqueuePages(
    Context& context, JobControl& control,
    const std::function<std::vector<DeliveryKey>(DeliveryStore&, const DeliveryKey& after)>& page) {
  DeliveryKey after{};
  for (std::size_t count = kSubscribersAtOnce; count == kSubscribersAtOnce;) {
    control.Progress(0, 0, "subscribers");
    const auto found =
        context.ReadOnce<DeliveryStore>([&](DeliveryStore& deliveries) { return page(deliveries, after); });
    context.Write<Transaction>([&](Transaction& transaction) {
      for (const DeliveryKey& one : found) DeliveryStore(transaction.tx, one.user).Enqueue(one.deck);
    });
    count = found.size();
    if (count > 0) after = found.back();
  }
}

}  // namespace

void DeliverDeck(Context& context, DeckId deck, const Job& job, JobControl& control) {
  Delivering(context, deck, job, control).Run();
}

void SpreadDeck(Context& context, DeckId deck, JobControl& control) {
  for (bool has_ended = false; !has_ended;) {
    const auto found = context.Read<DeckStore>([&](DeckStore& decks) { return decks.Find(deck); });
    if (!found) return;
    EnqueuePages(context, control, [&](DeliveryStore& deliveries, const DeliveryKey& after) {
      return deliveries.List(deck, after.user, kSubscribersAtOnce);
    });
    // Under the deck's lock: a push that comes now finds this job unfinished, and enqueues no other one.
    has_ended = context.Write<DeckStore, Transaction>([&](DeckStore& decks, Transaction& transaction) {
      const auto now = decks.Lock(found->shown.id);
      if (now && now->shown.updated_at != found->shown.updated_at) return false;
      control.FinishIn(transaction.tx);
      return true;
    });
  }
}

void ResumeDeliveries(Context& context, JobControl& control) {
  EnqueuePages(context, control, [](DeliveryStore& deliveries, const DeliveryKey& after) {
    return deliveries.ListLate(after, kSubscribersAtOnce);
  });
}

void NoteDeliveryProblem(Context& context, DeckId deck, std::string_view problem) {
  context.Write<DeliveryStore>([&](DeliveryStore& deliveries) { deliveries.NoteProblem(deck, problem); });
}

}  // namespace syncline::decks
