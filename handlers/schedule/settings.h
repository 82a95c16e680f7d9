#pragma once
// The settings of this service: context.config().Of<schedule::Settings>().
#include <cstdint>
#include <span>
#include <string>

#include "handlers/base/setting.h"

namespace syncline::schedule {

struct Settings {
  std::string schedule_site_url;  ///< of the timetable; "" switches runs off. Without a slash at the end
  std::string
      schedule_proxy;  ///< "http://user:password@host:port", "socks5://...", "socks5h://..."; "": none
  std::string schedule_relay_url;   ///< asked as <relay>?url=<page>, instead of the site; "": none
  std::string schedule_user_agent;  ///< "": the name of this server. Should name a contact
  std::int64_t schedule_concurrency = 2;
  std::int64_t schedule_min_gap_ms = 250;  ///< from the start of one request to the start of the next
  std::int64_t schedule_connect_s = 10, schedule_fetch_s = 30;
  std::int64_t schedule_max_page_bytes = 5 << 20;
  std::int64_t schedule_tries = 3;
  std::int64_t schedule_retry_ms =
      1000;  ///< before the second attempt; four times as long before each further one
  std::int64_t schedule_deadline_s = 1500;
  std::int64_t schedule_wait_s = 570;     ///< how long trigger_sync_sync waits for the end of a run
  std::int64_t schedule_stale_s = 60;     ///< a run without a heartbeat for this long is interrupted
  std::int64_t schedule_every_hours = 3;  ///< 0: no timer runs
  std::int64_t schedule_full_hour = 3;    ///< of the timer's full run, in schedule_time_zone
  std::int64_t schedule_breaker = 10;     ///< failures of pages in a row
  std::string schedule_time_zone = "Europe/Saratov";
  /// First days of terms, "2031-09-01 2032-02-09", separated by blanks. "": September 1 and the second Monday of February.
  std::string schedule_semesters;
  /// Words that mark a virtual room, in lower case, separated by commas.
  std::string schedule_online_rooms;
  std::int64_t schedule_feed_fetches = 120;  ///< of one calendar's address in a minute
  std::string schedule_without_worker =
      "refuse";  ///< how trigger_sync behaves while no worker is alive: refuse, queue
};

std::span<const Setting> SettingRows();

}  // namespace syncline::schedule
