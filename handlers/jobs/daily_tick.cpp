#include "handlers/jobs/daily_tick.h"

#include <ctime>

namespace syncline::jobs {

std::chrono::system_clock::time_point LastDailyTick(std::chrono::system_clock::time_point now, int hour) {
  const std::time_t now_s = std::chrono::system_clock::to_time_t(now);
  std::tm local{};
  localtime_r(&now_s, &local);
  local.tm_hour = hour;
  local.tm_min = local.tm_sec = 0;
  std::time_t tick_s = 0;
  do {
    std::tm day = local;
    day.tm_isdst = -1;  // mktime determines it
    tick_s = std::mktime(&day);
    --local.tm_mday;
  } while (tick_s > now_s);
  return std::chrono::system_clock::from_time_t(tick_s);
}

}  // namespace syncline::jobs
