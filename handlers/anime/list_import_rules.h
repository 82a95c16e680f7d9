#pragma once
// What an entry of a list becomes when a file (mal_xml_wire.h) brings one for the same title. Pure.
//
// Files of MyAnimeList carry no time of change, and say less than we know: whole scores, no difference between no progress
// and progress 0, no comma in a tag. So a value that is what an export would say of the stored one leaves the stored one,
// under every strategy: a list that is exported and imported stays as it is.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anime/entry_rules.h"
#include "handlers/anime/mal_xml_wire.h"

namespace syncline::anime {

enum class ImportStrategy {
  /// Entries that are there already stay.
  kKeep,
  /// The file's values, but progress and rewatches never become less, completed stays completed, and nothing that is set
  /// becomes unset.
  kNewer,
  /// The file's values.
  kOverwrite
};
inline constexpr std::string_view kImportStrategies[] = {"keep", "newer", "overwrite"};

/// What an export says of an entry: the part of MalEntry about the viewer.
MalEntry AsMal(const EntryFields& fields);

struct Imported {
  enum class What {
    kAdded,
    kUpdated,
    kUnchanged,
    kKept  ///< the file differs, and the strategy is kKeep
  } what{};
  EntryFields fields;
  std::vector<MalProblem> problems;  ///< values of the file that were not taken
};

/// `stored`: none if the title is not in the list. `file`: without a failure.
Imported Import(const std::optional<EntryFields>& stored, const MalEntry& file, ImportStrategy strategy);

}  // namespace syncline::anime
