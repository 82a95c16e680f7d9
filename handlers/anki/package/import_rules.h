#pragma once
// Decides what an imported package (.apkg) changes: which of its notetypes, decks, options and tags become ours, which
// note is new, which card gets which id and day. Pure: takes the content of both sides, returns what to store.
//
// The rules are those of Anki's importer, so that an import here and one on a device give the same collection, with these
// exceptions, which let every device receive it by its next normal sync:
//  - what would change the fields or templates of a notetype that is in use, or its sort field, is not done: merging is
//    refused where the package has fields or templates that ours lacks, and an update keeps our sort field;
//  - an updated notetype or deck never gets an older modification time than ours, which clients would ignore;
//  - a card in a deck that the package does not have goes to the deck "Default".
// Looks up in sorted containers, because a hostile package can choose ids and names so that a hash table takes quadratic
// time. Left out on purpose: reading packages, the database, media files. Source: reference, sections 9.3 and 9.4.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/anki/collection/config_wire.h"
#include "handlers/anki/collection/merge_rules.h"
#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki {

enum class UpdateWhen { kIfNewer = 0, kAlways = 1, kNever = 2 };

/// The choices that Anki's import dialog offers, with its defaults.
struct ImportOptions {
  bool merge_notetypes = false;
  UpdateWhen update_notes = UpdateWhen::kIfNewer;
  UpdateWhen update_notetypes = UpdateWhen::kIfNewer;
  bool with_scheduling = false;
  bool with_deck_configs = false;
  /// A note that has another notetype here gets the package's, and keeps its cards: their templates must have the same places in
  /// both. No choice of users.
  bool changes_notetypes = false;
  /// New notes and cards get no id that a deleted one had. A client that deletes such a one again does not send that, because it
  /// knows the id as deleted (seen with version 26.09), and then asks for a full sync. No choice of users: Anki's importer takes them.
  bool avoids_deleted_ids = false;
};

/// The outcome of an import for one notetype or deck.
struct ObjectOutcome {
  std::int64_t id;  ///< in the account's collection
  std::string name;
  /// "added"; "updated"; "unchanged"; for a notetype also "added_as_copy" (ours with its id has other fields or
  /// templates) and "matched_copy" (a copy that an earlier import has added).
  const char* what;
};

/// The time of the import, its day in either collection, and its cost limits.
struct ImportMoment {
  Usn usn = 0;  ///< given to what is stored
  std::int64_t now_ms = 0;
  std::int64_t source_day = 0, our_day = 0;
  /// Bytes of names that are looked up, and objects that are compared with another one: some seconds. Past that the
  /// package is refused as "package_too_large"; one with 50,000 decks needs less.
  std::size_t most_work = std::size_t{1} << 28;
};

/// How notes and cards of a package's notetype become those of ours, which has more fields or templates, or has them in
/// another order.
struct NotetypeMerge {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<std::size_t> fields;     ///< for each of ours: the package's, or kNone
  std::vector<std::size_t> templates;  ///< for each of the package's: ours
  std::size_t package_fields = 0;
};
/// The fields of a note, in our order. They must be `package_fields`.
std::string MergedFields(std::string_view fields, const NotetypeMerge& merge);

struct NotetypeImport {
  std::vector<TakenObject> taken;
  std::int32_t added = 0;
  std::map<std::int64_t, std::int64_t> ids;           ///< of the package -> ours
  std::map<std::int64_t, std::int32_t> field_counts;  ///< by our id
  std::map<std::int64_t, NotetypeMerge> merges;       ///< by the package's id; only what changes something
  std::vector<ObjectOutcome> outcomes;
};

/// `incoming`: the package's notetypes that have notes. Throws PackageRefused "notetype_kinds_differ",
/// "merge_needs_full_sync".
NotetypeImport ImportNotetypes(const std::vector<Object>& incoming, const std::vector<Object>& ours,
                               const ImportOptions& options, const ImportMoment& moment);

/// Deck and original deck of cards.
using CardHomes = std::set<std::pair<std::int64_t, std::int64_t>>;

/// The part of a package's decks and options that is imported, as the options want it.
struct PackageDecks {
  std::vector<Object> decks, configs;
  /// False: cards leave the package's filtered decks, which become normal ones.
  bool keeps_filtered = true;
};
PackageDecks SelectDecks(const SmallObjects& package, const CardHomes& homes, const ImportOptions& options);

struct DeckImport {
  std::vector<TakenObject> taken;
  std::int32_t added = 0;
  std::map<std::int64_t, std::int64_t> ids;  ///< of the package -> ours
  std::vector<ObjectOutcome> outcomes;
};
DeckImport ImportDecks(const PackageDecks& package, const SmallObjects& ours, const ImportMoment& moment);
/// Options groups whose id is free; ours are never changed.
std::vector<TakenObject> ImportDeckConfigs(const std::vector<Object>& incoming,
                                           const std::vector<Object>& ours, const ImportMoment& moment);

/// The account's tags, and those that the import adds.
class ImportedTags {
 public:
  explicit ImportedTags(const std::vector<Tag>& ours);
  /// The tags of a note, each in the spelling that we have or now get, sorted. `keeps_system_tags`: false removes
  /// "marked" and "leech".
  std::string Canonical(std::string_view tags, bool keeps_system_tags);
  /// Case-folded key and name.
  const std::vector<std::pair<std::string, std::string>>& added() const { return added_; }

 private:
  std::string Register(std::string_view tag);
  std::map<std::string, std::string> names_;  // by key
  std::vector<std::pair<std::string, std::string>> added_;
};

/// The decision about a note of the package.
enum class NoteFate { kAdded, kUpdated, kDuplicate, kConflicting };
struct KnownNote {
  std::int64_t id, mod, notetype_id;
};
/// `ours`: our note with the same guid. `notetype_id`: of the incoming note, as ours.
NoteFate FateOf(const std::optional<KnownNote>& ours, std::int64_t incoming_mod, std::int64_t notetype_id,
                const ImportOptions& options);

/// Removes control characters, and brings the text into normal form C if the collection wants that.
void NormalizeFields(std::string& fields, bool to_nfc);

/// Ids that are in use, and new ones beside them.
class FreeIds {
 public:
  /// `used`: ascending. `most_steps`: of all ids together, a few seconds; the ids after that are the highest in use and one.
  explicit FreeIds(std::vector<std::int64_t> used, std::int64_t most_steps = 20'000'000)
      : used_(std::move(used)), highest_(used_.empty() ? 0 : used_.back()), steps_left_(most_steps) {}
  /// The id itself if it is free, else the next free one in steps of 999. It is in use from now on. Call with ascending
  /// ids.
  std::int64_t Take(std::int64_t id);

 private:
  bool IsUsed(std::int64_t id) const;
  std::vector<std::int64_t> used_;
  std::set<std::int64_t> moved_;  // taken for others; what was taken as it is lies below the next id
  std::int64_t highest_;          // of all in use
  std::int64_t steps_left_;
};

/// Converts the package's cards and reviews to the form that a current client writes.
class CardPreparation {
 public:
  /// `upgrades`: the package has the scheduler of Anki 2.0, and scheduling. `next_position`: for cards that lose
  /// theirs.
  CardPreparation(const SmallObjects& package, bool upgrades, bool keeps_filtered,
                  const ImportOptions& options, std::int64_t next_position);
  /// Upgrades the card, then resets it if it is imported without scheduling.
  void Prepare(Card& card);
  void Prepare(Review& review) const;

 private:
  struct Filter {
    bool has_steps = false, reschedules = false;
  };
  void Upgrade(Card& card) const;
  void Reset(Card& card);

  std::map<std::int64_t, Filter> filters_;                               // filtered decks
  std::map<std::int64_t, std::int64_t> deck_configs_;                    // normal decks
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> steps_;  // by config: learning, relearning
  bool upgrades_, keeps_filtered_, with_scheduling_;
  std::int64_t next_position_;
};

/// Moves due days from the package's calendar to ours.
void ShiftDays(Card& card, const ImportMoment& moment);

}  // namespace syncline::anki
