#pragma once
// The settings of this service: context.config().Of<anki::Settings>(). Every folder of the service may
// include this file.
#include <cstdint>
#include <span>

#include "handlers/base/setting.h"

namespace syncline::anki {

struct Settings {
  std::int64_t max_collection_mib = 2048;  ///< largest collection file, uncompressed
  /// Largest message of a sync, uncompressed. A row of a collection file may be twice as large (all fields
  /// plus the sort field), and neither SQLite nor PostgreSQL can hold 1 GB in a row.
  std::int64_t max_message_mib = 300;
  /// What one sync may send, and all syncs of an account in an hour. The largest real collections have some 300
  /// MiB.
  std::int64_t max_staged_mib = 512;
  std::int64_t max_staged_hourly_mib = 4096;
  std::int64_t history_days = 30;     ///< how long a replaced collection is kept
  std::int64_t session_minutes = 10;  ///< a session expires after this long without a request
};

std::span<const Setting> SettingRows();

}  // namespace syncline::anki
