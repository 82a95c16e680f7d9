#include "handlers/anki/package/import_flow.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "handlers/anki/collection/session_store.h"
#include "handlers/anki/file/field_text_wire.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/anki/package/own_session_flow.h"
#include "handlers/anki/settings.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/json.h"
#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/large_turn.h"
#include "handlers/base/utf8.h"

namespace syncline::anki {
namespace {

// An import is one transaction of some seconds: it applies at most this many rows. Reviews are the cheapest.
constexpr std::size_t kMaxGuidBytes = 1000;
constexpr std::int64_t kMaxNotes = 500'000, kMaxCards = 1'000'000, kMaxReviews = 3'000'000;
// Rows per message that is staged, and the texts after which one ends.
constexpr std::size_t kStagedRows = 1000, kStagedBytes = kLargeBytes;
// Attempts that devices interrupt, before the import waits.
constexpr int kAttempts = 3;
// Rows between two reports of progress.
constexpr std::int64_t kRowsInStep = 500;
// In the report.
constexpr std::size_t kListedObjects = 500, kListedConflicts = 100;
constexpr std::int64_t kAll = -1;
constexpr std::int64_t kBegin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kDefaultDeck = 1;
constexpr std::int64_t kDayMs = 86'400'000;

// A device has begun or ended a sync: the import begins again.
struct Interrupted {};

PackageRefused TooManyRows(const char* what, std::int64_t limit) {
  return {"package_too_large", "The package has more than " + std::to_string(limit) + " " + what + "."};
}

// --- The package

// Ids are looked up in sorted vectors: they take the least memory, and the ids of a hostile package can be chosen so
// that a hash table takes quadratic time.

// Ids beyond tomorrow are not creation times, and would stay in the future for years: they are replaced by
// ids from now on, in the same order.
class IdFix {
 public:
  // `page(after, limit)`: the ids of a table, ascending.
  template <typename Page>
  void Prepare(std::int64_t now_ms, Page page) {
    constexpr std::int64_t kPage = 20'000;
    const std::int64_t last_valid = now_ms + kDayMs;
    std::vector<std::int64_t> ids = page(last_valid, kPage);
    if (ids.empty()) return;
    first_ = now_ms;
    for (auto valid = page(kBegin, kPage); !valid.empty(); valid = page(valid.back(), kPage)) {
      const auto end = std::upper_bound(valid.begin(), valid.end(), last_valid);
      if (end != valid.begin()) first_ = std::max(first_, *std::prev(end) + 1);
      if (end != valid.end()) break;
    }
    for (; !ids.empty(); ids = page(ids.back(), kPage)) future_.insert(future_.end(), ids.begin(), ids.end());
  }
  std::int64_t Of(std::int64_t id) const {
    const auto found = std::lower_bound(future_.begin(), future_.end(), id);
    return found == future_.end() || *found != id ? id : first_ + (found - future_.begin());
  }

 private:
  std::vector<std::int64_t> future_;  // ascending
  std::int64_t first_ = 0;            // what the first of them becomes
};

bool Has(const std::vector<std::int64_t>& ascending, std::int64_t id) {
  return std::binary_search(ascending.begin(), ascending.end(), id);
}

// Maps ids of the package to ours. Add in ascending order.
class IdMap {
 public:
  void Add(std::int64_t id, std::int64_t ours) { ids_.emplace_back(id, ours); }
  std::optional<std::int64_t> Find(std::int64_t id) const {
    const auto found = std::lower_bound(ids_.begin(), ids_.end(), std::pair(id, kBegin));
    return found == ids_.end() || found->first != id ? std::nullopt : std::optional(found->second);
  }
  bool empty() const { return ids_.empty(); }
  std::int64_t size() const { return static_cast<std::int64_t>(ids_.size()); }
  void clear() { ids_.clear(); }

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> ids_;
};

// The result of a first pass over the package.
struct Survey {
  SmallObjects objects;
  CollectionMeta meta{};
  CollectionCounts counts{};
  CardHomes homes;                   // of cards with a note
  std::vector<std::string> guids;    // ascending
  std::set<std::int64_t> notetypes;  // that have notes
  IdFix notes, cards, reviews;
  bool has_scheduling = false;

  std::optional<std::size_t> PlaceOf(const std::string& guid) const {
    const auto found = std::lower_bound(guids.begin(), guids.end(), guid);
    return found == guids.end() || *found != guid
               ? std::nullopt
               : std::optional(static_cast<std::size_t>(found - guids.begin()));
  }
};

Survey SurveyOf(const CollectionFile& file, std::int64_t now_ms, const std::function<void()>& between_rows) {
  Survey survey;
  survey.counts = file.Counts();
  if (survey.counts.notes > kMaxNotes) throw TooManyRows("notes", kMaxNotes);
  if (survey.counts.cards > kMaxCards) throw TooManyRows("cards", kMaxCards);
  if (survey.counts.revlog > kMaxReviews) throw TooManyRows("reviews", kMaxReviews);
  survey.meta = file.Meta();
  survey.objects = file.ReadSmallObjects();
  survey.notes.Prepare(now_ms,
                       [&](std::int64_t after, std::int64_t limit) { return file.NoteIds(after, limit); });
  survey.cards.Prepare(now_ms,
                       [&](std::int64_t after, std::int64_t limit) { return file.CardIds(after, limit); });
  survey.reviews.Prepare(
      now_ms, [&](std::int64_t after, std::int64_t limit) { return file.ReviewIds(after, limit); });
  std::vector<std::int64_t> notes;
  file.EachNote(kBegin, kAll, [&](const Note& note) {
    between_rows();
    std::string guid = note.guid;
    MakeText(guid);
    // All are in memory. Anki's have ten characters.
    if (guid.size() > kMaxGuidBytes) {
      throw PackageRefused("package_damaged", "The package is damaged: the guid of a note is too long.");
    }
    survey.guids.push_back(std::move(guid));
    survey.notetypes.insert(note.notetype_id);
    notes.push_back(note.id);
  });
  std::sort(survey.guids.begin(), survey.guids.end());
  survey.guids.erase(std::unique(survey.guids.begin(), survey.guids.end()), survey.guids.end());
  file.EachCard(kBegin, kAll, [&](const Card& card) {
    between_rows();
    if (card.queue != 0) survey.has_scheduling = true;
    if (Has(notes, card.note_id)) survey.homes.emplace(card.deck_id, card.original_deck_id);
  });
  return survey;
}

// --- Our collection, in one snapshot

struct CardKey {
  std::int64_t note_id;
  std::int32_t ord;
  auto operator<=>(const CardKey&) const = default;
};

struct Ours {
  Collection head;
  std::string config;
  SmallObjects objects;
  std::vector<std::optional<KnownNote>> notes;   // with the guids of the survey
  std::vector<std::int64_t> note_ids, card_ids;  // all, ascending
  std::vector<CardKey> cards;                    // of these notes, ascending
};

// Beside the ids that are in use.
void AddDeleted(std::vector<std::int64_t>& ids, const std::vector<std::int64_t>& deleted) {
  ids.insert(ids.end(), deleted.begin(), deleted.end());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

std::optional<Ours> ReadOurs(Context& context, const Survey& survey, const ImportOptions& options,
                             const std::string& own_name, const std::function<void()>& between_rows) {
  return context.Read<CollectionStore, ImportStore>([&](CollectionStore& collections,
                                                        ImportStore& imports) -> std::optional<Ours> {
    Ours ours;
    const auto found = collections.FindWithConfig(kAnySize);
    if (!found) return std::nullopt;
    ours.head = found->first;
    ours.config = found->second;
    if (const auto key = imports.LiveSession(); key && !IsOwnSession(*key, own_name)) {
      throw ImportPutOff{"a device is syncing"};
    }
    if (!ours.head.IsImported()) throw ImportPutOff{"an upload is being imported"};
    const std::int32_t generation = ours.head.generation;
    const Since everything{generation, 0};
    ours.objects = collections.ObjectsSince(everything);
    ours.objects.tags = collections.TagsSince(everything);
    ours.notes.resize(survey.guids.size());
    // Of several notes with one guid the last one counts, as in Anki.
    imports.EachNote(generation,
                     [&](std::int64_t id, const std::string& guid, std::int64_t mod, std::int64_t notetype) {
                       between_rows();
                       ours.note_ids.push_back(id);
                       if (const auto place = survey.PlaceOf(guid)) ours.notes[*place] = {id, mod, notetype};
                     });
    std::vector<std::int64_t> shared;
    for (const auto& note : ours.notes) {
      if (note) shared.push_back(note->id);
    }
    std::sort(shared.begin(), shared.end());
    imports.EachCard(generation, [&](std::int64_t id, std::int64_t note, std::int32_t ord) {
      between_rows();
      ours.card_ids.push_back(id);
      if (Has(shared, note)) ours.cards.push_back({note, ord});
    });
    std::sort(ours.cards.begin(), ours.cards.end());
    if (options.avoids_deleted_ids) {
      const GraveIds deleted = collections.GravesSince(generation, 0);
      AddDeleted(ours.note_ids, deleted.notes);
      AddDeleted(ours.card_ids, deleted.cards);
    }
    return ours;
  });
}

// --- The import

class Importer {
 public:
  Importer(Context& context, const CollectionFile& file, PackageMedia& media, const ImportOptions& options,
           const ImportHost& host)
      : context_(context),
        file_(file),
        media_(media),
        options_(options),
        host_(host),
        survey_(SurveyOf(file, context.NowMs(), [&] { StepAside("reading the collection"); })) {
    total_ = 2 * survey_.counts.notes + survey_.counts.cards + survey_.counts.revlog;
  }

  // Throws Interrupted.
  ImportReport Run() {
    done_ = 0;
    report_ = {.kind = PackageKind::kApkg, .found_notes = survey_.counts.notes};
    host_.progress(done_, total_, "comparing");
    auto read = ReadOurs(context_, survey_, options_, host_.name, [&] { StepAside("comparing"); });
    if (!read) throw Interrupted{};  // created meanwhile, or replaced
    ours_ = std::move(*read);
    media_.Compare(
        [&](std::int64_t done, std::int64_t total) { host_.progress(done, total, "comparing media"); });
    Plan();
    media_.Store(
        [&](std::int64_t done, std::int64_t total) { host_.progress(done, total, "storing media"); });
    if (!ChangesCollection()) {
      context_.Write<Transaction>([&](Transaction& transaction) {
        Commit(transaction.tx);
        media_.Apply(transaction.tx);
      });
      return report_;
    }
    const auto begun = BeginOwnSession(context_, host_.name, ours_.head.generation, ours_.head.meta.usn);
    if (!begun) throw Interrupted{};
    key_ = *begun;
    try {
      StageObjects();
      StageNotes();
      StageCards();
      StageMovedCards();
      StageReviews();
      Apply();
    } catch (const Error& e) {
      EndOwnSession(context_, key_);
      if (e.kind() == ErrorKind::kConflict) throw Interrupted{};
      throw;
    } catch (...) {
      EndOwnSession(context_, key_);
      throw;
    }
    return report_;
  }

 private:
  struct Planned {
    NoteFate fate;
    std::int64_t id;  // of ours, or the new one
  };

  // Call for each row. Rows that are no part of the total count aside.
  void Step(std::string_view what) {
    if (++done_ % kRowsInStep == 0) host_.progress(done_, total_, what);
  }
  void StepAside(std::string_view what) {
    if (++aside_ % kRowsInStep == 0) host_.progress(done_, total_, what);
  }

  void Plan() {
    const DayConfig our_days = ReadDayConfig(ours_.config);
    if (our_days.scheduler < 2) {
      throw PackageRefused(
          "scheduler_upgrade_required",
          "Your collection uses the scheduler of Anki 2.0. Please upgrade it in Anki (the deck list "
          "offers it), sync, and import again.");
    }
    DayConfig source_days = ReadDayConfig(survey_.objects.config_json);
    upgrades_ = survey_.has_scheduling && source_days.scheduler < 2;
    // The day of a package is the importing account's day.
    source_days.local_west_min = our_days.local_west_min;
    if (upgrades_) {
      source_days.scheduler = 2;
      if (!source_days.creation_west_min) source_days.creation_west_min = our_days.local_west_min;
    }
    const std::int64_t now_s = context_.NowSeconds();
    moment_ = {ours_.head.meta.usn, context_.NowMs(), DaysElapsed(source_days, survey_.meta.created_s, now_s),
               DaysElapsed(our_days, ours_.head.meta.created_s, now_s)};

    std::vector<Object> notetypes;
    for (const Object& notetype : survey_.objects.notetypes) {
      if (survey_.notetypes.contains(notetype.id)) notetypes.push_back(notetype);
    }
    notetypes_ = ImportNotetypes(notetypes, ours_.objects.notetypes, options_, moment_);
    const PackageDecks decks = SelectDecks(survey_.objects, survey_.homes, options_);
    keeps_filtered_ = decks.keeps_filtered;
    decks_ = ImportDecks(decks, ours_.objects, moment_);
    deck_configs_ = ImportDeckConfigs(decks.configs, ours_.objects.deck_configs, moment_);
    report_.notetypes = notetypes_.outcomes;
    report_.decks = decks_.outcomes;
    report_.added_deck_configs = static_cast<std::int64_t>(deck_configs_.size());
    report_.kept_deck_configs = static_cast<std::int64_t>(decks.configs.size() - deck_configs_.size());
    to_nfc_ = FindMember(ours_.config, "normalize_note_text") != "false";
    tags_.emplace(ours_.objects.tags);
    PlanNotes();
    PlanCards();
    report_.added_tags = static_cast<std::int64_t>(tags_->added().size());
  }

  void PlanNotes() {
    plan_.clear();
    note_ids_.clear();
    merged_notes_.clear();
    FreeIds ids(std::move(ours_.note_ids));
    file_.EachNote(kBegin, kAll, [&](const Note& source) {
      Step("comparing");
      const auto notetype = notetypes_.ids.find(source.notetype_id);
      std::string guid = source.guid;
      MakeText(guid);
      const std::optional<KnownNote>& ours = ours_.notes.at(survey_.PlaceOf(guid).value());
      const std::int64_t notetype_id = notetype == notetypes_.ids.end() ? 0 : notetype->second;
      Planned planned{FateOf(ours, source.mod, notetype_id, options_), ours ? ours->id : 0};
      const std::int64_t source_id = survey_.notes.Of(source.id);
      switch (planned.fate) {
        case NoteFate::kAdded:
          ++report_.added_notes;
          break;
        case NoteFate::kUpdated:
          ++report_.updated_notes;
          break;
        case NoteFate::kDuplicate:
          ++report_.duplicate_notes;
          break;
        case NoteFate::kConflicting:
          Conflict(*ours);
          break;
      }
      const NotetypeMerge* const merge = MergeOf(source);
      if (merge != nullptr) merged_notes_.emplace_back(source.id, merge);
      if (planned.fate == NoteFate::kAdded || planned.fate == NoteFate::kUpdated) {
        RequireFields(source, notetype_id, merge);
        if (planned.fate == NoteFate::kAdded) planned.id = ids.Take(source_id);
        // Registers the tags.
        std::string tags = source.tags;
        MakeText(tags);
        tags_->Canonical(tags, options_.with_scheduling);
        if (!media_.empty()) WithOurMedia(source.fields);
      }
      if (planned.fate != NoteFate::kConflicting) note_ids_.Add(source.id, planned.id);
      plan_.push_back(planned);
    });
  }

  // The fields with the names that media files have here; marks these files as used.
  std::string WithOurMedia(const std::string& fields) {
    std::string result;
    for (std::size_t at = 0; at <= fields.size();) {
      const std::size_t end = std::min(fields.find('\x1f', at), fields.size());
      if (at > 0) result += '\x1f';
      result += ReplaceMediaReferences(std::string_view(fields).substr(at, end - at),
                                       [&](const std::string& name) { return media_.Use(name); });
      at = end + 1;
    }
    return result;
  }

  void Conflict(const KnownNote& ours) {
    if (options_.merge_notetypes) {
      throw PackageRefused(
          "merge_needs_full_sync",
          "Note " + std::to_string(ours.id) +
              " has another notetype than in the package. Merging them would need a full sync of every "
              "device. Please import without merging, or merge on a device.");
    }
    ++report_.conflicting_notes;
    if (report_.conflicts.size() < kListedConflicts) report_.conflicts.push_back(ours.id);
  }

  const NotetypeMerge* MergeOf(const Note& note) const {
    const auto found = notetypes_.merges.find(note.notetype_id);
    return found == notetypes_.merges.end() ? nullptr : &found->second;
  }
  // The template of a card, among ours.
  std::int32_t OrdOf(const Card& card) const {
    const auto found =
        std::lower_bound(merged_notes_.begin(), merged_notes_.end(), card.note_id,
                         [](const auto& merged, std::int64_t id) { return merged.first < id; });
    if (found == merged_notes_.end() || found->first != card.note_id) return card.ord;
    const std::vector<std::size_t>& templates = found->second->templates;
    const auto ord = static_cast<std::size_t>(card.ord);
    return card.ord < 0 || ord >= templates.size() ? card.ord : static_cast<std::int32_t>(templates[ord]);
  }

  void RequireFields(const Note& note, std::int64_t notetype_id, const NotetypeMerge* merge) const {
    const auto fields = notetypes_.field_counts.find(notetype_id);
    if (notetype_id == 0 || fields == notetypes_.field_counts.end()) {
      throw PackageRefused("package_damaged",
                           "The package is damaged: note " + std::to_string(note.id) +
                               " has a notetype that is not in it. Please export it again.");
    }
    // A clean-up of control characters would change the number, if the reader had not done so.
    const auto expected =
        merge != nullptr ? static_cast<std::int32_t>(merge->package_fields) : fields->second;
    if (FieldCount(note.fields) != std::max(expected, 1)) {
      throw PackageRefused("package_damaged",
                           "The package is damaged: note " + std::to_string(note.id) +
                               " has another number of fields than its notetype. Please use Check "
                               "Database in Anki, and export it again.");
    }
  }

  // Which cards are added, under which ids.
  void PlanCards() {
    card_ids_.clear();
    FreeIds ids(std::move(ours_.card_ids));
    const std::vector<CardKey>& known = ours_.cards;
    file_.EachCard(kBegin, kAll, [&](const Card& source) {
      StepAside("comparing");
      const auto note = note_ids_.Find(source.note_id);
      if (!note || std::binary_search(known.begin(), known.end(), CardKey{*note, OrdOf(source)})) return;
      card_ids_.Add(source.id, ids.Take(survey_.cards.Of(source.id)));
    });
    report_.added_cards = card_ids_.size();
  }

  bool ChangesCollection() const {
    return !notetypes_.taken.empty() || !decks_.taken.empty() || !deck_configs_.empty() ||
           !tags_->added().empty() || !host_.moved.empty() ||
           report_.added_notes + report_.updated_notes + report_.added_cards > 0;
  }

  void StageObjects() {
    MergedChanges merged;
    const auto add = [&](const std::vector<TakenObject>& taken) {
      merged.objects.insert(merged.objects.end(), taken.begin(), taken.end());
    };
    add(notetypes_.taken);
    add(decks_.taken);
    add(deck_configs_);
    merged.tags = tags_->added();
    merged.new_notetypes = notetypes_.added;
    merged.new_decks = decks_.added;
    merged.new_deck_configs = static_cast<std::int32_t>(deck_configs_.size());
    if (merged.objects.empty() && merged.tags.empty()) return;
    std::int64_t bytes = 0;
    for (const TakenObject& taken : merged.objects) {
      bytes += static_cast<std::int64_t>(taken.object.json.size() + taken.object.name.size()) + 200;
    }
    for (const auto& [key, name] : merged.tags)
      bytes += static_cast<std::int64_t>(key.size() + name.size()) + 100;
    const std::int32_t parts = (merged.objects.empty() ? 0 : kObjects) | (merged.tags.empty() ? 0 : kTags);
    context_.Write<SessionStore>([&](SessionStore& sessions) {
      sessions.StageChanges(sessions.Touch(key_, kOwnSessionMinutes, {parts, bytes}), merged, {});
    });
  }

  // Stages what has been collected, and begins a new chunk.
  void Stage(ReceivedChunk& chunk) {
    DiskReserve(context_).Require();
    context_
        .Write<SessionStore>(
            [&](SessionStore& sessions) { return sessions.StageChunk(key_, kOwnSessionMinutes, chunk); })
        .Get();
    chunk = {};
    bytes_ = 0;
  }

  void StageNotes() {
    if (report_.added_notes + report_.updated_notes == 0) return;
    ReceivedChunk chunk;
    std::size_t i = 0;
    file_.EachNote(kBegin, kAll, [&](const Note& source) {
      Step("importing notes");
      const Planned& planned = plan_.at(i++);
      if (planned.fate != NoteFate::kAdded && planned.fate != NoteFate::kUpdated) return;
      Note note = source;
      note.id = planned.id;
      note.notetype_id = notetypes_.ids.at(source.notetype_id);
      note.usn = moment_.usn;
      if (const NotetypeMerge* const merge = MergeOf(source)) note.fields = MergedFields(note.fields, *merge);
      MakeText(note.guid);
      MakeText(note.tags);
      MakeText(note.fields);
      note.tags = tags_->Canonical(note.tags, options_.with_scheduling);
      note.fields = WithOurMedia(note.fields);
      NormalizeFields(note.fields, to_nfc_);
      bytes_ += note.fields.size() + note.tags.size();
      if (host_.stored) host_.stored(note);
      chunk.notes.Add(std::move(note));
      if (chunk.notes.ids.size() >= kStagedRows || bytes_ >= kStagedBytes) Stage(chunk);
    });
    if (!chunk.notes.ids.empty()) Stage(chunk);
  }

  void StageMovedCards() {
    if (host_.moved.empty()) return;
    ReceivedChunk chunk;
    for (const MovedCard& moved : host_.moved) {
      Card card = moved.card;
      (card.original_deck_id != 0 ? card.original_deck_id : card.deck_id) = OurDeck(moved.package_deck);
      card.usn = moment_.usn;
      chunk.cards.Add(card);
    }
    Stage(chunk);
  }

  void StageCards() {
    if (card_ids_.empty()) return;
    const auto next_position = FindMember(survey_.objects.config_json, "nextPos");
    CardPreparation preparation(survey_.objects, upgrades_, keeps_filtered_, options_,
                                next_position ? WholeNumber(*next_position).value_or(0) : 0);
    ReceivedChunk chunk;
    file_.EachCard(kBegin, kAll, [&](const Card& source) {
      Step("importing cards");
      const auto note = note_ids_.Find(source.note_id);
      if (!note && !HasNote(source.note_id)) return;
      Card card = source;
      MakeText(card.data);
      // Also for existing cards, because a reset assigns positions in order.
      preparation.Prepare(card);
      const auto id = card_ids_.Find(source.id);
      if (!id || !note) return;
      card.id = *id;
      card.note_id = *note;
      card.ord = OrdOf(source);
      card.deck_id = OurDeck(card.deck_id);
      if (card.original_deck_id != 0) card.original_deck_id = OurDeck(card.original_deck_id);
      card.usn = moment_.usn;
      ShiftDays(card, moment_);
      bytes_ += card.data.size();
      chunk.cards.Add(card);
      if (chunk.cards.ids.size() >= kStagedRows || bytes_ >= kStagedBytes) Stage(chunk);
    });
    if (!chunk.cards.ids.empty()) Stage(chunk);
  }

  // Whether the package has the note of a card; a conflicting note is in no map.
  bool HasNote(std::int64_t id) const {
    return report_.conflicting_notes > 0 && !file_.ExistingNotes({id}).empty();
  }

  std::int64_t OurDeck(std::int64_t package_id) const {
    const auto found = decks_.ids.find(package_id);
    return found == decks_.ids.end() ? kDefaultDeck : found->second;
  }

  void StageReviews() {
    if (!options_.with_scheduling || card_ids_.empty()) return;
    const CardPreparation preparation(survey_.objects, upgrades_, keeps_filtered_, options_, 0);
    std::vector<Review> page;
    const auto stage = [&] {
      std::vector<std::int64_t> ids;
      for (const Review& review : page) ids.push_back(review.id);
      auto known = context_.Read<ImportStore>(
          [&](ImportStore& imports) { return imports.KnownReviews(ours_.head.generation, ids); });
      std::sort(known.begin(), known.end());
      ReceivedChunk chunk;
      for (const Review& review : page) {
        if (!Has(known, review.id)) chunk.revlog.Add(review);
      }
      report_.added_reviews += static_cast<std::int64_t>(chunk.revlog.ids.size());
      page.clear();
      if (!chunk.revlog.ids.empty()) Stage(chunk);
    };
    file_.EachReview(kBegin, kAll, [&](const Review& source) {
      Step("importing reviews");
      const auto card = card_ids_.Find(source.card_id);
      if (!card) return;
      Review review = source;
      preparation.Prepare(review);
      review.id = survey_.reviews.Of(source.id);
      review.card_id = *card;
      review.usn = moment_.usn;
      page.push_back(review);
      if (page.size() >= kStagedRows) stage();
    });
    if (!page.empty()) stage();
  }

  void Apply() {
    host_.progress(done_, total_, "storing");
    ApplyOwnSession(
        context_, key_, [&](sql::Tx& tx) { Commit(tx); }, [&](sql::Tx& tx) { media_.Apply(tx); });
    host_.progress(total_, total_, "done");
  }

  // Locks the media, and lets the host commit its part.
  void Commit(sql::Tx& tx) {
    if (!media_.Lock(tx)) throw Interrupted{};
    report_.media = media_.report();
    host_.commit(tx, report_);
  }

  Context& context_;
  const CollectionFile& file_;
  PackageMedia& media_;
  const ImportOptions& options_;
  const ImportHost& host_;
  std::int64_t done_ = 0, aside_ = 0, total_ = 0;  // before the survey, which counts rows
  const Survey survey_;

  // Of one attempt.
  Ours ours_;
  ImportMoment moment_;
  NotetypeImport notetypes_;
  DeckImport decks_;
  std::vector<TakenObject> deck_configs_;
  std::optional<ImportedTags> tags_;
  bool upgrades_ = false, keeps_filtered_ = true, to_nfc_ = true;
  std::vector<Planned> plan_;  // of the package's notes, in order
  IdMap note_ids_;             // without conflicts
  IdMap card_ids_;             // of those that are added
  std::vector<std::pair<std::int64_t, const NotetypeMerge*>> merged_notes_;  // by the package's id
  std::string key_;
  std::size_t bytes_ = 0;  // of the texts in the chunk that is being collected
  ImportReport report_;
};

// Writes to a file as long as the disk has room and the import continues.
class GuardedSink : public BodySink {
 public:
  GuardedSink(Context& context, TempFile& file, const ImportHost& host)
      : disk_(context), file_(file), host_(host) {}
  void Write(std::string_view bytes) override {
    disk_.Wrote(bytes.size());
    file_.Write(bytes);
    host_.progress(0, 0, "reading the package");
  }

 private:
  DiskReserve disk_;
  TempFile& file_;
  const ImportHost& host_;
};

CollectionFile OpenCollection(Context& context, const TempFile& plain, const ImportHost& host) {
  return CollectionFile::Open(plain.path(), CollectionFile::Check::kFull,
                              context.config().Of<Settings>().max_message_mib << 20,
                              [&] { host.progress(0, 0, "checking the collection"); });
}

void RequireNoSession(Context& context) {
  const auto key = context.Read<ImportStore>([](ImportStore& imports) { return imports.LiveSession(); });
  if (key) throw ImportPutOff{"a device is syncing"};
}

}  // namespace

ImportReport ImportPackage(Context& context, const TempFile& package, PackageKind kind,
                           const ImportOptions& options, const ImportHost& host) {
  host.progress(0, 0, "reading the package");
  const PackageFile opened = PackageFile::Open(package.path());
  TempFile plain(context.config().temp_dir);
  GuardedSink sink(context, plain, host);
  opened.ReadCollection(static_cast<std::uint64_t>(context.config().Of<Settings>().max_collection_mib) << 20,
                        sink);
  Reservation room =
      context.WithDatabase([&](sql::Database& database) { return Reservation(database, context.user(), 0); });
  PackageMedia media(context, opened, room);
  host.progress(0, 0, "checking the collection");
  if (kind == PackageKind::kColpkg) {
    RequireNoSession(context);
    ImportReport report{.kind = kind};
    media.UseAll();
    media.Store([&](std::int64_t done, std::int64_t total) { host.progress(done, total, "storing media"); });
    host.progress(0, 0, "replacing the collection");
    const auto begin = [&](sql::Tx& tx) {
      media.Lock(tx);
      report.media = media.report();
      host.commit(tx, report);
    };
    ReplaceCollection(context, plain, room, begin, [&](sql::Tx& tx) { media.Apply(tx); });
    return report;
  }
  EnsureCollection(context);
  const CollectionFile file = OpenCollection(context, plain, host);
  try {
    Importer importer(context, file, media, options, host);
    for (int attempt = 1; attempt <= kAttempts; ++attempt) {
      try {
        return importer.Run();
      } catch (const Interrupted&) {
        host.progress(0, 0, "a device has synced, comparing again");
      }
    }
  } catch (const BadObject& e) {
    throw PackageRefused("package_damaged",
                         "The package is damaged: one of its notetypes, decks or options groups "
                         "cannot be read. Please export it again.");
  }
  throw ImportPutOff{"devices are syncing"};
}

JobId ReceivePackage(Context& context, BodySource& body, std::optional<std::size_t> bytes, PackageKind kind,
                     const std::optional<std::string>& file_name, const ImportOptions& options) {
  return context.WithDatabase([&](sql::Database& database) {
    Reservation room(database, context.user(), static_cast<std::int64_t>(bytes.value_or(0)));
    DiskReserve disk(context);
    // In the database and in its log.
    disk.Require(2 * static_cast<std::int64_t>(bytes.value_or(0)));
    BlobWriter writer(database, &room);
    std::vector<char> piece(256 << 10);
    std::size_t total = 0;
    while (const std::size_t got = body.Read(piece.data(), piece.size())) {
      // A renamed file of another kind is refused at once.
      if (total == 0 && piece[0] != 'P') throw BadInput("not_a_package");
      total += got;
      disk.Wrote(got);
      writer.Write({piece.data(), got});
    }
    if (total == 0) throw BadInput("empty_body");
    const BlobInfo blob = writer.Finish();
    const JobId id =
        context.Write<ImportStore, Transaction>([&](ImportStore& imports, Transaction& transaction) {
          room.Settle(transaction.tx);
          return imports.Add({kind, Print(options), file_name, blob});
        });
    writer.Keep();
    return id;
  });
}

namespace {

constexpr const char* kWhen[] = {"if_newer", "always", "never"};

UpdateWhen WhenOf(const std::string& text) {
  for (int i = 0; i < 3; ++i) {
    if (text == kWhen[i]) return static_cast<UpdateWhen>(i);
  }
  return UpdateWhen::kIfNewer;
}

void PrintOutcomes(JsonWriter& json, std::string_view key, const std::vector<ObjectOutcome>& outcomes) {
  json.Array(key);
  for (std::size_t i = 0; i < std::min(outcomes.size(), kListedObjects); ++i) {
    // As text: clients that read doubles would lose digits.
    json.Object()
        .Add("id", std::to_string(outcomes[i].id))
        .Add("name", outcomes[i].name)
        .Add("what", outcomes[i].what)
        .End();
  }
  json.End();
}

}  // namespace

std::string Print(const ImportOptions& options) {
  return JsonWriter()
      .Object()
      .Add("merge_notetypes", options.merge_notetypes)
      .Add("update_notes", kWhen[static_cast<int>(options.update_notes)])
      .Add("update_notetypes", kWhen[static_cast<int>(options.update_notetypes)])
      .Add("with_scheduling", options.with_scheduling)
      .Add("with_deck_configs", options.with_deck_configs)
      .Finish();
}

ImportOptions ParseImportOptions(const std::string& json) {
  return ReadJson(json, [](const JsonObject& in) {
    return ImportOptions{.merge_notetypes = in.Bool("merge_notetypes"),
                         .update_notes = WhenOf(in.Text("update_notes", 20)),
                         .update_notetypes = WhenOf(in.Text("update_notetypes", 20)),
                         .with_scheduling = in.Bool("with_scheduling"),
                         .with_deck_configs = in.Bool("with_deck_configs")};
  });
}

std::string Print(const ImportReport& report) {
  JsonWriter json;
  json.Object().Add("kind", NameOf(report.kind));
  if (report.kind == PackageKind::kApkg) {
    json.Object("notes")
        .Add("found", report.found_notes)
        .Add("added", report.added_notes)
        .Add("updated", report.updated_notes)
        .Add("duplicate", report.duplicate_notes)
        .Add("conflicting", report.conflicting_notes)
        .Array("conflicts");
    for (const std::int64_t id : report.conflicts) json.Add(std::to_string(id));
    json.End().End();
    json.Object("cards").Add("added", report.added_cards).End();
    json.Object("reviews").Add("added", report.added_reviews).End();
    json.Object("tags").Add("added", report.added_tags).End();
    json.Object("deck_configs")
        .Add("added", report.added_deck_configs)
        .Add("kept", report.kept_deck_configs)
        .End();
    PrintOutcomes(json, "notetypes", report.notetypes);
    PrintOutcomes(json, "decks", report.decks);
  }
  json.Object("media")
      .Add("found", report.media.found)
      .Add("added", report.media.added)
      .Add("renamed", report.media.renamed)
      .Add("unchanged", report.media.unchanged)
      .Add("kept_yours", report.media.kept)
      .Add("unused", report.media.unused)
      .Array("skipped");
  for (const auto& [name, why] : report.media.skipped) json.Object().Add("name", name).Add("why", why).End();
  json.End().End();
  return json.Finish();
}

}  // namespace syncline::anki
