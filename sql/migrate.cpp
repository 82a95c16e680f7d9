// Works on a plain connection: a migration is many statements in one text, which the extended protocol does
// not take.
#include "sql/migrate.h"

#include <libpq-fe.h>
#include <openssl/sha.h>

#include <algorithm>
#include <map>
#include <memory>

#include "sql/errors.h"

namespace syncline::sql {
namespace {

// Any constant would do; it keeps two `syncline-admin migrate` from running side by side.
constexpr const char* kLock = "SELECT pg_advisory_lock(7367281642)";
constexpr const char* kCreateTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number int PRIMARY KEY, name text NOT NULL,"
    " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

using Connected = std::unique_ptr<PGconn, void (*)(PGconn*)>;
using Result = std::unique_ptr<PGresult, void (*)(PGresult*)>;

Connected Connect(const Settings& settings) {
  const std::string timeout = std::to_string(settings.connect_timeout.count());
  const char* keys[] = {"dbname",          "application_name", "client_encoding",
                        "connect_timeout", "options",          nullptr};
  const char* values[] = {settings.url.c_str(), settings.application_name.c_str(), "UTF8",
                          timeout.c_str(),      "-c client_min_messages=warning",  nullptr};
  Connected conn(PQconnectdbParams(keys, values, 1), PQfinish);
  if (PQstatus(conn.get()) != CONNECTION_OK) throw Unavailable(PQerrorMessage(conn.get()));
  return conn;
}

Result Execute(PGconn* conn, const std::string& text) {
  Result result(PQexec(conn, text.c_str()), PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw Failure(PQerrorMessage(conn));
  return result;
}

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

std::map<int, std::string> Applied(PGconn* conn) {
  const Result exists = Execute(conn, "SELECT to_regclass('schema_migrations') IS NOT NULL");
  std::map<int, std::string> applied;
  if (PQgetvalue(exists.get(), 0, 0)[0] != 't') return applied;
  const Result rows = Execute(conn, "SELECT number, checksum FROM schema_migrations ORDER BY number");
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    applied[std::stoi(PQgetvalue(rows.get(), i, 0))] = PQgetvalue(rows.get(), i, 1);
  }
  return applied;
}

}  // namespace

std::vector<std::string> Migrate(const Settings& settings) {
  const Connected conn = Connect(settings);
  Execute(conn.get(), kLock);
  Execute(conn.get(), kCreateTable);
  const std::map<int, std::string> applied = Applied(conn.get());
  std::vector<std::string> done;
  for (const Migration& migration : Migrations()) {
    const std::string checksum = Checksum(migration.text);
    if (const auto found = applied.find(migration.number); found != applied.end()) {
      if (found->second != checksum) {
        throw Failure(std::string("migration ") + migration.name + " was changed after it had been applied");
      }
      continue;
    }
    // The simple protocol makes one transaction of a text of many statements; BEGIN makes it one with the
    // record.
    Execute(conn.get(), "BEGIN");
    Execute(conn.get(), migration.text);
    Execute(conn.get(), "INSERT INTO schema_migrations (number, name, checksum) VALUES (" +
                            std::to_string(migration.number) + ", '" + migration.name + "', '" + checksum +
                            "')");
    Execute(conn.get(), "COMMIT");
    done.emplace_back(migration.name);
  }
  return done;
}

std::optional<std::string> SchemaProblem(const Settings& settings) {
  const Connected conn = Connect(settings);
  const std::map<int, std::string> applied = Applied(conn.get());
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
