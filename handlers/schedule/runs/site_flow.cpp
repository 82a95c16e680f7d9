#include "handlers/schedule/runs/site_flow.h"

#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"
#include "handlers/base/upstream.h"
#include "handlers/schedule/pages/html_wire.h"
#include "handlers/schedule/runs/run_rules.h"
#include "handlers/schedule/settings.h"

namespace syncline::schedule {
namespace {

// A request that its fetcher has given up.
struct Stopped {};

std::string PathOf(const PageTask& task) {
  return task.group == 0 ? "/" : "/rasp/group/" + std::to_string(task.upstream_id);
}

HttpUrl PageUrl(const Site& site, const PageTask& task) {
  HttpUrl url = site.base;
  const std::string folder = url.target == "/" ? std::string() : url.target;
  url.target = folder + PathOf(task);
  return url;
}

HttpRequest RequestFor(const Site& site, const PageTask& task) {
  HttpRequest request{.url = PageUrl(site, task)};
  if (!site.relay.empty()) {
    const char separator = site.relay.find('?') == std::string::npos ? '?' : '&';
    const auto url = ParseHttpUrl(site.relay + separator + "url=" + PercentEncoded(request.url.Text()));
    if (!url) throw Error(ErrorKind::kInternal, "schedule_site_bad", "schedule_relay_url is no address");
    request.url = *url;
  }
  request.headers.emplace_back("Accept", "text/html");
  if (!site.user_agent.empty()) request.headers.emplace_back("User-Agent", site.user_agent);
  if (!task.etag.empty()) request.headers.emplace_back("If-None-Match", task.etag);
  if (!task.last_modified.empty()) request.headers.emplace_back("If-Modified-Since", task.last_modified);
  return request;
}

// What the answer says, in the terms of the run.
void Read(const HttpResponse& response, const std::string& url, FetchedPage& fetched) {
  const PageTask& task = fetched.task;
  fetched.body_hash = Sha256(response.body);
  const std::string_view content_type = response.Header("content-type");
  if (task.group == 0) {
    fetched.index = ParseIndexPage(response.body, content_type);
    return;
  }
  fetched.page = ParseGroupPage({.bytes = response.body,
                                 .content_type = content_type,
                                 .url = url,
                                 .group_name = task.name,
                                 .today = task.today});
  if (task.must_have_heading && !fetched.page->has_heading)
    throw PageRefused("wrong_group", "the page no longer says whose it is");
  fetched.hash = HashOf(fetched.page->lessons, fetched.page->window);
  fetched.etag = response.Header("etag");
  fetched.last_modified = response.Header("last-modified");
}

}  // namespace

Site SiteOf(const Config& config) {
  const Settings& settings = config.Of<Settings>();
  if (settings.schedule_site_url.empty())
    throw Error(ErrorKind::kInternal, "schedule_site_missing", "schedule_site_url is not set");
  const auto base = ParseHttpUrl(settings.schedule_site_url);
  if (!base || base->target.find('?') != std::string::npos)
    throw Error(ErrorKind::kInternal, "schedule_site_bad", "schedule_site_url is no address");
  Site site{.base = *base};
  while (site.base.target.size() > 1 && site.base.target.ends_with('/')) site.base.target.pop_back();
  if (!settings.schedule_proxy.empty()) {
    site.proxy = ParseHttpProxy(settings.schedule_proxy);
    if (!site.proxy)
      throw Error(ErrorKind::kInternal, "schedule_site_bad", "schedule_proxy is no address of a proxy");
  }
  site.relay = settings.schedule_relay_url;
  site.user_agent = settings.schedule_user_agent;
  site.networks = config.outbound_networks;
  const auto seconds = [](std::int64_t count) { return std::chrono::seconds(count); };
  site.limits = {.connect = seconds(settings.schedule_connect_s),
                 .idle = seconds(settings.schedule_fetch_s),
                 .total = seconds(settings.schedule_fetch_s),
                 .body_bytes = static_cast<std::size_t>(settings.schedule_max_page_bytes),
                 .redirects = 3};
  return site;
}

PageFetcher::PageFetcher(Site site, int threads) : site_(std::move(site)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

PageFetcher::~PageFetcher() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  submitted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void PageFetcher::Submit(PageTask task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    ++under_way_;
  }
  submitted_.notify_one();
}

std::optional<FetchedPage> PageFetcher::Take(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  if (!fetched_.wait_for(lock, time, [&] { return !pages_.empty(); })) return std::nullopt;
  FetchedPage page = std::move(pages_.front());
  pages_.pop_front();
  --under_way_;
  return page;
}

int PageFetcher::UnderWay() const {
  const std::lock_guard lock(mutex_);
  return under_way_;
}

void PageFetcher::Work() {
  HttpClient client(site_.networks, site_.proxy);
  for (;;) {
    PageTask task;
    {
      std::unique_lock lock(mutex_);
      submitted_.wait(lock, [&] { return is_stopping_ || !tasks_.empty(); });
      if (is_stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    try {
      FetchedPage page = Fetch(client, std::move(task));
      const std::lock_guard lock(mutex_);
      pages_.push_back(std::move(page));
    } catch (const Stopped&) {
      return;
    }
    fetched_.notify_one();
  }
}

FetchedPage PageFetcher::Fetch(HttpClient& client, PageTask task) const {
  FetchedPage fetched{.task = std::move(task)};
  const auto begin = std::chrono::steady_clock::now();
  const auto fail = [&](std::string code, const std::string& text, bool is_worth_another_try) {
    fetched.error_code = std::move(code);
    fetched.error = text;
    fetched.is_worth_another_try = is_worth_another_try;
  };
  const Waiter wait = [&](std::chrono::milliseconds) {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) throw Stopped();
  };
  try {
    const HttpRequest request = RequestFor(site_, fetched.task);
    const HttpResponse response = client.Send(request, site_.limits, wait);
    fetched.status = response.status;
    if (response.status == 304 && (!fetched.task.etag.empty() || !fetched.task.last_modified.empty())) {
      fetched.is_unmodified = true;
    } else if (response.status != 200) {
      fail("http_" + std::to_string(response.status), "the site answers " + std::to_string(response.status),
           IsWorthAnotherTry(response.status));
      fetched.retry_after = ParseRetryAfter(response.Header("retry-after"), std::chrono::system_clock::now());
    } else {
      Read(response, PageUrl(site_, fetched.task).Text(), fetched);
    }
  } catch (const PageRefused& refused) {
    fetched.page.reset();
    // Half a page may be whole the next time; another layout stays.
    fail(refused.code(), refused.what(), refused.code() == "truncated");
  } catch (const HttpError& error) {
    fail(std::string("upstream_") + NameOf(error.failure()), error.what(),
         error.failure() != HttpFailure::kRedirect && error.failure() != HttpFailure::kRefusedAddress &&
             error.failure() != HttpFailure::kTooLarge);
  } catch (const std::exception& error) {
    fail("internal", error.what(), false);
  }
  fetched.took =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  return fetched;
}

}  // namespace syncline::schedule
