#pragma once
// Computes the entry that results from its owner's change. Pure.
//
// Without the automatic rules every field is stored as given: progress may exceed the number of episodes.
// With them
// - status completed sets the progress to the number of episodes, if known, and the finish day, if unset;
// - the first progress sets status watching, and the start day, if unset;
// - progress to the last episode sets status completed; during a rewatch it ends the rewatch and counts it;
// - progress beyond a known number of episodes is refused, unless it is the stored value.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::anime {

inline constexpr std::string_view kWatchStatuses[] = {"watching", "completed", "plan_to_watch", "dropped",
                                                      "on_hold"};
inline constexpr std::int64_t kMaxRewatches = 1000;
inline constexpr std::size_t kMaxNoteCharacters = 5000;
inline constexpr std::size_t kMaxTags = 32, kMaxTagCharacters = 50;

struct EntryFields {
  std::string status;
  std::optional<double> score;
  std::optional<std::int64_t> progress;
  std::optional<std::string> started_on, finished_on;  ///< "2026-02-28"
  std::int64_t rewatches = 0;
  bool rewatching = false;
  std::optional<std::string> notes;
  std::int64_t priority = 0;
  std::vector<std::string> tags;
  bool is_private = false;
  bool operator==(const EntryFields&) const = default;
};

/// None: unchanged. For an optional field, an inner none clears it.
struct EntryChange {
  std::optional<std::string> status;
  std::optional<std::optional<double>> score;
  std::optional<std::optional<std::int64_t>> progress;
  std::optional<std::optional<std::string>> started_on, finished_on;
  std::optional<std::int64_t> rewatches;
  std::optional<bool> rewatching;
  std::optional<std::optional<std::string>> notes;
  std::optional<std::int64_t> priority;
  std::optional<std::vector<std::string>> tags;
  std::optional<bool> is_private;

  bool IsEmpty() const;
};

struct EntryCircumstances {
  std::optional<std::int64_t> episodes;  ///< of the title
  bool has_auto_rules = false;
  std::string today;  ///< "2026-02-28", in UTC
};

/// `before`: none for a new entry, whose change has a status. Throws InputError "value_error" if the finish
/// day is before the start day, "less_than_equal" for progress beyond the last episode; both only if the
/// change touches them.
EntryFields Changed(const std::optional<EntryFields>& before, const EntryChange& change,
                    const EntryCircumstances& circumstances);

}  // namespace syncline::anime
