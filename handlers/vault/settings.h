#pragma once
// The settings of this service: context.config().Of<vault::Settings>().
#include <cstdint>
#include <span>

#include "handlers/base/setting.h"

namespace syncline::vault {

struct Settings {
  std::int64_t max_file_mib = 512;  ///< of one file; nginx refuses more (nginx/site.conf.in)
  std::int64_t event_days = 90;     ///< for which events are kept
};

std::span<const Setting> SettingRows();

}  // namespace syncline::vault
