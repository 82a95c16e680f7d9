// syncline-admin jobs ...: shows, retries and cancels background jobs.
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>

#include "handlers/admin/commands.h"
#include "handlers/base/errors.h"
#include "handlers/jobs/job_store.h"

namespace syncline::admin {
namespace {

// Enough to recognise an error; `show` prints all of it.
constexpr std::size_t kShownBytes = 60;

struct Choice {
  std::string state, kind, user;
  int limit = 50;
  std::vector<std::int64_t> ids;
};

std::string UserText(const JobRow& job) {
  if (job.user_name) return *job.user_name;
  return job.user ? "(removed)" : "-";
}

// The column NEWS: what matters most about a job in its state.
std::string NewsOf(const JobRow& job) {
  if (job.state == "running" && job.cancel_requested) return "to be cancelled";
  if (job.state == "running" && job.progress_total > 0) {
    return std::to_string(job.progress_done) + "/" + std::to_string(job.progress_total) + " " +
           job.progress_message;
  }
  if (job.state == "running") return job.progress_message;
  if (job.state == "done") return "";
  return StorableText(job.last_error.value_or(""), kShownBytes);
}

// The column WHEN: when the job ended, started, or may run.
std::string WhenOf(const JobRow& job) {
  if (job.finished_at) return TimeText(job.finished_at);
  return TimeText(job.state == "running" ? job.started_at : std::optional(job.run_at));
}

int List(Tool& tool, const Choice& choice) {
  JobFilter filter;
  if (!choice.state.empty()) filter.state = choice.state;
  if (!choice.kind.empty()) filter.kind = choice.kind;
  if (!choice.user.empty()) filter.user = tool.Find(choice.user).id;
  filter.limit = choice.limit;
  const auto jobs = tool.context().Read<JobStore>([&](JobStore& store) { return store.List(filter); });
  if (jobs.empty()) {
    std::puts("no such jobs");
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const JobRow& job : jobs) {
    rows.push_back({std::to_string(static_cast<std::int64_t>(job.id)), job.kind, UserText(job), job.state,
                    std::to_string(job.attempts) + "/" + std::to_string(job.max_attempts), WhenOf(job),
                    NewsOf(job)});
  }
  PrintTable({"ID", "KIND", "USER", "STATE", "ATTEMPT", "WHEN", "NEWS"}, rows);
  return 0;
}

int Show(Tool& tool, const Choice& choice) {
  for (const std::int64_t id : choice.ids) {
    const auto job = tool.context().Read<JobStore>([&](JobStore& store) { return store.Find(JobId{id}); });
    if (!job)
      throw Refusal("there is no job " + std::to_string(id) + "; finished jobs are deleted after a while");
    const auto print = [](const char* name, const std::string& value) {
      if (!value.empty()) std::printf("%-12s %s\n", name, value.c_str());
    };
    print("job", std::to_string(id));
    print("kind", job->kind);
    print("user", UserText(*job));
    print("state",
          job->state + (job->cancel_requested && job->state == "running" ? ", to be cancelled" : ""));
    print("attempts", std::to_string(job->attempts) + " of " + std::to_string(job->max_attempts));
    print("priority", std::to_string(job->priority));
    print("unique key", job->unique_key.value_or(""));
    print("created", TimeText(job->created_at));
    print("not before", TimeText(job->run_at));
    print("started", TimeText(job->started_at));
    print("finished", TimeText(job->finished_at));
    print("worker", job->worker.value_or(""));
    if (job->worker) print("heartbeat", TimeText(job->heartbeat_at));
    if (job->progress_total > 0 || !job->progress_message.empty()) {
      print("progress", std::to_string(job->progress_done) + " of " + std::to_string(job->progress_total) +
                            " " + job->progress_message);
    }
    print("last error", job->last_error.value_or(""));
    print("args", job->args);
  }
  return 0;
}

// CLI11 would read a number beyond 64 bits as the largest one.
std::string ProblemOfId(const std::string& text) {
  std::int64_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, id);
  return error == std::errc() && stop == end && id > 0 ? "" : text + " is not the number of a job";
}

// Turns a store's error into a sentence.
[[noreturn]] void Refuse(const Error& error, std::int64_t id) {
  const std::string job = "job " + std::to_string(id);
  if (error.code() == "no_such_job") throw Refusal("there is no " + job);
  if (error.code() == "job_finished") throw Refusal(job + " has already finished");
  if (error.code() == "job_exists") throw Refusal("an unfinished job has the same key as " + job);
  if (error.code() == "job_not_retryable") throw Refusal(job + " is queued, running or done");
  throw error;
}

int Retry(Tool& tool, const Choice& choice) {
  for (const std::int64_t id : choice.ids) {
    try {
      tool.context().Write<JobStore>([&](JobStore& store) { store.Retry(JobId{id}); });
    } catch (const Error& error) {
      Refuse(error, id);
    }
    std::printf("job %lld runs again\n", static_cast<long long>(id));
  }
  return 0;
}

int Cancel(Tool& tool, const Choice& choice) {
  for (const std::int64_t id : choice.ids) {
    std::string state;
    try {
      state = tool.context().Write<JobStore>([&](JobStore& store) { return store.Cancel(JobId{id}); });
    } catch (const Error& error) {
      Refuse(error, id);
    }
    std::printf(state == "cancelled" ? "cancelled job %lld\n" : "job %lld is running and told to stop\n",
                static_cast<long long>(id));
  }
  return 0;
}

}  // namespace

void AddJobsCommands(CLI::App& app, Tool& tool) {
  CLI::App* group = app.add_subcommand("jobs", "Background jobs: list, show, retry, cancel");
  group->require_subcommand(1);
  const auto choice = std::make_shared<Choice>();
  const auto add = [&](const char* name, const char* help, int (*run)(Tool&, const Choice&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->callback(
        [&tool, choice, run] { tool.command = [&tool, choice, run] { return run(tool, *choice); }; });
    return command;
  };
  CLI::App* list = add("list", "Show jobs, newest first", List);
  list->add_option("--state", choice->state, "Only jobs in this state")
      ->check(CLI::IsMember({"waiting", "queued", "running", "done", "dead", "cancelled"}));
  list->add_option("--kind", choice->kind, "Only jobs of this kind");
  list->add_option("--user", choice->user, "Only jobs of this account");
  list->add_option("--limit", choice->limit, "Maximum number of jobs")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  const auto add_for_ids = [&](const char* name, const char* help, int (*run)(Tool&, const Choice&)) {
    add(name, help, run)
        ->add_option("ID", choice->ids, "Numbers of jobs, from 'jobs list'")
        ->required()
        ->check(ProblemOfId);
  };
  add_for_ids("show", "Show all details of jobs", Show);
  add_for_ids("retry", "Run waiting, dead or cancelled jobs now, with all their attempts", Retry);
  add_for_ids("cancel", "Cancel jobs; running ones stop at their next step", Cancel);
}

}  // namespace syncline::admin
