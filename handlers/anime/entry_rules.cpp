#include "handlers/anime/entry_rules.h"

#include "handlers/base/input.h"
#include "handlers/base/input_values.h"
#include "handlers/base/json_writer.h"

namespace syncline::anime {
namespace {

[[noreturn]] void Refuse(const char* field, const std::string& input, ValueProblem problem) {
  throw InputError({{.type = problem.type,
                     .place = {field},
                     .message = std::move(problem.message),
                     .context = std::move(problem.context),
                     .input = input}});
}

template <typename T>
void Set(T& field, const std::optional<T>& value) {
  if (value) field = *value;
}

void ApplyRules(EntryFields& entry, const std::optional<EntryFields>& before, const EntryChange& change,
                const EntryCircumstances& at) {
  const auto old_progress = before ? before->progress.value_or(0) : 0;
  const auto progress = entry.progress.value_or(0);
  const bool has_moved = change.progress && progress != old_progress;
  if (has_moved && at.episodes && *at.episodes > 0 && progress > *at.episodes) {
    std::int64_t ignored = 0;
    Refuse("progress", std::to_string(progress),
           *ReadInt(std::to_string(progress), NumberForm::kJson, 0, *at.episodes, ignored));
  }
  const bool is_at_end = has_moved && at.episodes && *at.episodes > 0 && progress == *at.episodes;
  if (entry.rewatching) {
    if (!is_at_end) return;
    entry.rewatching = false;
    if (!change.rewatches && entry.rewatches < kMaxRewatches) ++entry.rewatches;
    if (!change.status) entry.status = "completed";
    return;
  }
  if (has_moved && !change.status) {
    if (is_at_end) {
      entry.status = "completed";
    } else if (old_progress == 0 && progress > 0) {
      entry.status = "watching";
    }
  }
  if (has_moved && old_progress == 0 && progress > 0 && !entry.started_on && !change.started_on)
    entry.started_on = at.today;
  const bool is_done = entry.status == "completed" && (!before || before->status != "completed");
  if (!is_done) return;
  if (at.episodes && *at.episodes > 0 && !change.progress) entry.progress = at.episodes;
  if (!entry.finished_on && !change.finished_on) entry.finished_on = at.today;
}

}  // namespace

bool EntryChange::IsEmpty() const {
  return !status && !score && !progress && !started_on && !finished_on && !rewatches && !rewatching &&
         !notes && !priority && !tags && !is_private;
}

EntryFields Changed(const std::optional<EntryFields>& before, const EntryChange& change,
                    const EntryCircumstances& circumstances) {
  EntryFields entry = before.value_or(EntryFields{});
  Set(entry.status, change.status);
  Set(entry.score, change.score);
  Set(entry.progress, change.progress);
  Set(entry.started_on, change.started_on);
  Set(entry.finished_on, change.finished_on);
  Set(entry.rewatches, change.rewatches);
  Set(entry.rewatching, change.rewatching);
  Set(entry.notes, change.notes);
  Set(entry.priority, change.priority);
  Set(entry.tags, change.tags);
  Set(entry.is_private, change.is_private);
  if (circumstances.has_auto_rules) ApplyRules(entry, before, change, circumstances);
  const bool has_new_days = change.started_on || change.finished_on;
  // Dates of this form compare like texts.
  if (has_new_days && entry.started_on && entry.finished_on && *entry.finished_on < *entry.started_on) {
    Refuse(change.finished_on ? "finished_on" : "started_on",
           JsonWriter().Add(change.finished_on ? *entry.finished_on : *entry.started_on).Finish(),
           NotAccepted("the last day is before the first one"));
  }
  return entry;
}

}  // namespace syncline::anime
