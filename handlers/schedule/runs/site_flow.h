#pragma once
// Fetches pages of the timetable's site: a few threads, each with one request at a time. The run (run_flow.h)
// schedules requests and retries. No database.
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "handlers/base/config.h"
#include "handlers/base/http_out.h"
#include "handlers/schedule/pages/group_page_wire.h"
#include "handlers/schedule/pages/index_page_wire.h"

namespace syncline::schedule {

/// The site's address and the fetching parameters, from the settings.
struct Site {
  HttpUrl base;
  std::optional<HttpProxy> proxy{};
  std::string relay{};  ///< "" or an address that is asked with ?url=
  std::string user_agent{}, networks{};
  HttpLimits limits{};
};
/// Error Internal "schedule_site_missing" if no site is configured, "schedule_site_bad" if a setting is not a
/// URL.
Site SiteOf(const Config& config);

struct PageTask {
  std::int64_t group = 0;  ///< 0: the index
  std::int64_t upstream_id = 0;
  std::string name{};
  std::string etag{}, last_modified{};  ///< validators of the last page; "" for none
  bool must_have_heading = false;
  Day today{};
  int attempt = 1;
  std::string last_code{}, last_error{};  ///< of the attempt before
  int last_status = 0;
};

struct FetchedPage {
  PageTask task;
  int status = 0;  ///< 0: no answer
  std::chrono::milliseconds took{0};
  std::optional<IndexPage> index{};
  std::optional<ParsedGroupPage> page{};
  std::string hash{};       ///< HashOf the lessons
  std::string body_hash{};  ///< of the bytes
  std::string etag{}, last_modified{};
  bool is_unmodified = false;         ///< a 304
  std::string error_code{}, error{};  ///< "": it was read
  bool is_worth_another_try = false;
  std::optional<std::chrono::milliseconds> retry_after{};
};

class PageFetcher {
 public:
  PageFetcher(Site site, int threads);
  /// Aborts requests in flight promptly.
  ~PageFetcher();
  PageFetcher(const PageFetcher&) = delete;
  PageFetcher& operator=(const PageFetcher&) = delete;

  void Submit(PageTask task);
  /// The next fetched page, waiting for at most `time`.
  std::optional<FetchedPage> Take(std::chrono::milliseconds time);
  /// Pages submitted and not yet returned by Take.
  int UnderWay() const;

 private:
  void Work();
  FetchedPage Fetch(HttpClient& client, PageTask task) const;

  const Site site_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable submitted_, fetched_;
  std::deque<PageTask> tasks_;
  std::deque<FetchedPage> pages_;
  int under_way_ = 0;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace syncline::schedule
