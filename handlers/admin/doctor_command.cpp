// syncline-admin doctor: is this installation well, and if not, what to do. One line a check, and all checks
// are made: the first problem is often not the cause. Changes nothing.
//
// A new check is a function and a line in Doctor(). Left out on purpose: what only nginx knows (certificates,
// ports).
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "handlers/admin/commands.h"
#include "handlers/admin/health_store.h"
#include "handlers/base/redis.h"
#include "handlers/jobs/job_store.h"
#include "sql/migrate.h"

namespace syncline::admin {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::minutes;

// Expiry of keys and sessions is counted in minutes; below this, a difference of clocks shows nowhere.
constexpr auto kClockTolerance = 5s;
// Workers note themselves every few seconds.
constexpr auto kWorkerSilence = 60s;
constexpr auto kJobPatience = 10min;
// Sessions are swept every five minutes.
constexpr auto kSweepPatience = 20min;
constexpr const char* kSweep = "anki.sweep_sessions";
constexpr int kMaxExpired = 1000;
constexpr std::int64_t kMinDataBytes = std::int64_t{1} << 30;
constexpr const char* kPools[] = {"api", "transfer", "large"};

class Report {
 public:
  void Ok(const char* what, const std::string& text) { Print("ok", what, text); }
  /// `text` says what is wrong, `advice` what to do.
  void Problem(const char* what, const std::string& text, const std::string& advice) {
    ++problems_;
    Print("PROBLEM", what, text + "; " + advice);
  }
  int problems() const { return problems_; }

 private:
  static void Print(const char* state, const char* what, std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    for (char& c : text) {
      if (c == '\n' || c == '\t') c = ' ';
    }
    std::printf("%-8s %-9s %s\n", state, what, text.c_str());
  }
  int problems_ = 0;
};

void CheckDisk(Report& report, const std::string& folder, std::int64_t wanted, const std::string& purpose) {
  struct statvfs found {};
  if (statvfs(folder.c_str(), &found) != 0) {
    return report.Problem("disk", folder + " (" + purpose + "): " + std::strerror(errno),
                          "make the folder or correct the setting");
  }
  const auto free = static_cast<std::int64_t>(found.f_bavail) * static_cast<std::int64_t>(found.f_frsize);
  const std::string text = SizeText(free) + " free in " + folder + " (" + purpose + ")";
  if (free >= wanted) return report.Ok("disk", text);
  report.Problem("disk", "only " + text, "have at least " + SizeText(wanted) + " free there");
}

// What the database answers, or nothing when it does not.
std::optional<DatabaseHealth> CheckDatabase(Report& report, Context& context) {
  try {
    const auto begin = std::chrono::steady_clock::now();
    const auto asked_at = context.Now();
    const DatabaseHealth health = context.Read<HealthStore>([](HealthStore& store) { return store.Ask(); });
    const auto took = duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    report.Ok("database", "PostgreSQL " + health.version + " answered in " + std::to_string(took.count()) +
                              " ms, holds " + SizeText(health.size_bytes));
    const std::string used = std::to_string(health.connections) + " of " +
                             std::to_string(health.max_connections) + " connections used";
    if (health.connections * 10 < health.max_connections * 9) {
      report.Ok("database", used);
    } else {
      report.Problem("database", used, "raise max_connections of PostgreSQL or start fewer slots");
    }
    const auto difference = health.now > asked_at + took ? health.now - asked_at - took
                            : health.now < asked_at      ? asked_at - health.now
                                                         : 0s;
    const std::string seconds =
        std::to_string(duration_cast<std::chrono::seconds>(difference).count()) + " s";
    if (difference <= kClockTolerance) {
      report.Ok("clock", "that of the database and ours differ by " + seconds);
    } else {
      report.Problem("clock", "that of the database and ours differ by " + seconds,
                     "have both machines' time synchronised (timedatectl set-ntp true)");
    }
    return health;
  } catch (const std::exception& e) {
    report.Problem("database", e.what(), "start PostgreSQL or correct database_url");
    return std::nullopt;
  }
}

bool CheckSchema(Report& report, const Tool& tool) {
  try {
    const auto problem = sql::SchemaProblem(tool.settings());
    if (!problem) {
      report.Ok("schema", std::string("at ") + sql::Migrations().back().name + " or later");
      return true;
    }
    report.Problem("schema", *problem, "the servers refuse to work on it");
  } catch (const std::exception& e) {
    report.Problem("schema", e.what(), "see the database");
  }
  return false;
}

void CheckJobs(Report& report, Context& context, sql::Time now) {
  try {
    int alive = 0;
    std::vector<JobCount> counts;
    context.Read<JobStore>([&](JobStore& store) {
      alive = 0;
      for (const WorkerRow& worker : store.Workers()) alive += now - worker.seen_at < kWorkerSilence;
      counts = store.Count();
    });
    if (alive > 0) {
      report.Ok("worker", CountText(alive, "worker", "workers") + " alive");
    } else {
      report.Problem("worker", "none has been seen for a minute", "start syncline-worker");
    }
    std::int64_t dead = 0, queued = 0;
    auto waiting = minutes(0);
    for (const JobCount& count : counts) {
      if (count.state == "dead") dead = count.jobs;
      if (count.state != "queued" || count.jobs == 0) continue;
      queued = count.jobs;
      waiting = duration_cast<minutes>(now - count.oldest_at);
    }
    const std::string queue = std::to_string(queued) + " queued";
    if (waiting > kJobPatience) {
      report.Problem("jobs", queue + ", the oldest for " + std::to_string(waiting.count()) + " minutes",
                     "start more workers, or see what they do: syncline-admin jobs list");
    } else if (dead > 0) {
      report.Problem("jobs", std::to_string(dead) + " failed for good",
                     "see why and try again: syncline-admin jobs list --state dead");
    } else {
      report.Ok("jobs", queue + ", none failed for good");
    }
  } catch (const std::exception& e) {
    report.Problem("jobs", e.what(), "see the database");
  }
}

// A session that nobody sweeps keeps what it has staged, and each new client that vanishes adds to it. That
// some have expired is no trouble: the next sweep takes them.
void CheckSessions(Report& report, Context& context, sql::Time now) {
  try {
    const std::size_t expired = context.Read<HealthStore>(
        [](HealthStore& store) { return store.AccountsWithExpiredSessions(kMaxExpired); });
    const auto sweeps = context.Read<JobStore>(
        [](JobStore& store) { return store.List({.state = "done", .kind = kSweep, .limit = 1}); });
    const auto swept_at = sweeps.empty() ? std::nullopt : sweeps.front().finished_at;
    const std::string text =
        CountText(static_cast<std::int64_t>(expired), "expired session", "expired sessions") +
        " of Anki, last swept: " + TimeText(swept_at);
    if (expired == 0 || (swept_at && now - *swept_at <= kSweepPatience)) return report.Ok("sessions", text);
    report.Problem(
        "sessions", text,
        std::string("start syncline-worker, or see why: syncline-admin jobs list --kind ") + kSweep);
  } catch (const std::exception& e) {
    report.Problem("sessions", e.what(), "see the database");
  }
}

void CheckRedis(Report& report, const Config& config) {
  try {
    Redis(config.redis_url).Ping();
    report.Ok("redis", "answers");
  } catch (const std::exception& e) {
    // Anki, WebDAV and reads go on without it.
    report.Problem("redis", e.what(),
                   "start Redis or correct redis_url; until then some requests answer 503");
  }
}

void CheckSocket(Report& report, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return report.Problem("socket", path + ": too long for a unix socket", "choose another folder");
  }
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // Not waiting: a queue that is full is an answer as well.
  const bool is_ok = fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (is_ok) return report.Ok("socket", path + " takes requests");
  if (error == EAGAIN) {
    return report.Problem("socket", path + ": more requests wait than fit", "start more syncline-fcgi");
  }
  report.Problem(
      "socket", path + ": " + std::strerror(error),
      error == EACCES ? "run this as root or as a member of the socket's group" : "start syncline-fcgi");
}

int Doctor(const Tool& tool, const std::string& sockets) {
  Report report;
  Config config = tool.config;
  // A person reads this; log lines between the answers help nobody. 0 is somebody who wants every one of
  // them.
  if (config.slow_statement_ms > 0) config.slow_statement_ms = config.statement_timeout_ms + 1;
  sql::Database database(tool.settings());
  Redis redis(config.redis_url);
  Context context(config, database, redis, "doctor");
  const auto health = CheckDatabase(report, context);
  const bool has_schema = health && CheckSchema(report, tool);
  if (has_schema) {
    CheckJobs(report, context, health->now);
    CheckSessions(report, context, health->now);
  }
  CheckRedis(report, config);
  for (const char* pool : kPools) CheckSocket(report, sockets + "/" + pool + ".sock");
  CheckDisk(report, config.temp_dir, config.max_collection_mib << 20, "one collection file has to fit");
  // Seen from here only where the database is on this machine and our role may know.
  if (health && health->data_directory && access(health->data_directory->c_str(), F_OK) == 0) {
    CheckDisk(report, *health->data_directory, kMinDataBytes, "the database");
  }
  if (report.problems() == 0) {
    std::puts("everything is well");
    return 0;
  }
  std::puts(CountText(report.problems(), "problem", "problems").c_str());
  return 1;
}

}  // namespace

void AddDoctorCommand(CLI::App& app, Tool& tool) {
  CLI::App* command = app.add_subcommand("doctor", "Check the installation and say what to do");
  const auto sockets = std::make_shared<std::string>("/run/syncline");
  command->add_option("--sockets", *sockets, "Folder of the servers' sockets")
      ->envname("SYNCLINE_SOCKETS")
      ->capture_default_str();
  command->callback([&tool, sockets] { tool.command = [&tool, sockets] { return Doctor(tool, *sockets); }; });
}

}  // namespace syncline::admin
