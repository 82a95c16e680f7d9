// syncline-admin anki history | restore | problems: collections replaced by full uploads and restores, and
// problems between devices and the server.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>

#include "handlers/admin/commands.h"
#include "handlers/anki/collection/problem_store.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/base/json.h"

namespace syncline::admin {
namespace {

struct Options {
  std::string name, at;
};

std::vector<anki::HistoryEntry> HistoryOf(Context& context) {
  return context.Read<anki::FullSyncStore>([](anki::FullSyncStore& store) { return store.History(); });
}

std::vector<std::string> Describe(const std::string& id, const std::string& until,
                                  const anki::Collection& c) {
  const sql::Time changed{std::chrono::milliseconds(c.meta.mod_ms)};
  return {id,
          until,
          TimeText(changed),
          std::to_string(c.counts.notes),
          std::to_string(c.counts.cards),
          std::to_string(c.counts.revlog),
          SizeText(c.base_bytes)};
}

int ShowHistory(Tool& tool, const Options& options) {
  Context& context = tool.ContextOf(tool.Find(options.name).id);
  const auto current =
      context.Read<anki::CollectionStore>([](anki::CollectionStore& store) { return store.Find(); });
  if (!current) throw Refusal(options.name + " has no collection yet");
  std::vector<std::vector<std::string>> rows;
  rows.push_back(Describe(std::to_string(current->generation), "current", *current));
  for (const anki::HistoryEntry& entry : HistoryOf(context)) {
    rows.push_back(
        Describe(std::to_string(entry.collection.generation), TimeText(entry.replaced_at), entry.collection));
  }
  PrintTable({"id", "until", "last change", "notes", "cards", "reviews", "file"}, rows);
  return 0;
}

// Digits are an id; anything else is a time in UTC, "2026-01-31" or "2026-01-31 10:22", and selects the
// collection that was current then.
std::int32_t GenerationAt(const std::vector<anki::HistoryEntry>& history, const std::string& at) {
  if (at.find_first_not_of("0123456789") == std::string::npos) {
    for (const auto& entry : history) {
      if (std::to_string(entry.collection.generation) == at) return entry.collection.generation;
    }
    throw Refusal("no replaced collection with id " + at + " (see: syncline-admin anki history)");
  }
  std::tm tm{};
  const char* end = strptime(at.c_str(), "%Y-%m-%d", &tm);
  if (end != nullptr && *end != '\0') end = strptime(end + 1, "%H:%M", &tm);
  if (end == nullptr || *end != '\0')
    throw UsageError("--at takes an id, 2026-01-31 or \"2026-01-31 10:22\" (UTC)");
  const auto moment = std::chrono::system_clock::from_time_t(timegm(&tm));
  // Newest first: the last match is the collection that was current at that time.
  std::optional<std::int32_t> found;
  for (const auto& entry : history) {
    if (entry.replaced_at > moment) found = entry.collection.generation;
  }
  if (!found) throw Refusal("the collection of that time is still the current one");
  return *found;
}

int RestoreCollection(Tool& tool, const Options& options) {
  Context& context = tool.ContextOf(tool.Find(options.name).id);
  const std::int32_t generation = GenerationAt(HistoryOf(context), options.at);
  anki::Restore(context, generation);
  std::printf(
      "Collection %d of %s is current again; what it replaced is in the history. Every device will be asked "
      "to download: choose download, an upload would replace it again.\n",
      generation, options.name.c_str());
  return 0;
}

int ShowProblems(Tool& tool, const Options& options) {
  Context& context = tool.ContextOf(tool.Find(options.name).id);
  const auto problems =
      context.Read<anki::ProblemStore>([](anki::ProblemStore& store) { return store.Newest(); });
  if (problems.empty()) std::printf("No problems of %s are known.\n", options.name.c_str());
  for (const anki::Problem& problem : problems) {
    std::printf("%s  %s  device %lld  %s\n", TimeText(problem.happened_at).c_str(), problem.kind.c_str(),
                static_cast<long long>(problem.sender.device), problem.sender.client.c_str());
    // Numbers and our own words, for people to read: one line per member, without the quotes.
    const JsonSpans details(problem.details, 1);
    details.EachIn(details.Root(), [&](const JsonSpans::Value& member) {
      std::string value(details.Raw(member));
      std::erase(value, '"');
      std::printf("    %s: %s\n", std::string(details.Key(member)).c_str(), value.c_str());
    });
  }
  return 0;
}

}  // namespace

void AddAnkiCommands(CLI::App& app, Tool& tool) {
  CLI::App* group =
      app.add_subcommand("anki", "Replaced collections, restoring them, and problems of devices");
  group->require_subcommand(1);
  const auto options = std::make_shared<Options>();

  CLI::App* history =
      group->add_subcommand("history", "List the current and the replaced collections of an account");
  history->add_option("NAME", options->name, "Account")->required();
  history->callback(
      [&tool, options] { tool.command = [&tool, options] { return ShowHistory(tool, *options); }; });

  CLI::App* restore = group->add_subcommand("restore", "Make a replaced collection the current one again");
  restore->add_option("NAME", options->name, "Account")->required();
  restore->add_option("--at", options->at, "Id from the history, or a time (UTC)")->required();
  restore->callback(
      [&tool, options] { tool.command = [&tool, options] { return RestoreCollection(tool, *options); }; });

  CLI::App* problems = group->add_subcommand(
      "problems", "Show failed sanity checks and odd values in uploads of an account, newest first");
  problems->add_option("NAME", options->name, "Account")->required();
  problems->callback(
      [&tool, options] { tool.command = [&tool, options] { return ShowProblems(tool, *options); }; });
}

}  // namespace syncline::admin
