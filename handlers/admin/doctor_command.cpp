// syncline-admin doctor: checks the installation and gives advice. Prints one line per finding and always
// makes all checks, because the first problem is often not the cause. Changes nothing.
//
// The checks of the installation are here; those of a service are in its checks.cpp. Left out on purpose:
// what only nginx knows (certificates, ports).
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "handlers/admin/commands.h"
#include "handlers/admin/health_store.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/display.h"
#include "handlers/base/doctor_check.h"
#include "handlers/base/redis.h"
#include "handlers/base/seal.h"
#include "handlers/services.h"
#include "sql/migrate.h"

namespace syncline::admin {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

// Keys and sessions expire after minutes; a clock difference below this has no effect.
constexpr auto kClockTolerance = 5s;
constexpr std::int64_t kMinDataBytes = std::int64_t{1} << 30;
constexpr const char* kPools[] = {"api", "edge", "transfer", "large"};

class Report {
 public:
  void Print(const char* what, const Finding& finding) {
    const bool is_problem = finding.state == Finding::State::kProblem;
    problems_ += is_problem;
    const char* state = is_problem ? "PROBLEM" : finding.state == Finding::State::kOk ? "ok" : "warning";
    std::string text = finding.text;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    if (!finding.advice.empty()) text += "; " + finding.advice;
    for (char& c : text) {
      if (c == '\n' || c == '\t') c = ' ';
    }
    std::printf("%-8s %-9s %s\n", state, what, text.c_str());
  }
  int problems() const { return problems_; }

 private:
  int problems_ = 0;
};

// The database's answer, or none when it is unreachable.
std::optional<DatabaseHealth> CheckDatabase(Report& report, Context& context) {
  try {
    const auto begin = std::chrono::steady_clock::now();
    const auto asked_at = context.Now();
    const DatabaseHealth health = context.Read<HealthStore>([](HealthStore& store) { return store.Ask(); });
    const auto took = duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    report.Print("database",
                 Finding::Ok("PostgreSQL " + health.version + " answered in " + std::to_string(took.count()) +
                             " ms, holds " + SizeText(health.size_bytes)));
    const std::string used = std::to_string(health.connections) + " of " +
                             std::to_string(health.max_connections) + " connections used";
    report.Print("database",
                 health.connections * 10 < health.max_connections * 9
                     ? Finding::Ok(used)
                     : Finding::Warning(used, "raise max_connections of PostgreSQL or start fewer slots"));
    const auto difference = health.now > asked_at + took ? health.now - asked_at - took
                            : health.now < asked_at      ? asked_at - health.now
                                                         : 0s;
    const std::string clocks = "clocks of the database and of this machine differ by " +
                               std::to_string(duration_cast<std::chrono::seconds>(difference).count()) + " s";
    report.Print("clock",
                 difference <= kClockTolerance
                     ? Finding::Ok(clocks)
                     : Finding::Problem(clocks, "synchronise both clocks (timedatectl set-ntp true)"));
    return health;
  } catch (const std::exception& e) {
    report.Print("database", Finding::Problem(e.what(), "start PostgreSQL or correct database_url"));
    return std::nullopt;
  }
}

bool CheckSchema(Report& report, const Tool& tool) {
  try {
    const auto problem = sql::SchemaProblem(tool.settings());
    if (!problem) {
      report.Print("schema", Finding::Ok(std::string("at ") + sql::Migrations().back().name + " or later"));
      return true;
    }
    report.Print("schema", Finding::Problem(*problem, "the servers refuse to work with it"));
  } catch (const std::exception& e) {
    report.Print("schema", Finding::Problem(e.what(), "see the database"));
  }
  return false;
}

Finding RedisFinding(const Config& config) {
  try {
    Redis(config.redis_url).Ping();
    return Finding::Ok("answers");
  } catch (const std::exception& e) {
    // Anki, WebDAV and reads work without it.
    return Finding::Problem(e.what(),
                            "start Redis or correct redis_url; until then some requests answer 503");
  }
}

Finding SecretFinding(const Config& config) {
  if (config.secret_file.empty()) {
    return Finding::Warning("no secret_file is set",
                            "make one (openssl rand -hex 32) before a service needs it");
  }
  try {
    Secret::Load(config.secret_file);
    return Finding::Ok(config.secret_file + " can be used");
  } catch (const std::exception& e) {
    return Finding::Problem(e.what(), "restore it from the backup");
  }
}

Finding SocketFinding(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Finding::Problem(path + ": too long for a unix socket", "choose another folder");
  }
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // Non-blocking: a full listen queue is an answer as well.
  const bool is_ok = fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (is_ok) return Finding::Ok(path + " takes requests");
  if (error == EAGAIN) {
    return Finding::Problem(path + ": the queue of requests is full", "start more syncline-fcgi");
  }
  return Finding::Problem(
      path + ": " + std::strerror(error),
      error == EACCES ? "run this as root or as a member of the socket's group" : "start syncline-fcgi");
}

void CheckDisks(Report& report, Context& context, bool has_schema) {
  for (const WatchedDisk& disk : WatchedDisks(context.config())) {
    if (disk.is_missing) {
      report.Print("disk", Finding::Problem(disk.folder + " (" + disk.holds + ") cannot be found",
                                            "create the folder or correct the setting"));
      continue;
    }
    const std::string text = SizeText(disk.free_bytes) + " free in " + disk.folder + " (" + disk.holds +
                             "), " + SizeText(disk.reserve_bytes) + " in reserve";
    report.Print("disk", !disk.IsLow()
                             ? Finding::Ok(text)
                             : Finding::Problem("only " + text,
                                                "uploads and imports wait; make room. The largest tables: " +
                                                    (has_schema ? LargestTables(context) : "unknown")));
  }
}

void CheckServices(Report& report, Context& context, bool has_database, sql::Time now) {
  for (const Service* service : Services()) {
    for (const DoctorCheck& check : service->checks) {
      if (check.needs_database && !has_database) continue;
      try {
        for (const Finding& finding : check.run(context, now)) report.Print(check.name, finding);
      } catch (const std::exception& e) {
        report.Print(check.name, Finding::Problem(e.what(), "see the database"));
      }
    }
  }
}

int Doctor(const Tool& tool, const std::string& sockets) {
  Report report;
  Config config = tool.config;
  // Suppresses log lines between the findings, unless the setting is 0: then the user wants to see all
  // statements.
  if (config.slow_statement_ms > 0) config.slow_statement_ms = config.statement_timeout_ms + 1;
  sql::Database database(tool.settings());
  Redis redis(config.redis_url);
  Context context(config, database, redis, "doctor");
  const auto health = CheckDatabase(report, context);
  const bool has_schema = health && CheckSchema(report, tool);
  report.Print("redis", RedisFinding(config));
  report.Print("secret", SecretFinding(config));
  for (const char* pool : kPools) report.Print("socket", SocketFinding(sockets + "/" + pool + ".sock"));
  CheckDisks(report, context, has_schema);
  // Only visible where the database is on this machine and our role may read its directory.
  if (config.database_disk.empty() && health && health->data_directory &&
      access(health->data_directory->c_str(), F_OK) == 0) {
    report.Print("disk", DiskFinding(*health->data_directory, kMinDataBytes, "the database"));
  }
  CheckServices(report, context, has_schema, health ? health->now : sql::Time(context.Now()));
  if (report.problems() == 0) {
    std::puts("no problems found");
    return 0;
  }
  std::puts(CountText(report.problems(), "problem", "problems").c_str());
  return 1;
}

}  // namespace

void AddDoctorCommand(CLI::App& app, Tool& tool) {
  CLI::App* command = app.add_subcommand("doctor", "Check the installation and give advice");
  const auto sockets = std::make_shared<std::string>("/run/syncline");
  command->add_option("--sockets", *sockets, "Folder of the servers' sockets")
      ->envname("SYNCLINE_SOCKETS")
      ->capture_default_str();
  command->callback([&tool, sockets] { tool.command = [&tool, sockets] { return Doctor(tool, *sockets); }; });
}

}  // namespace syncline::admin
