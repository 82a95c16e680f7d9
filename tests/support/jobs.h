#pragma once
// Bodies of jobs, run as the worker would run them, without a worker.
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "handlers/base/job.h"

namespace syncline::tests {

/// Never stops a job, and keeps its last message.
struct Unstoppable : JobControl {
  void Progress(std::int64_t, std::int64_t, std::string_view message) override { last_message = message; }
  void FinishIn(sql::Tx&) override {}
  void Pause(std::chrono::milliseconds) override {}
  std::string last_message;
};

/// Runs the job of that name; returns its last message.
inline std::string RunJob(std::span<const JobKind> kinds, std::string_view name, Context& context) {
  Unstoppable control;
  for (const JobKind& kind : kinds) {
    if (kind.name != name) continue;
    kind.body({.id = JobId{1}, .kind = kind.name, .user = std::nullopt, .args = "{}", .attempt = 1}, context,
              control);
    return control.last_message;
  }
  throw std::runtime_error("no such job");
}

}  // namespace syncline::tests
