#pragma once
// An account's list: its entries, their history, and the account's settings for it.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/anime/entry_rules.h"
#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anime {

inline constexpr std::int64_t kMaxEntries = 20'000;  ///< of a list

/// The fields of its title that an entry shows.
struct EntryTitle {
  std::int64_t id = 0, mal_id = 0;
  std::string title;
  std::optional<std::string> image_url;
  std::optional<double> score;
  std::optional<std::int64_t> episodes;
};

struct Entry {
  std::int64_t id = 0;
  EntryFields fields;
  std::int64_t revision = 0;
  sql::Time created_at{}, updated_at{};
  EntryTitle title;
};

struct ExportedEntry {
  Entry entry;
  std::optional<std::string> type;  ///< of the title: "TV"
};

struct EntryFilter {
  std::optional<std::string> status;
  std::optional<std::string> search;  ///< part of any title
};

struct EntryPage {
  std::string order = "created";  ///< created, updated, title, score, progress
  std::int64_t limit = 0, offset = 0;
};

struct ListCounts {
  std::int64_t total = 0, watching = 0, completed = 0, plan_to_watch = 0, dropped = 0, on_hold = 0;
  std::int64_t episodes_watched = 0, rewatches = 0, scored = 0;
  std::optional<double> mean_score;
  struct OfGenre {
    std::int64_t id = 0;
    std::string name;
    std::int64_t count = 0;
    std::optional<double> mean_score;
  };
  std::vector<OfGenre> top_genres;
};

/// None before: added. None after: deleted.
struct ListChange {
  std::int64_t id = 0, anime_id = 0, mal_id = 0;
  std::string title;
  sql::Time changed_at{};
  struct State {
    std::string status;
    std::optional<double> score;
    std::optional<std::int64_t> progress;
    std::int64_t rewatches = 0;
  };
  std::optional<State> before, after;
};

class EntryStore {
 public:
  EntryStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// At most `limit` entries following `after` (none: from the beginning), newest first.
  std::vector<Entry> List(const std::optional<std::string>& status, std::int64_t limit,
                          const std::optional<Entry>& after = std::nullopt);
  /// How many entries it has.
  std::int64_t Number(const std::optional<std::string>& status);
  /// A page of it, and how many entries all pages have.
  std::pair<std::vector<Entry>, std::int64_t> Page(const EntryFilter& filter, const EntryPage& page);
  std::optional<Entry> Find(std::int64_t anime_id);

  /// The data needed to add or change an entry. Locks the entry if it exists.
  struct Current {
    std::optional<EntryTitle> title;  ///< none: no such title
    std::optional<Entry> entry;
    bool has_auto_rules = false;
  };
  Current Lock(std::int64_t anime_id);
  /// For several titles: the shown fields of known titles, and the existing entries.
  std::vector<EntryTitle> TitlesByMal(const std::vector<std::int64_t>& mal_ids);
  std::vector<Entry> FindAllByMal(const std::vector<std::int64_t>& mal_ids);
  std::vector<Entry> LockAllByMal(const std::vector<std::int64_t>& mal_ids);
  /// How many entries the list can still take (kMaxEntries); callers of Add check it. Concurrent Adds may
  /// each exceed it by one.
  std::int64_t Room();
  /// None if the title is in the list already, because a concurrent request added it since Lock; also if the
  /// title was just deleted.
  std::optional<Entry> Add(const EntryTitle& title, const EntryFields& fields);
  /// The entry must be locked.
  Entry Change(const Entry& entry, const EntryFields& fields);
  /// False: there is none.
  bool Delete(std::int64_t anime_id);

  /// At most `limit` entries by ascending id of their titles, after the one of the title `after`.
  std::vector<ExportedEntry> Export(std::int64_t after, std::int64_t limit);
  ListCounts Count();
  /// At most `limit` changes before the one with id `before`, newest first.
  std::vector<ListChange> History(std::int64_t before, std::int64_t limit,
                                  std::optional<std::int64_t> anime_id);
  bool HasAutoRules();
  void SetAutoRules(bool has);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anime
