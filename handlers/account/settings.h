#pragma once
// The settings of this service: context.config().Of<account::Settings>(). Every folder of the service may
// include this file.
#include <cstdint>
#include <span>
#include <string>

#include "handlers/base/setting.h"

namespace syncline::account {

struct Settings {
  std::string registration = "invitation";  ///< who may register over HTTP: open, invitation, closed
  std::int64_t new_quota_mib = 1024;        ///< of an account registered over HTTP; 0: unlimited
  std::int64_t refresh_grace_seconds =
      0;  ///< for how long a refresh token is accepted once more after its exchange
  std::int64_t deletion_days =
      14;  ///< from the deletion of an account by its owner to the removal of its data
};

std::span<const Setting> SettingRows();

}  // namespace syncline::account
