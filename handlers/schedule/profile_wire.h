#pragma once
// The account as the timetable's clients see it, and the fields that they may change. The role comes from the
// account and cannot be written here: in the original anybody could become an administrator.
#include <string>

#include "handlers/account/login/account_store.h"
#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/schedule/reading/profile_store.h"

namespace syncline::schedule {

inline constexpr std::size_t kMaxNameCharacters = 150;

void AddUser(JsonWriter& json, const account::OwnAccount& account, const Profile& profile);

/// {"group", "subgroup", "first_name", "last_name"}, each optional; `group` and `subgroup` may be null. Other members, `role`
/// among them, are ignored.
ProfileChange ReadProfileChange(const JsonObject& in);

struct LoginCredentials {
  std::string email;  ///< or the name of an account without an address
  std::string password;
};
LoginCredentials ReadLoginCredentials(const JsonObject& in);

}  // namespace syncline::schedule
