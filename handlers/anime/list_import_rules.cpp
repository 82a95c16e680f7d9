#include "handlers/anime/list_import_rules.h"

#include <algorithm>

namespace syncline::anime {
namespace {

// MyAnimeList counts rewatches in a byte, and has lists where it went below zero.
constexpr std::int64_t kUnderflow = 255;

std::optional<std::string> NotEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

bool IsReversed(const EntryFields& fields) {
  return fields.started_on && fields.finished_on && *fields.finished_on < *fields.started_on;
}

class Merge {
 public:
  Merge(const std::optional<EntryFields>& stored, const MalEntry& file, ImportStrategy strategy)
      : file_(file),
        is_newer_(stored && strategy == ImportStrategy::kNewer),
        said_(stored ? std::optional(AsMal(*stored)) : std::nullopt) {
    result_.fields = stored.value_or(EntryFields{});
  }

  Imported Run() {
    EntryFields& fields = result_.fields;
    const EntryFields before = fields;
    Status();
    if (const auto score = Given(&MalEntry::score)) Set(fields.score, *score > 0 ? score : std::nullopt);
    if (const auto progress = Given(&MalEntry::progress);
        progress && !IsLess(*progress, fields.progress.value_or(0)))
      fields.progress = progress;
    Rewatches();
    if (const auto notes = Given(&MalEntry::notes)) Set(fields.notes, NotEmpty(*notes));
    if (const auto priority = Given(&MalEntry::priority); priority && !IsLess(*priority, fields.priority))
      fields.priority = *priority;
    if (const auto tags = Given(&MalEntry::tags); tags && !(is_newer_ && tags->empty())) fields.tags = *tags;
    Dates(before);
    return std::move(result_);
  }

 private:
  // The file's value if it differs from an export of the stored entry.
  template <typename T>
  std::optional<T> Given(std::optional<T> MalEntry::*field) const {
    const std::optional<T>& value = file_.*field;
    return said_ && value == (*said_).*field ? std::nullopt : value;
  }

  bool IsLess(std::int64_t value, std::int64_t stored) const { return is_newer_ && value < stored; }

  template <typename T>
  void Set(std::optional<T>& field, std::optional<T> value) const {
    if (value || !is_newer_) field = std::move(value);
  }

  void Status() {
    const auto status = Given(&MalEntry::status);
    if (status && !(is_newer_ && result_.fields.status == "completed")) result_.fields.status = *status;
  }

  void Rewatches() {
    EntryFields& fields = result_.fields;
    const std::int64_t before = fields.rewatches;
    if (const auto rewatches = Given(&MalEntry::rewatches)) {
      const bool is_underflow = *rewatches == kUnderflow;
      if (is_underflow)
        result_.problems.push_back({"my_times_watched", "255 stands for a count below zero: taken as 0"});
      const std::int64_t value = is_underflow ? 0 : *rewatches;
      if (!IsLess(value, before)) fields.rewatches = value;
    }
    const auto rewatching = Given(&MalEntry::rewatching);
    // Under kNewer, a rewatch ends when it is counted.
    if (rewatching && (*rewatching || !is_newer_ || fields.rewatches > before))
      fields.rewatching = *rewatching;
  }

  void Dates(const EntryFields& before) {
    EntryFields& fields = result_.fields;
    if (const auto day = Given(&MalEntry::started_on)) Set(fields.started_on, NotEmpty(*day));
    if (const auto day = Given(&MalEntry::finished_on)) Set(fields.finished_on, NotEmpty(*day));
    // One day of the file, one of ours.
    if (!IsReversed(fields) || IsReversed(before)) return;
    result_.problems.push_back({"my_finish_date", "the dates contradict those in the list"});
    fields.started_on = before.started_on;
    fields.finished_on = before.finished_on;
  }

  const MalEntry& file_;
  const bool is_newer_;
  const std::optional<MalEntry> said_;
  Imported result_{};
};

}  // namespace

MalEntry AsMal(const EntryFields& fields) {
  MalEntry entry;
  entry.status = fields.status;
  entry.score = MalScore(fields.score);
  entry.progress = fields.progress.value_or(0);
  entry.started_on = fields.started_on.value_or("");
  entry.finished_on = fields.finished_on.value_or("");
  entry.rewatches = fields.rewatches;
  entry.rewatching = fields.rewatching;
  entry.notes = MalText(fields.notes.value_or(""));
  entry.priority = fields.priority;
  entry.tags = MalTags(fields.tags);
  return entry;
}

Imported Import(const std::optional<EntryFields>& stored, const MalEntry& file, ImportStrategy strategy) {
  Imported result = Merge(stored, file, strategy).Run();
  if (!stored) {
    result.what = Imported::What::kAdded;
  } else if (result.fields == *stored) {
    result.what = Imported::What::kUnchanged;
  } else if (strategy == ImportStrategy::kKeep) {
    result = {.what = Imported::What::kKept, .fields = *stored, .problems = {}};
  } else {
    result.what = Imported::What::kUpdated;
  }
  return result;
}

}  // namespace syncline::anime
