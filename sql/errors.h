#pragma once
// What can go wrong between us and PostgreSQL, by what a caller can do about it. The text is for the log
// only.
#include <stdexcept>
#include <string>
#include <string_view>

namespace syncline::sql {

/// Base of all of these: a statement failed for a reason that is our own mistake (syntax, type, constraint we
/// did not expect). Nobody but the log should see what() .
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// PostgreSQL is away, restarting, out of connections, or a timeout or lock limit was reached: try again
/// later.
class Unavailable : public Failure {
 public:
  using Failure::Failure;
};

/// The connection died under a statement, or answered something else than was asked; nothing of the transaction
/// has been committed. Database repeats it once.
class ConnectionLost : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

/// Serialization failure or deadlock: the transaction was rolled back and may be repeated as a whole.
class Conflict : public Failure {
 public:
  using Failure::Failure;
};

/// A unique or foreign key or check constraint refused a row. A store that expects it asks for constraint().
class ConstraintViolated : public Failure {
 public:
  ConstraintViolated(const std::string& text, std::string constraint)
      : Failure(text), constraint_(std::move(constraint)) {}
  const std::string& constraint() const { return constraint_; }

 private:
  std::string constraint_;
};

/// The connection died while COMMIT was under way: it may or may not have happened, so it is never repeated.
class CommitUnknown : public Failure {
 public:
  using Failure::Failure;
};

/// Throws the error above that SQLSTATE `state` stands for. `constraint` may be null.
[[noreturn]] void ThrowSqlState(std::string_view state, const std::string& text, const char* constraint);

}  // namespace syncline::sql
