// syncline-admin anki history | restore | problems | import | export: earlier states of a collection, returning to one,
// problems between devices and the server, packages.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <optional>
#include <thread>

#include "handlers/admin/commands.h"
#include "handlers/anki/collection/point_store.h"
#include "handlers/anki/collection/problem_store.h"
#include "handlers/anki/file/full_sync_store.h"
#include "handlers/anki/file/restore_flow.h"
#include "handlers/anki/package/export_flow.h"
#include "handlers/anki/package/import_flow.h"
#include "handlers/base/json.h"

namespace syncline::admin {
namespace {

struct Options {
  std::string name, at, before, file;
  anki::ImportOptions import;
  anki::ExportOptions export_;
};

std::vector<anki::HistoryEntry> HistoryOf(Context& context) {
  return context.Read<anki::FullSyncStore>([](anki::FullSyncStore& store) { return store.History(); });
}

std::vector<anki::Point> PointsOf(Context& context) {
  return context.Read<anki::PointStore>([](anki::PointStore& store) { return store.Points(); });
}

std::string IdOf(const anki::Point& point) {
  return std::to_string(point.generation) + "." + std::to_string(point.usn);
}

std::string Describe(const anki::Collection& c) {
  return "a collection of " + std::to_string(c.counts.notes) + " notes, " + std::to_string(c.counts.cards) +
         " cards, " + std::to_string(c.counts.revlog) + " reviews; its file has " + SizeText(c.base_bytes);
}

std::string Describe(const anki::Point& point) {
  std::string text;
  const auto add = [&](std::int64_t count, const char* what) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + what;
  };
  add(point.notes.deleted, "notes deleted");
  add(point.notes.changed, "notes changed");
  add(point.notes.added, "notes added");
  add(point.cards.deleted, "cards deleted");
  add(point.cards.changed, "cards changed");
  add(point.cards.added, "cards added");
  add(point.reviews, "reviews");
  add(point.objects, "notetypes, decks or options");
  return text.empty() ? "preferences" : text;
}

// One list, newest first: a collection, before it the syncs that it has seen.
int ShowHistory(Tool& tool, const Options& options) {
  Context& context = tool.ContextOf(tool.Find(options.name).id);
  const auto current =
      context.Read<anki::CollectionStore>([](anki::CollectionStore& store) { return store.Find(); });
  if (!current) throw Refusal(options.name + " has no collection yet");
  const std::vector<anki::Point> points = PointsOf(context);
  std::vector<std::vector<std::string>> rows;
  const auto add_syncs_of = [&](std::int32_t generation) {
    for (const anki::Point& point : points) {
      if (point.generation != generation) continue;
      rows.push_back({IdOf(point), TimeText(point.finished_at), point.device, Describe(point)});
    }
  };
  rows.push_back({std::to_string(current->generation), "current", "", Describe(*current)});
  add_syncs_of(current->generation);
  for (const anki::HistoryEntry& entry : HistoryOf(context)) {
    const std::int32_t generation = entry.collection.generation;
    rows.push_back(
        {std::to_string(generation), "until " + TimeText(entry.replaced_at), "", Describe(entry.collection)});
    add_syncs_of(generation);
  }
  PrintTable({"id", "when", "device", "what"}, rows);
  return 0;
}

// "2026-01-31" or "2026-01-31 10:22" in UTC.
std::chrono::system_clock::time_point MomentOf(const std::string& at) {
  std::tm tm{};
  const char* end = strptime(at.c_str(), "%Y-%m-%d", &tm);
  if (end != nullptr && *end != '\0') end = strptime(end + 1, "%H:%M", &tm);
  if (end == nullptr || *end != '\0') {
    throw UsageError("--at takes the id of a collection, 2026-01-31 or \"2026-01-31 10:22\" (UTC)");
  }
  // The clock counts nanoseconds and ends in 2262.
  constexpr std::time_t kYear2255 = 9'000'000'000;
  return std::chrono::system_clock::from_time_t(std::min(timegm(&tm), kYear2255));
}

// A state to return to: a replaced collection as it was last, or any collection before one of its syncs.
struct Target {
  std::int32_t generation;
  std::optional<anki::Usn> before;
};

// Digits are the id of a replaced collection; anything else is a time.
Target TargetAt(Context& context, const std::string& at) {
  const auto history = HistoryOf(context);
  if (at.find_first_not_of("0123456789") == std::string::npos) {
    for (const auto& entry : history) {
      if (std::to_string(entry.collection.generation) == at) return {entry.collection.generation, {}};
    }
    throw Refusal("no replaced collection with id " + at + " (see: syncline-admin anki history)");
  }
  const auto moment = MomentOf(at);
  // Newest first: the last match is the collection that was current at that time.
  std::optional<std::int32_t> replaced;
  for (const auto& entry : history) {
    if (entry.replaced_at > moment) replaced = entry.collection.generation;
  }
  const auto current =
      context.Read<anki::CollectionStore>([](anki::CollectionStore& store) { return store.Find(); });
  if (!current) throw Refusal("the account has no collection yet");
  const std::int32_t generation = replaced.value_or(current->generation);
  // Newest first, too: the last match is the first sync after that time.
  std::optional<anki::Usn> first_after;
  for (const anki::Point& point : PointsOf(context)) {
    if (point.generation == generation && point.finished_at > moment) first_after = point.usn;
  }
  if (!replaced && !first_after) throw Refusal("nothing has changed since then");
  return {generation, first_after};
}

// The id of a sync, as the history shows it.
Target TargetBefore(Context& context, const std::string& id) {
  for (const anki::Point& point : PointsOf(context)) {
    if (IdOf(point) == id) return {point.generation, point.usn};
  }
  throw Refusal("no sync with id " + id + " (see: syncline-admin anki history)");
}

int RestoreCollection(Tool& tool, const Options& options) {
  if (options.at.empty() == options.before.empty()) throw UsageError("one of --at and --before is needed");
  Context& context = tool.ContextOf(tool.Find(options.name).id);
  const Target target =
      options.at.empty() ? TargetBefore(context, options.before) : TargetAt(context, options.at);
  auto restored = anki::RestoredTo::kBeforeSync;
  try {
    if (target.before) {
      restored = anki::RestoreBefore(context, target.generation, *target.before);
    } else {
      anki::Restore(context, target.generation);
    }
  } catch (const Error& e) {
    if (e.code() != "during_import") throw;
    throw Refusal(
        "that sync ran while an upload was being imported, and its collection was replaced since: the "
        "state in between is not kept. Choose a later sync, or the collection before the upload");
  }
  if (restored == anki::RestoredTo::kUpload) {
    std::printf("That sync ran while an upload was being imported: the collection is as it was uploaded.\n");
  }
  std::printf(
      "The earlier collection of %s is current; what it replaced is in the history. Every device will be "
      "asked "
      "to download: choose download, an upload would replace it again.\n",
      options.name.c_str());
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

void Read(const std::string& path, TempFile& into) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Refusal("cannot read " + path);
  std::string piece(1 << 20, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    into.Write({piece.data(), static_cast<std::size_t>(in.gcount())});
  }
  if (in.bad()) throw Refusal("cannot read " + path);
}

// Waits while devices of the account sync.
anki::ImportReport ImportWhenPossible(Context& context, const TempFile& package, anki::PackageKind kind,
                                      const anki::ImportOptions& options) {
  constexpr std::chrono::seconds kPause{2};
  constexpr int kAttempts = 60;
  const anki::ImportHost host{.name = "admin",
                              .progress = [](std::int64_t, std::int64_t, std::string_view) {},
                              .commit = [](sql::Tx&, const anki::ImportReport&) {}};
  for (int attempt = 1;; ++attempt) {
    try {
      return anki::ImportPackage(context, package, kind, options, host);
    } catch (const anki::ImportPutOff& later) {
      if (attempt == kAttempts) throw Refusal(later.reason + "; please try again later");
      std::this_thread::sleep_for(kPause);
    }
  }
}

int ImportFile(Tool& tool, const Options& options) {
  Context& context = tool.ContextOf(tool.Find(options.name).id);
  TempFile package(context.config().temp_dir);
  Read(options.file, package);
  const auto kind = options.file.ends_with(".colpkg") ? anki::PackageKind::kColpkg : anki::PackageKind::kApkg;
  anki::ImportReport report;
  try {
    report = ImportWhenPossible(context, package, kind, options.import);
  } catch (const anki::FileRefused& refused) {
    throw Refusal(refused.what());
  }
  if (kind == anki::PackageKind::kColpkg) {
    std::printf(
        "The package is the collection of %s now; what it replaced is in the history. Every device will be "
        "asked to download: choose download, an upload would replace it again.\n",
        options.name.c_str());
    return 0;
  }
  const auto number = [](std::int64_t count) { return static_cast<long long>(count); };
  std::printf(
      "Notes: %lld added, %lld updated, %lld unchanged, %lld conflicting. Cards: %lld added. Reviews: %lld "
      "added. Media files: %lld added. Devices receive them by their next sync.\n",
      number(report.added_notes), number(report.updated_notes), number(report.duplicate_notes),
      number(report.conflicting_notes), number(report.added_cards), number(report.added_reviews),
      number(report.media.added));
  return 0;
}

int ExportFile(Tool& tool, const Options& options) {
  Context& context = tool.ContextOf(tool.Find(options.name).id);
  class FileSink : public BodySink {
   public:
    explicit FileSink(const std::string& path) : out_(path, std::ios::binary | std::ios::trunc) {}
    void Write(std::string_view bytes) override {
      out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    bool Close() {
      out_.close();
      return !out_.fail();
    }

   private:
    std::ofstream out_;
  };
  const anki::Export package(context, options.export_);
  FileSink sink(options.file);
  package.Write(sink);
  if (!sink.Close()) throw Refusal("cannot write " + options.file);
  return 0;
}

}  // namespace

void AddAnkiCommands(CLI::App& app, Tool& tool) {
  CLI::App* group =
      app.add_subcommand("anki", "Earlier states of a collection, problems of devices, and packages");
  group->require_subcommand(1);
  const auto options = std::make_shared<Options>();

  CLI::App* history = group->add_subcommand(
      "history", "List the syncs and the replaced collections of an account, newest first");
  history->add_option("NAME", options->name, "Account")->required();
  history->callback(
      [&tool, options] { tool.command = [&tool, options] { return ShowHistory(tool, *options); }; });

  CLI::App* restore = group->add_subcommand("restore", "Return to an earlier state of a collection");
  restore->add_option("NAME", options->name, "Account")->required();
  restore->add_option("--at", options->at, "Id of a replaced collection, or a time (UTC)");
  restore->add_option("--before", options->before, "Id of a sync: the state before it");
  restore->callback(
      [&tool, options] { tool.command = [&tool, options] { return RestoreCollection(tool, *options); }; });

  CLI::App* problems = group->add_subcommand(
      "problems", "Show failed sanity checks and odd values in uploads of an account, newest first");
  problems->add_option("NAME", options->name, "Account")->required();
  problems->callback(
      [&tool, options] { tool.command = [&tool, options] { return ShowProblems(tool, *options); }; });

  CLI::App* import =
      group->add_subcommand("import", "Import an .apkg into a collection, or replace it with a .colpkg");
  import->add_option("NAME", options->name, "Account")->required();
  import->add_option("FILE", options->file, "Package; .colpkg at the end of its name replaces the collection")
      ->required();
  import->add_flag("--with-scheduling", options->import.with_scheduling, "Import intervals and reviews, too");
  import->add_flag("--with-deck-configs", options->import.with_deck_configs, "Import options groups, too");
  import->callback([&tool, options] { tool.command = [&tool, options] { return ImportFile(tool, *options);
};
}  // namespace syncline::admin
);

CLI::App* export_ =
    group->add_subcommand("export", "Write a collection as a .colpkg, or one deck as an .apkg");
export_->add_option("NAME", options->name, "Account")->required();
export_->add_option("FILE", options->file, "Package to write")->required();
export_->add_option("--deck", options->export_.deck, "Name of the deck, such as Languages::French");
export_->add_flag("--with-scheduling", options->export_.with_scheduling,
                  "Of a deck: intervals and reviews, too");
export_->add_flag("--with-deck-configs", options->export_.with_deck_configs,
                  "Of a deck: options groups, too");
export_->add_flag("!--without-media", options->export_.with_media, "Leave out pictures and sounds");
export_->add_flag("--legacy", options->export_.legacy, "Readable by clients of before 2.1.50");
export_->callback([&tool, options] {
  tool.command = [&tool, options] { return ExportFile(tool, *options); };
});
}

}  // namespace syncline::admin
