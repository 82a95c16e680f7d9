#pragma once
// Counts of failed logins, for rate limiting. Shared by all tenants: a failure may concern a name that does
// not exist. The table is unlogged: a crash of PostgreSQL loses the counts, which is harmless.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::account {

/// The keys of the counts: hashes, so that the table holds no names or addresses in clear.
struct LoginSubjects {
  std::string pair;     ///< this account from this address
  std::string address;  ///< any account from this address
};

/// `folded_name`: see name_wire.h. `remote_address`: text of an IPv4 or IPv6 address (anything else counts as
/// it is). IPv6 is counted by /64, because a client can use any address in its /64.
LoginSubjects SubjectsOf(std::string_view folded_name, std::string_view remote_address);

/// How long a pair, or an address, has to wait after its last failure: not at all for the first few, then one
/// second, doubling up to five minutes, or one minute. An address is allowed more failures and waits less: a
/// school may be one address.
std::chrono::seconds PairDelay(std::int64_t failures);
std::chrono::seconds AddressDelay(std::int64_t failures);

class LoginFailureStore {
 public:
  LoginFailureStore(sql::Tx& tx, UserId /*none yet*/) : tx_(tx) {}

  /// How much longer these subjects have to wait; 0: not at all.
  std::chrono::seconds Wait(const LoginSubjects& subjects);
  void Count(const LoginSubjects& subjects);
  /// After a success. The address keeps its count: otherwise an attacker could reset it with their own
  /// account.
  void ClearPair(const LoginSubjects& subjects);
  /// Deletes up to `limit` counts that have expired; returns how many.
  std::int64_t Sweep(std::int64_t limit);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::account
