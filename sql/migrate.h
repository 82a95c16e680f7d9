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

/// Applies what is missing and returns the names applied. Throws Failure on a changed file,
/// Unavailable when the database is away.
std::vector<std::string> Migrate(const Settings& settings);

/// Why this binary cannot run on this database's schema, or nothing. Throws Unavailable.
std::optional<std::string> SchemaProblem(const Settings& settings);

}  // namespace syncline::sql
