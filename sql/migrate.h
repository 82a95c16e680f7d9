#pragma once
// Migrations: numbered files, applied in order, each in its own transaction, under an advisory lock and with
// a checksum. A merged file is never edited: a different checksum is refused. Only syncline-admin applies
// them; the other binaries call SchemaProblem at startup and do not work on an older schema. A newer one is
// fine: a migration keeps the previous code working (add, switch, remove later), or makes it fail.
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

/// Applies the missing migrations and returns their names. A migration that waits longer for a lock than
/// `settings` allow, and at most 3 s, is rolled back, because everything else that needs the table queues
/// behind it. It is retried after a pause, for some minutes. Throws Failure on a changed file, on a gap in
/// the numbers, and on a missing migration older than an applied one; Unavailable if the database is down or
/// the lock could not be acquired.
std::vector<std::string> Migrate(const Settings& settings,
                                 std::span<const Migration> migrations = Migrations());

/// Why this binary cannot run on this database's schema, or nothing. Throws Unavailable if the database is
/// down, Failure if the query fails.
std::optional<std::string> SchemaProblem(const Settings& settings);

}  // namespace syncline::sql
