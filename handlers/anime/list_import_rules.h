#pragma once
// Merges an entry of a file (mal_xml_wire.h) into the list's entry for the same title. Pure.
//
// MyAnimeList files have no modification times, and less detail than we store: whole scores, no difference
// between no progress and progress 0, no comma in a tag. So under every strategy the stored value is kept if
// an export would write it as the file has it: exporting a list and importing it again changes nothing.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anime/entry_rules.h"
#include "handlers/anime/mal_xml_wire.h"

namespace syncline::anime {

enum class ImportStrategy {
  /// Existing entries are unchanged.
  kKeep,
  /// The file's values, but progress and rewatches never decrease, completed stays completed, and no set
  /// value is cleared.
  kNewer,
  /// The file's values.
  kOverwrite
};
inline constexpr std::string_view kImportStrategies[] = {"keep", "newer", "overwrite"};

/// An entry as exported: the part of MalEntry about the viewer.
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
