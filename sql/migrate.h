#pragma once
// Migrations: numbered files, applied in order, each in one transaction of its own, under an advisory lock,
// with a checksum. A file that has landed is never edited: a different checksum is refused. Only
// syncline-admin applies them; the other binaries ask SchemaProblem at start and refuse an older schema. A
// newer one is fine: a migration must leave the code before it working (add, switch, remove later).
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sql/connection.h"

namespace syncline::sql {

struct Migration {
  int number;
  const char* name;  ///< file name without .sql
  const char* text;
};

/// The migrations this binary was built with, ascending.
std::span<const Migration> Migrations();

/// Applies what is missing and returns the names applied. A statement that waits longer for a lock than
/// `settings` allow, or some seconds, gives up its migration: whatever else wants the table queues behind it.
/// The migration is tried again after a pause, for some minutes. Throws Failure on a changed file, on a gap in
/// the numbers, and on a migration that would be applied behind a later one; Unavailable when the database is
/// away or the lock was never to be had.
std::vector<std::string> Migrate(const Settings& settings,
                                 std::span<const Migration> migrations = Migrations());

/// Why this binary cannot run on this database's schema, or nothing. Throws Unavailable when the database is
/// away, Failure when it refuses the question.
std::optional<std::string> SchemaProblem(const Settings& settings);

}  // namespace syncline::sql
