#pragma once
// Errors of PostgreSQL, classified by what a caller can do about them. The text is for the log only.
#include <stdexcept>
#include <string>
#include <string_view>

namespace syncline::sql {

/// Base class of these; by itself, a statement failed because of a bug of ours (syntax, type). what() is for
/// the log only.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// PostgreSQL is down, restarting or out of connections, or a timeout or lock limit was reached: try again
/// later.
class Unavailable : public Failure {
 public:
  using Failure::Failure;
};

/// A row stayed locked for longer than lock_timeout.
class LockTimeout : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

/// The connection was lost during a statement, or its answers are out of step; nothing of the transaction was
/// committed. Database retries it once.
class ConnectionLost : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

/// Serialization failure or deadlock: the transaction was rolled back and may be retried as a whole.
class Conflict : public Failure {
 public:
  using Failure::Failure;
};

/// A constraint (unique, foreign key, check, ...) rejected a row. A store that expects this compares
/// constraint().
class ConstraintViolated : public Failure {
 public:
  ConstraintViolated(const std::string& text, std::string constraint)
      : Failure(text), constraint_(std::move(constraint)) {}
  const std::string& constraint() const { return constraint_; }

 private:
  std::string constraint_;
};

/// The connection was lost during COMMIT: the outcome is unknown, so it is never retried.
class CommitUnknown : public Failure {
 public:
  using Failure::Failure;
};

/// Throws the error class for SQLSTATE `state`. `constraint` may be null.
[[noreturn]] void ThrowSqlState(std::string_view state, const std::string& text, const char* constraint);

}  // namespace syncline::sql
