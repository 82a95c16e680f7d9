#include "handlers/schedule/profile_wire.h"

#include <algorithm>

#include "handlers/base/timestamp.h"
#include "handlers/schedule/lessons/name_rules.h"

namespace syncline::schedule {
namespace {

constexpr std::size_t kMaxCredential = 1024;

}  // namespace

void AddUser(JsonWriter& json, const account::OwnAccount& account, const Profile& profile) {
  const bool is_admin = account.account.is_admin;
  json.Object()
      .Add("id", static_cast<std::int64_t>(account.account.id))
      .Add("email", account.email.value_or(account.account.name))
      .Add("username", account.account.name)
      .Add("first_name", profile.first_name)
      .Add("last_name", profile.last_name)
      .Add("role", is_admin ? "admin" : "student")
      .Add("role_display", is_admin ? "Администратор" : "Студент")
      .Add("is_email_verified", account.email.has_value())
      .Add("can_access_admin_panel", is_admin)
      .Add("group", profile.group)
      .Add("group_name", profile.group_name)
      .Add("subgroup", profile.subgroup > 0 ? std::optional(profile.subgroup) : std::nullopt)
      .Add("created_at", PrintTimestamp(account.created_at))
      .Add("updated_at",
           PrintTimestamp(std::max(account.created_at, profile.updated_at.value_or(account.created_at))))
      .End();
}

ProfileChange ReadProfileChange(const JsonObject& in) {
  ProfileChange change;
  if (const auto group = in.Find("group"))
    change.group = group->IsNull() ? std::nullopt : std::optional(group->Int(1, kMaxId));
  if (const auto subgroup = in.Find("subgroup"))
    change.subgroup = subgroup->IsNull() ? 0 : subgroup->Int(0, 99);
  change.first_name = in.Maybe("first_name").Text(kMaxNameCharacters);
  change.last_name = in.Maybe("last_name").Text(kMaxNameCharacters);
  return change;
}

LoginCredentials ReadLoginCredentials(const JsonObject& in) {
  return {in.Text("email", kMaxCredential, 1), in.Text("password", kMaxCredential, 1)};
}

}  // namespace syncline::schedule
