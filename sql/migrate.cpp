#include "sql/migrate.h"

#include <openssl/sha.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "sql/errors.h"
#include "sql/plain_connection.h"

namespace syncline::sql {
namespace {

// An arbitrary constant; prevents two `syncline-admin migrate` from running at the same time.
constexpr const char* kLock = "SELECT pg_advisory_lock(7367281642)";
constexpr const char* kCreateTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number int PRIMARY KEY, name text NOT NULL,"
    " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

// How long a migration may make others queue behind its lock request, and the pause before the next try, in
// which they can proceed.
constexpr std::chrono::milliseconds kLongestLockWait{3'000};
constexpr std::chrono::milliseconds kPause{1'000};
constexpr int kTries = 60;

std::string Checksum(const char* text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text), std::char_traits<char>::length(text), digest);
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

// Checksums by number.
std::map<int, std::string> Applied(pqxx::connection& connection) {
  pqxx::nontransaction tx(connection);
  std::map<int, std::string> applied;
  if (!tx.exec("SELECT to_regclass('schema_migrations') IS NOT NULL")[0][0].as<bool>()) return applied;
  for (const auto& row : tx.exec("SELECT number, checksum FROM schema_migrations ORDER BY number")) {
    applied[row[0].as<int>()] = row[1].as<std::string>();
  }
  return applied;
}

// One transaction for all statements of the migration and its row in schema_migrations.
void Apply(pqxx::connection& connection, const Migration& migration, std::chrono::milliseconds lock_timeout) {
  pqxx::work tx(connection);
  tx.exec("SET LOCAL lock_timeout = " + std::to_string(lock_timeout.count()));
  tx.exec(migration.text);
  tx.exec("INSERT INTO schema_migrations (number, name, checksum) VALUES (" +
          std::to_string(migration.number) + ", " + tx.quote(std::string(migration.name)) + ", " +
          tx.quote(Checksum(migration.text)) + ")");
  tx.commit();
}

void ApplyPatiently(pqxx::connection& connection, const Migration& migration,
                    std::chrono::milliseconds lock_timeout) {
  for (int tries = 1;; ++tries) {
    try {
      return Apply(connection, migration, lock_timeout);
    } catch (const pqxx::sql_error& e) {
      const bool is_held = e.sqlstate() == "55P03" || e.sqlstate() == "40P01";  // lock timeout, deadlock
      if (!is_held) throw;
      if (tries == kTries) {
        throw Unavailable(std::string("migration ") + migration.name + ": " + e.what() + "; tried " +
                          std::to_string(kTries) +
                          " times: end the transactions that hold the table (pg_stat_activity, pg_locks)");
      }
    }
    std::this_thread::sleep_for(kPause);
  }
}

// The numbers must be consecutive. A migration older than an applied one is refused: it was not written for
// that schema.
void RefuseGaps(std::span<const Migration> migrations, const std::map<int, std::string>& applied) {
  int expected = 0;
  for (const Migration& migration : migrations) {
    if (migration.number != ++expected) {
      throw Failure("migration " + std::to_string(expected) + " is missing before " + migration.name);
    }
    if (!applied.contains(migration.number) && !applied.empty() &&
        applied.rbegin()->first > migration.number) {
      throw Failure(std::string("migration ") + migration.name + " was not applied, but later ones were");
    }
  }
}

}  // namespace

std::vector<std::string> Migrate(const Settings& settings, std::span<const Migration> migrations) {
  PlainConnection connection(settings, settings.application_name);
  const auto lock_timeout = std::min(settings.lock_timeout, kLongestLockWait);
  return Translated([&] {
    {
      pqxx::nontransaction tx(*connection);
      tx.exec(kLock);
      tx.exec(kCreateTable);
    }
    const std::map<int, std::string> applied = Applied(*connection);
    RefuseGaps(migrations, applied);
    std::vector<std::string> done;
    for (const Migration& migration : migrations) {
      const auto found = applied.find(migration.number);
      if (found == applied.end()) {
        ApplyPatiently(*connection, migration, lock_timeout);
        done.emplace_back(migration.name);
      } else if (found->second != Checksum(migration.text)) {
        throw Failure(std::string("migration ") + migration.name + " was changed after it had been applied");
      }
    }
    return done;
  });
}

std::optional<std::string> SchemaProblem(const Settings& settings) {
  PlainConnection connection(settings, settings.application_name);
  const std::map<int, std::string> applied = Translated([&] { return Applied(*connection); });
  for (const Migration& migration : Migrations()) {
    const auto found = applied.find(migration.number);
    if (found == applied.end()) {
      return std::string("migration ") + migration.name + " is missing: run syncline-admin migrate";
    }
    if (found->second != Checksum(migration.text)) {
      return std::string("migration ") + migration.name + " differs from the one this program was built with";
    }
  }
  return std::nullopt;
}

}  // namespace syncline::sql
