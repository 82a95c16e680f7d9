#pragma once
// Failed logins, counted for slowing down. Shared by all tenants: a failure may concern a name nobody has.
// Unlogged: a crash of PostgreSQL forgets them, which harms nobody.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::account {

/// What is counted: hashes, so that the table holds neither names nor addresses as text.
struct LoginSubjects {
  std::string pair;     ///< this account from this address
  std::string address;  ///< anybody from this address
};

/// `folded_name`: see name_wire.h. `remote_address`: text of an IPv4 or IPv6 address (anything else counts as
/// it is). An IPv6 client has a whole /64 to choose from, so that is what counts.
LoginSubjects SubjectsOf(std::string_view folded_name, std::string_view remote_address);

/// How long after its last failure a pair, or an address, has to wait: nothing for the first few, then
/// doubling from a second up to five minutes, or one. An address gets more of everything: a school is one
/// address.
std::chrono::seconds PairDelay(std::int64_t failures);
std::chrono::seconds AddressDelay(std::int64_t failures);

class LoginFailureStore {
 public:
  LoginFailureStore(sql::Tx& tx, UserId /*nobody yet*/) : tx_(tx) {}

  /// How much longer these subjects have to wait; 0: go ahead.
  std::chrono::seconds Wait(const LoginSubjects& subjects);
  void Count(const LoginSubjects& subjects);
  /// After a success. The address keeps its count, or an attacker's own account would wash it.
  void ClearPair(const LoginSubjects& subjects);
  /// Deletes up to `limit` counts that are too old to matter; returns how many.
  std::int64_t Sweep(std::int64_t limit);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::account
