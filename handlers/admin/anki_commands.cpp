// syncline-admin anki history | restore | problems | import | export | adopt | hand-over: earlier states of a collection,
// returning to one, problems between devices and the server, packages, moving from and to an official sync server. For
// anki check see anki_check_command.cpp.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include "handlers/account/login/name_wire.h"
#include "handlers/admin/commands.h"
#include "handlers/anki/collection/point_store.h"
#include "handlers/anki/collection/problem_rules.h"
#include "handlers/anki/collection/problem_store.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/file/full_sync_store.h"
#include "handlers/anki/moving/adopt_flow.h"
#include "handlers/anki/moving/adoption_store.h"
#include "handlers/anki/moving/hand_over_flow.h"
#include "handlers/anki/package/export_flow.h"
#include "handlers/anki/package/import_flow.h"
#include "handlers/anki/restore/restore_flow.h"
#include "handlers/base/errors.h"
#include "handlers/base/file_descriptor.h"
#include "handlers/base/json.h"

namespace syncline::admin {
namespace {

struct Options {
  std::string name, at, before, file, folder, users;
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

// One list, newest first: each collection after its syncs.
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

// A state to restore: a replaced collection in its last state, or any collection before one of its syncs;
// none of these if the current collection stays. Media are restored to a time, or to the time of the
// collection's state.
struct Target {
  std::optional<std::int32_t> generation;
  std::optional<anki::Usn> before;
  std::optional<sql::Time> media_at;
};

// Digits are the id of a replaced collection; anything else is a time.
Target TargetAt(Context& context, const std::string& at) {
  const auto history = HistoryOf(context);
  if (at.find_first_not_of("0123456789") == std::string::npos) {
    for (const auto& entry : history) {
      if (std::to_string(entry.collection.generation) == at)
        return {.generation = entry.collection.generation, .before = {}, .media_at = {}};
    }
    throw Refusal("no replaced collection with id " + at + " (see: syncline-admin anki history)");
  }
  const auto moment = MomentOf(at);
  const auto current =
      context.Read<anki::CollectionStore>([](anki::CollectionStore& store) { return store.Find(); });
  if (!current) throw Refusal("the account has no collection yet");
  const auto known_since =
      context.Read<anki::PointStore>([](anki::PointStore& store) { return store.KnownSince(); });
  if (known_since && moment < *known_since)
    throw Refusal("what was before " + TimeText(known_since) +
                  " is not known any more, or there was nothing");
  // Newest first: the last match is the collection that was current at that time.
  std::optional<std::int32_t> replaced;
  for (const auto& entry : history) {
    if (entry.replaced_at > moment) replaced = entry.collection.generation;
  }
  const std::int32_t generation = replaced.value_or(current->generation);
  // Newest first, too: the last match is the first sync after that time.
  std::optional<anki::Usn> first_after;
  for (const anki::Point& point : PointsOf(context)) {
    if (point.generation == generation && point.finished_at > moment) first_after = point.usn;
  }
  if (!replaced && !first_after) return {.generation = {}, .before = {}, .media_at = moment};
  return {.generation = generation, .before = first_after, .media_at = moment};
}

// The id of a sync, as the history shows it.
Target TargetBefore(Context& context, const std::string& id) {
  for (const anki::Point& point : PointsOf(context)) {
    if (IdOf(point) == id) return {.generation = point.generation, .before = point.usn, .media_at = {}};
  }
  throw Refusal("no sync with id " + id + " (see: syncline-admin anki history)");
}

// One sentence.
std::string Describe(const anki::RestoredMedia& media) {
  if (!media.is_known) {
    return "The media are as they were: the history does not reach back to what they were then.";
  }
  if (media.put_back + media.deleted == 0) return "The media had not changed since then.";
  return "Media: " + CountText(media.put_back, "file is", "files are") + " back, " +
         CountText(media.deleted, "file that was added since is gone",
                   "files that were added since are gone") +
         "; devices get this by their next media sync.";
}

void RestoreMediaOnly(Context& context, sql::Time at) {
  const anki::RestoredMedia media = anki::RestoreMedia(context, at);
  if (!media.is_known) throw Refusal("what the media were at that time is not known any more");
  if (media.put_back + media.deleted == 0) throw Refusal("nothing has changed since then");
  std::printf("The collection has not changed since then. %s\n", Describe(media).c_str());
}

int RestoreCollection(Tool& tool, const Options& options) {
  if (options.at.empty() == options.before.empty()) throw UsageError("one of --at and --before is needed");
  Context& context = tool.ContextOf(tool.Find(options.name).id);
  const Target target =
      options.at.empty() ? TargetBefore(context, options.before) : TargetAt(context, options.at);
  if (!target.generation) {
    RestoreMediaOnly(context, *target.media_at);
    return 0;
  }
  anki::Restored restored{anki::RestoredTo::kBeforeSync, {}};
  try {
    if (target.before) {
      restored = anki::RestoreBefore(context, *target.generation, *target.before, target.media_at);
    } else {
      restored.media = anki::Restore(context, *target.generation, target.media_at);
    }
  } catch (const Error& e) {
    if (e.code() == "no_such_sync" || e.code() == "no_such_generation") {
      throw Refusal("the history has just forgotten that state (see: syncline-admin anki history)");
    }
    if (e.code() != "during_import") throw;
    throw Refusal(
        "that sync ran while an upload was being imported, and its collection was replaced since: the "
        "state in between is not kept. Choose a later sync, or the collection before the upload");
  }
  if (restored.to == anki::RestoredTo::kUpload) {
    std::printf("That sync ran while an upload was being imported: the collection is as it was uploaded.\n");
  }
  const std::string generation = std::to_string(*target.generation);
  const std::string which = target.before
                                ? " before the sync " + generation + "." + std::to_string(*target.before)
                                : std::string(" as it was last");
  std::printf(
      "Collection %s of %s%s is current; what it replaced is in the history. Every device will be asked to "
      "download: choose download, an upload would replace it again.\n%s\n",
      generation.c_str(), options.name.c_str(), which.c_str(), Describe(restored.media).c_str());
  return 0;
}

// The environment of an official server; none without a file.
anki::OfficialUsers ReadUsers(const std::string& path) {
  if (path.empty()) return {};
  constexpr std::size_t kMaxBytes = 1 << 20;
  std::ifstream in(path, std::ios::binary);
  std::string lines(kMaxBytes + 1, '\0');
  in.read(lines.data(), static_cast<std::streamsize>(lines.size()));
  if (in.bad() || (in.fail() && !in.eof())) throw Refusal("cannot read " + path);
  lines.resize(static_cast<std::size_t>(in.gcount()));
  if (lines.size() > kMaxBytes) throw Refusal(path + " is too large for a list of users");
  return anki::ParseOfficialUsers(lines);
}

// Two concurrent runs on one folder would conflict.
class LockedFolder {
 public:
  explicit LockedFolder(const std::string& folder) : file_(folder.c_str(), O_RDONLY | O_DIRECTORY) {
    if (!file_.IsOpen()) throw Refusal("there is no folder " + folder);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) throw Refusal("another run is working on " + folder);
  }

 private:
  FileDescriptor file_;
};

// Names of folders may have any bytes.
std::string Shown(const std::string& name) {
  const std::string text = account::ShortText(name, 200);
  return text.empty() ? "(a name that is no text)" : text;
}

void Print(const std::string& name, const anki::AdoptReport& report) {
  const char* text = name.c_str();
  switch (report.state) {
    case anki::AdoptState::kAdoptedBefore:
      std::printf("%s: adopted before\n", text);
      break;
    case anki::AdoptState::kLeftOut:
      std::printf("%s: left out: %s\n", text, report.why.c_str());
      break;
    case anki::AdoptState::kAdopted:
      std::printf("%s: adopted%s: %s, %s, %s, %s; %s\n", text,
                  report.was_begun ? ", which an earlier run had begun" : "",
                  CountText(report.notes, "note", "notes").c_str(),
                  CountText(report.cards, "card", "cards").c_str(),
                  CountText(report.reviews, "review", "reviews").c_str(),
                  CountText(report.media_files, "media file", "media files").c_str(),
                  report.has_key ? "its devices go on" : "its devices have to log in");
      break;
  }
  if (report.odd_values > 0) {
    std::printf("  %s that Anki cannot read: in Anki, use Tools > Check Database\n",
                CountText(report.odd_values, "value", "values").c_str());
  }
  for (const std::string& sentence : report.left_out) std::printf("  left out: %s\n", sentence.c_str());
  if (report.more_left_out > 0)
    std::printf("  left out: %lld more\n", static_cast<long long>(report.more_left_out));
  std::fflush(stdout);
}

int Adopt(Tool& tool, const Options& options) {
  const LockedFolder lock(options.folder);
  const anki::OfficialUsers official = ReadUsers(options.users);
  const std::vector<std::string> names = anki::OfficialAccounts(options.folder);
  if (names.empty()) throw Refusal(options.folder + " has no folders of users");
  for (const std::string& name : names) {
    if (anki::IsServerRunning(options.folder, name))
      throw Refusal("an official server is running on " + options.folder + ": stop it first");
  }
  for (const std::string& problem : official.problems) std::printf("%s\n", problem.c_str());
  std::map<std::string, const anki::OfficialUser*> users;
  for (const anki::OfficialUser& user : official.users) users.emplace(user.name, &user);
  Context& context = tool.context();
  bool is_complete = official.problems.empty();
  std::vector<std::string> without_password;
  for (const std::string& name : names) {
    const auto user = users.find(name);
    anki::AdoptReport report;
    try {
      report =
          anki::AdoptAccount(context, options.folder, name, user == users.end() ? nullptr : user->second);
    } catch (const Error& e) {
      if (e.code() == "database_unavailable") throw;
      std::printf("%s: not finished, run this again: %s: %s\n", Shown(name).c_str(), e.code().c_str(),
                  e.what());
      is_complete = false;
      continue;
    }
    Print(Shown(name), report);
    is_complete = is_complete && report.state != anki::AdoptState::kLeftOut;
    if (report.state == anki::AdoptState::kAdopted && !report.has_password) without_password.push_back(name);
    if (user != users.end()) users.erase(user);
  }
  for (const auto& [name, user] : users) {
    std::printf("%s: left out: the folder has nothing of this user\n", Shown(name).c_str());
    is_complete = false;
  }
  for (const std::string& name : without_password) {
    std::printf("%s has no password yet; set one: syncline-admin user password %s --keep-devices\n",
                name.c_str(), name.c_str());
  }
  return is_complete ? 0 : 1;
}

constexpr const char* kSettingsFile = "/users.env";

// The environment for the official server, with placeholders for the passwords, which we do not know. An
// existing file of an earlier run may contain passwords by now, so it is kept.
void WriteSettings(const std::string& folder, const std::vector<std::pair<std::string, bool>>& names) {
  const std::string path = folder + kSettingsFile;
  FileDescriptor file(path.c_str(), O_WRONLY | O_CREAT | O_EXCL);
  if (!file.IsOpen() && errno == EEXIST) {
    std::printf("%s is there already and was kept: compare it with the accounts above\n", path.c_str());
    return;
  }
  if (!file.IsOpen()) throw Refusal("cannot write " + path);
  std::string lines =
      "# Settings of the official server. Write a password after each colon; it is the user's password and\n"
      "# decides which key devices have. With the old password, devices that were once taken over from an\n"
      "# official server go on with their keys; all others have to log in.\n"
      "SYNC_BASE=" +
      std::filesystem::absolute(folder).string() + "\n";
  int number = 0;
  for (const auto& [name, was_adopted] : names) {
    if (was_adopted) lines += "# " + name + " was taken over from an official server.\n";
    lines += "SYNC_USER" + std::to_string(++number) + "=" + name + ":\n";
  }
  const bool is_written =
      ::write(file.get(), lines.data(), lines.size()) == static_cast<ssize_t>(lines.size());
  if (::close(file.Release()) != 0 || !is_written) {
    ::unlink(path.c_str());
    throw Refusal("cannot write " + path);
  }
  std::printf("write the passwords of these accounts into %s, and start the official server with it\n",
              path.c_str());
}

int HandOver(Tool& tool, const Options& options) {
  if (::mkdir(options.folder.c_str(), 0700) != 0 && errno != EEXIST)
    throw Refusal("cannot make the folder " + options.folder);
  const LockedFolder lock(options.folder);
  std::vector<account::Account> accounts;
  if (!options.name.empty()) {
    accounts.push_back(tool.Find(options.name));
  } else {
    tool.context().Read<account::AccountStore>([&](account::AccountStore& store) {
      accounts.clear();
      store.List([&](const account::AccountSummary& summary) { accounts.push_back(summary.account); });
    });
  }
  std::vector<std::pair<std::string, bool>> written;
  bool is_complete = true;
  for (const account::Account& account : accounts) {
    const char* name = account.name.c_str();
    if (account.is_disabled && options.name.empty()) {
      std::printf("%s: left out: it is disabled; --account writes it\n", name);
      continue;
    }
    Context& context = tool.ContextOf(account.id);
    try {
      const anki::HandOverReport report = anki::HandOver(context, options.folder, account.name);
      if (!report.why_left_out.empty()) {
        std::printf("%s: left out: %s\n", name, report.why_left_out.c_str());
        is_complete = is_complete && report.is_empty;
        continue;
      }
      std::printf("%s: written: %s, %s (%lld kept of an earlier run)\n", name,
                  report.has_collection ? "the collection" : "no collection",
                  CountText(report.media_files, "media file", "media files").c_str(),
                  static_cast<long long>(report.kept_media_files));
    } catch (const Error& e) {
      if (e.code() == "database_unavailable") throw;
      std::printf("%s: not finished, run this again: %s: %s\n", name, e.code().c_str(), e.what());
      is_complete = false;
      continue;
    }
    std::fflush(stdout);
    const bool was_adopted = context.ReadOnce<anki::AdoptionStore>(
        [](anki::AdoptionStore& store) { return store.Find().has_value(); });
    written.emplace_back(account.name, was_adopted);
  }
  if (!written.empty()) WriteSettings(options.folder, written);
  return is_complete ? 0 : 1;
}

int ShowProblems(Tool& tool, const Options& options) {
  Context& context = tool.ContextOf(tool.Find(options.name).id);
  const auto problems =
      context.Read<anki::ProblemStore>([](anki::ProblemStore& store) { return store.Newest(); });
  if (problems.empty()) std::printf("No problems of %s are known.\n", options.name.c_str());
  for (const anki::Problem& problem : problems) {
    std::printf("%s  device %lld  %s\n", TimeText(problem.happened_at).c_str(),
                static_cast<long long>(problem.sender.device), problem.sender.client.c_str());
    if (problem.times > 1)
      std::printf("  %d times since %s\n", problem.times, TimeText(problem.first_at).c_str());
    const anki::ProblemText text = anki::Explain(problem);
    std::printf("  %s\n  What to do: %s\n", text.what.c_str(), text.advice.c_str());
    // Numbers and our own words, for people to read: one line per member, without the quotes. A name of a file is the
    // client's.
    const JsonSpans details(problem.details, 1);
    details.EachIn(details.Root(), [&](const JsonSpans::Value& member) {
      const std::string key(details.Key(member));
      std::string value = key == "file" ? Shown(details.Text(member)) : std::string(details.Raw(member));
      std::erase(value, '"');
      std::printf("    %s: %s\n", key.c_str(), value.c_str());
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

  AddAnkiCheckCommand(*group, tool);

  CLI::App* problems = group->add_subcommand(
      "problems", "Show failed sanity checks and odd values in uploads of an account, newest first");
  problems->add_option("NAME", options->name, "Account")->required();
  problems->callback(
      [&tool, options] { tool.command = [&tool, options] { return ShowProblems(tool, *options); }; });

  CLI::App* import_ =
      group->add_subcommand("import", "Import an .apkg into a collection, or replace it with a .colpkg");
  import_->add_option("NAME", options->name, "Account")->required();
  import_
      ->add_option("FILE", options->file, "Package; .colpkg at the end of its name replaces the collection")
      ->required();
  import_->add_flag("--with-scheduling", options->import.with_scheduling,
                    "Also import intervals and reviews");
  import_->add_flag("--with-deck-configs", options->import.with_deck_configs, "Also import options groups");
  import_->callback(
      [&tool, options] { tool.command = [&tool, options] { return ImportFile(tool, *options); }; });

  CLI::App* export_ =
      group->add_subcommand("export", "Write a collection as a .colpkg, or one deck as an .apkg");
  export_->add_option("NAME", options->name, "Account")->required();
  export_->add_option("FILE", options->file, "Package to write")->required();
  export_->add_option("--deck", options->export_.deck, "Name of the deck, such as Languages::French");
  export_->add_flag("--with-scheduling", options->export_.with_scheduling,
                    "For a deck: include intervals and reviews");
  export_->add_flag("--with-deck-configs", options->export_.with_deck_configs,
                    "For a deck: include options groups");
  export_->add_flag("!--without-media", options->export_.with_media, "Leave out pictures and sounds");
  export_->add_flag("--legacy", options->export_.legacy, "Readable by clients before 2.1.50");
  export_->callback(
      [&tool, options] { tool.command = [&tool, options] { return ExportFile(tool, *options); }; });

  CLI::App* adopt = group->add_subcommand(
      "adopt", "Import accounts from the folder of an official sync server; run it again to resume");
  adopt->add_option("DIR", options->folder, "The folder (SYNC_BASE) of the stopped server")->required();
  adopt->add_option("--users", options->users,
                    "File with the server's SYNC_USER1=name:password, ...: devices and passwords stay valid");
  adopt->callback([&tool, options] { tool.command = [&tool, options] { return Adopt(tool, *options); }; });

  CLI::App* hand_over = group->add_subcommand(
      "hand-over", "Export accounts as the folder of an official sync server; run it again to resume");
  hand_over->add_option("DIR", options->folder, "The folder; created if it is missing")->required();
  hand_over->add_option("--account", options->name, "Only this account (default: all that are enabled)");
  hand_over->callback(
      [&tool, options] { tool.command = [&tool, options] { return HandOver(tool, *options); }; });
}

}  // namespace syncline::admin
