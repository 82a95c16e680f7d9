#pragma once
// Runs as JSON, as the API calls them: updates. Nine keys are those of the original, the others are ours.
#include <string>
#include <string_view>

#include "handlers/base/json_writer.h"
#include "handlers/schedule/runs/run_store.h"

namespace syncline::schedule {

/// "in_progress", "success", "failed": the values that old clients know.
std::string_view StatusOf(std::string_view state);
/// All states of such a status; none for an unknown one.
std::vector<std::string> StatesOf(std::string_view status);

/// The public reason of a run's failure, in Russian; "" if there is none.
std::string SentenceOf(const Run& run);
/// The same, by the code alone.
std::string_view SentenceOfCode(std::string_view code);

/// Adds one object. `has_details`: with what only administrators see.
void AddRun(JsonWriter& json, const Run& run, bool has_details, sql::Time now);
std::string PrintRun(const Run& run, bool has_details, sql::Time now);
/// The part that changes with progress: equal runs give equal texts at any time.
std::string StampOf(const Run& run, bool has_details);

std::string PrintRunGroups(const Run& run, const std::vector<RunGroup>& groups);

}  // namespace syncline::schedule
