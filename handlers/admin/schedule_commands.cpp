// syncline-admin schedule ...: starts, shows and ends updates of the timetable.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <thread>

#include "handlers/admin/commands.h"
#include "handlers/base/errors.h"
#include "handlers/jobs/job_store.h"
#include "handlers/schedule/runs/run_flow.h"
#include "handlers/schedule/runs/run_store.h"
#include "handlers/schedule/settings.h"

namespace syncline::admin {
namespace {

using schedule::Run;
using schedule::RunStore;

constexpr std::chrono::seconds kLook{1};

struct Choice {
  std::int64_t id = 0, group = 0;
  int limit = 20;
  bool is_incremental = false, waits = false;
};

std::string CountsOf(const Run& run) {
  return std::to_string(run.groups_updated) + "/" + std::to_string(run.groups_total) + " read, " +
         std::to_string(run.groups_failed) + " failed, " + std::to_string(run.groups_held) + " held; +" +
         std::to_string(run.lessons_added) + " ~" + std::to_string(run.lessons_changed) + " -" +
         std::to_string(run.lessons_removed);
}

std::vector<std::string> RowOf(const Run& run) {
  return {
      std::to_string(run.id),     run.kind, run.trigger, run.state, TimeText(run.started_at), CountsOf(run),
      run.error_code.value_or("")};
}

void PrintRuns(const std::vector<Run>& runs) {
  std::vector<std::vector<std::string>> rows;
  for (const Run& run : runs) rows.push_back(RowOf(run));
  PrintTable({"ID", "KIND", "TRIGGER", "STATE", "STARTED", "GROUPS AND LESSONS", "WHY"}, rows);
}

Run Find(Tool& tool, std::int64_t id) {
  const auto run = tool.context().Read<RunStore>([&](RunStore& runs) { return runs.Find(id); });
  if (!run) throw Refusal("there is no run " + std::to_string(id));
  return *run;
}

int Sync(Tool& tool, const Choice& choice) {
  const schedule::Settings& settings = tool.config.Of<schedule::Settings>();
  if (settings.schedule_site_url.empty()) throw Refusal("schedule_site_url is not set");
  const std::optional<std::int64_t> group = choice.group == 0 ? std::nullopt : std::optional(choice.group);
  const auto id = tool.context().Write<RunStore>([&](RunStore& runs) {
    if (group && !runs.FindGroupPage(*group)) throw Refusal("there is no group " + std::to_string(*group));
    runs.Reap(settings.schedule_stale_s);
    return runs.Admit({.kind = group                   ? "single"
                               : choice.is_incremental ? "incremental"
                                                       : "full",
                       .trigger = "command",
                       .group = group,
                       .has_account = false});
  });
  if (!id) throw Refusal("a run is under way; see: syncline-admin schedule runs");
  std::printf("run %lld is queued\n", static_cast<long long>(*id));
  if (!choice.waits) return 0;
  Run run = Find(tool, *id);
  while (run.IsActive()) {
    std::this_thread::sleep_for(kLook);
    run = Find(tool, *id);
  }
  PrintRuns({run});
  return run.state == "success" || run.state == "partial" ? 0 : 1;
}

int Runs(Tool& tool, const Choice& choice) {
  const auto found = tool.context().Read<RunStore>(
      [&](RunStore& runs) { return runs.Page({}, "-started_at", choice.limit, 0); });
  if (found.empty()) {
    std::puts("there has been no run");
    return 0;
  }
  PrintRuns(found);
  return 0;
}

int Show(Tool& tool, const Choice& choice) {
  const Run run = Find(tool, choice.id);
  PrintRuns({run});
  if (run.error_detail) std::printf("%s\n", StorableText(*run.error_detail, 500).c_str());
  std::vector<std::vector<std::string>> rows;
  tool.context().Read<RunStore>([&](RunStore& runs) {
    for (const schedule::RunGroup& group : runs.Groups(run.id, choice.limit)) {
      rows.push_back({group.name, group.state, std::to_string(group.attempts),
                      "+" + std::to_string(group.added) + " ~" + std::to_string(group.changed) + " -" +
                          std::to_string(group.removed),
                      group.error_code.value_or(""), StorableText(group.error_detail.value_or(""), 80)});
    }
  });
  if (!rows.empty()) PrintTable({"GROUP", "STATE", "TRIES", "LESSONS", "WHY", "DETAIL"}, rows);
  return 0;
}

int Cancel(Tool& tool, const Choice& choice) {
  const auto state = tool.context().Write<RunStore>([&](RunStore& runs) { return runs.Cancel(choice.id); });
  if (!state) throw Refusal("run " + std::to_string(choice.id) + " is over, or there is none");
  std::printf("run %lld is %s\n", static_cast<long long>(choice.id), state->c_str());
  return 0;
}

int Reset(Tool& tool) {
  const auto ended = tool.context().Write<RunStore>([](RunStore& runs) { return runs.Reap(0); });
  std::printf("%lld runs ended\n", static_cast<long long>(ended));
  return 0;
}

}  // namespace

void AddScheduleCommands(CLI::App& app, Tool& tool) {
  auto* group = app.add_subcommand("schedule", "Update the timetable and show its runs");
  group->require_subcommand(1);
  const auto choice = std::make_shared<Choice>();
  const auto add = [&](const char* name, const char* help, int (*work)(Tool&, const Choice&)) {
    auto* command = group->add_subcommand(name, help);
    command->callback(
        [&tool, choice, work] { tool.command = [&tool, choice, work] { return work(tool, *choice); }; });
    return command;
  };
  auto* sync = add("sync", "Start an update, as the button does", Sync);
  sync->add_option("--group", choice->group, "Only this group, by its id here");
  sync->add_flag("--incremental", choice->is_incremental,
                 "Only groups that users follow or that changed recently");
  sync->add_flag("--wait", choice->waits, "Wait for its end; exit code 1 if it fails");
  add("runs", "List the last runs", Runs)
      ->add_option("--limit", choice->limit, "How many")
      ->capture_default_str();
  auto* show = add("show", "Show a run and the outcome of its groups", Show);
  show->add_option("RUN", choice->id, "Its id")->required();
  show->add_option("--limit", choice->limit, "How many groups")->capture_default_str();
  add("cancel", "Cancel a run; groups already written stay", Cancel)
      ->add_option("RUN", choice->id, "Its id")
      ->required();
  auto* reset = group->add_subcommand("reset", "End all active runs at once; their workers stop");
  reset->callback([&tool] { tool.command = [&tool] { return Reset(tool); }; });
}

}  // namespace syncline::admin
