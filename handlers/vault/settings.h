#pragma once
// The settings of this service: context.config().Of<vault::Settings>().
#include <cstdint>
#include <span>

#include "handlers/base/setting.h"

namespace syncline::vault {

struct Settings {
  std::int64_t max_file_mib = 512;  ///< of one file; nginx refuses more (nginx/site.conf.in)
  std::int64_t event_days = 90;     ///< for which events are kept
  // Socket.IO.
  std::int64_t ping_interval_ms = 25'000, ping_timeout_ms = 20'000;
  std::int64_t max_sessions = 100;  ///< each one holds a slot of the pool realtime
  std::int64_t handshakes_per_minute = 10;
  std::int64_t sessions_per_device = 5;
  std::int64_t uploads_per_hour = 20;
};

std::span<const Setting> SettingRows();

}  // namespace syncline::vault
