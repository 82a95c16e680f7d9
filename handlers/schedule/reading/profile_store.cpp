#include "handlers/schedule/reading/profile_store.h"

#include "sql/queries/schedule.h"

namespace syncline::schedule {

Profile ProfileStore::Own() {
  const auto row = tx_.MaybeOne(sql::schedule::find_profile, user_);
  if (!row) return {};
  return {.group = (*row)["group_id"].As<std::optional<std::int64_t>>(),
          .group_name = (*row)["group_name"].As<std::optional<std::string>>(),
          .subgroup = (*row)["subgroup"].As<std::int64_t>(),
          .first_name = (*row)["first_name"].As<std::string>(),
          .last_name = (*row)["last_name"].As<std::string>(),
          .updated_at = (*row)["updated_at"].As<sql::Time>()};
}

bool ProfileStore::Change(const ProfileChange& change) {
  const std::optional<std::int64_t> group = change.group.value_or(std::nullopt);
  if (group && !tx_.MaybeOne(sql::schedule::find_group_revision, *group)) return false;
  tx_.Execute(sql::schedule::save_profile, user_, change.group.has_value(), group, change.subgroup,
              change.first_name, change.last_name);
  return true;
}

}  // namespace syncline::schedule
