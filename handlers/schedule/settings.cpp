#include "handlers/schedule/settings.h"

namespace syncline::schedule {
namespace {

constexpr Setting kSettings[] = {
    TextSetting<&Settings::schedule_site_url>("schedule_site_url",
                                              "URL of the timetable's web site; empty: none is mirrored"),
    TextSetting<&Settings::schedule_proxy>(
        "schedule_proxy", "Proxy for the site: http://user:password@host:port, socks5:// or socks5h://"),
    TextSetting<&Settings::schedule_relay_url>(
        "schedule_relay_url", "A relay that is asked instead of the site, as <relay>?url=<page>"),
    TextSetting<&Settings::schedule_user_agent>("schedule_user_agent",
                                                "User-Agent for the site; it should name a contact"),
    NumberSetting<&Settings::schedule_concurrency>("schedule_concurrency", 1, 4,
                                                   "Pages that a run fetches at once"),
    NumberSetting<&Settings::schedule_min_gap_ms>(
        "schedule_min_gap_ms", 0, 60'000,
        "Milliseconds from the start of one request to the site to the next, of all workers"),
    NumberSetting<&Settings::schedule_connect_s>("schedule_connect_s", 1, 120,
                                                 "Seconds for a connection to the site"),
    NumberSetting<&Settings::schedule_fetch_s>("schedule_fetch_s", 1, 600,
                                               "Seconds for one try to fetch a page"),
    NumberSetting<&Settings::schedule_max_page_bytes>("schedule_max_page_bytes", 10'000, 100 << 20,
                                                      "Bytes that a page may have"),
    NumberSetting<&Settings::schedule_tries>("schedule_tries", 1, 10, "Tries to fetch one page"),
    NumberSetting<&Settings::schedule_retry_ms>(
        "schedule_retry_ms", 0, 60'000,
        "Milliseconds before the second try; four times as long before each further one"),
    NumberSetting<&Settings::schedule_deadline_s>("schedule_deadline_s", 10, 7200,
                                                  "Seconds after which a run ends, whatever is left"),
    NumberSetting<&Settings::schedule_wait_s>("schedule_wait_s", 1, 570,
                                              "Seconds that a script waits for the end of a run"),
    NumberSetting<&Settings::schedule_stale_s>(
        "schedule_stale_s", 5, 600, "Seconds without a sign of life after which a run counts as interrupted"),
    NumberSetting<&Settings::schedule_every_hours>(
        "schedule_every_hours", 0, 24, "Hours between two runs by the clock; 0: no runs by the clock"),
    NumberSetting<&Settings::schedule_full_hour>(
        "schedule_full_hour", 0, 23,
        "Hour of the day after which the first run by the clock reads all groups"),
    NumberSetting<&Settings::schedule_breaker>("schedule_breaker", 1, 1000,
                                               "Pages that fail in a row before a run gives up"),
    TextSetting<&Settings::schedule_time_zone>("schedule_time_zone", "Time zone of the timetable"),
    TextSetting<&Settings::schedule_semesters>(
        "schedule_semesters", "First days of terms, as in 2031-09-01 2032-02-09; empty: the usual ones"),
    TextSetting<&Settings::schedule_online_rooms>(
        "schedule_online_rooms",
        "Words of rooms that are no place, separated by commas; empty: the usual ones"),
    NumberSetting<&Settings::schedule_feed_fetches>(
        "schedule_feed_fetches", 1, 1'000'000, "Fetches of one calendar's address that a minute may have"),
    TextSetting<&Settings::schedule_without_worker>(
        "schedule_without_worker", "What the button does while no worker is alive", "refuse|queue"),
};

}  // namespace

std::span<const Setting> SettingRows() {
  return kSettings;
}

}  // namespace syncline::schedule
