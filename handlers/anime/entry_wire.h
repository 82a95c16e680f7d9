#pragma once
// Entries of lists as this protocol's JSON, and the bodies about them.
#include <string>
#include <vector>

#include "handlers/anime/entry_rules.h"
#include "handlers/anime/entry_store.h"
#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"

namespace syncline::anime {

/// `is_full`: also the fields that the original does not have, after `progress`.
std::string PrintEntry(const Entry& entry, bool is_full);
std::string PrintEntries(const std::vector<Entry>& entries, bool is_full);
std::string PrintCounts(const ListCounts& counts);
std::string PrintHistory(const std::vector<ListChange>& changes);

struct NewEntry {
  std::int64_t anime_id = 0;
  EntryChange fields;  ///< with a status
};
NewEntry ReadNewEntry(const JsonObject& in);
EntryChange ReadEntryChange(const JsonObject& in);

}  // namespace syncline::anime
