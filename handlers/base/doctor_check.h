#pragma once
// Checks for `syncline-admin doctor`: whether a service is healthy, and what to do if not. A service lists
// its checks in its checks.cpp; the doctor runs them in order and prints one line per finding. Checks change
// nothing.
#include <cstdint>
#include <string>
#include <vector>

#include "handlers/base/context.h"
#include "sql/value.h"

namespace syncline {

struct Finding {
  enum class State { kOk, kWarning, kProblem };
  State state;
  std::string text;    ///< the finding, without a full stop
  std::string advice;  ///< what to do; empty when all is well

  static Finding Ok(std::string text) { return {State::kOk, std::move(text), ""}; }
  /// No problem has been found so far.
  static Finding Warning(std::string text, std::string advice) {
    return {State::kWarning, std::move(text), std::move(advice)};
  }
  static Finding Problem(std::string text, std::string advice) {
    return {State::kProblem, std::move(text), std::move(advice)};
  }
};

struct DoctorCheck {
  const char* name;  ///< at most nine letters: "sessions"
  /// Skipped while the database is down or its schema does not fit.
  bool needs_database;
  /// `now` is the database's clock, or ours while it is down. An exception becomes a problem.
  std::vector<Finding> (*run)(Context& context, sql::Time now);
};

/// Whether `folder` has `wanted` bytes left. `purpose` is for the text: "the database".
Finding DiskFinding(const std::string& folder, std::int64_t wanted, const std::string& purpose);

}  // namespace syncline
