#pragma once
// An account's profile in this service: its group, its subgroup, its owner's names.
#include <cstdint>
#include <optional>
#include <string>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::schedule {

struct Profile {
  std::optional<std::int64_t> group{};
  std::optional<std::string> group_name{};
  std::int64_t subgroup = 0;  ///< 0: shows all
  std::string first_name{}, last_name{};
  std::optional<sql::Time> updated_at{};  ///< none: the profile was never set
};

/// Unset fields are unchanged.
struct ProfileChange {
  std::optional<std::optional<std::int64_t>> group{};
  std::optional<std::int64_t> subgroup{};
  std::optional<std::string> first_name{}, last_name{};
  bool IsEmpty() const { return !group && !subgroup && !first_name && !last_name; }
};

class ProfileStore {
 public:
  ProfileStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}
  /// One statement.
  Profile Own();
  /// False: there is no such group, and nothing was changed.
  bool Change(const ProfileChange& change);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::schedule
