// handlers/base/metrics: counters that survive the processes.
#include "handlers/base/metrics.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "handlers/base/errors.h"
#include "handlers/base/log.h"

using namespace syncline;
using namespace std::chrono_literals;

namespace {

struct Directory {
  Directory() {
    StartLog("error");
    std::string pattern = std::filesystem::temp_directory_path() / "syncline_metrics_test.XXXXXX";
    path = mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string Page() const {
    MetricsPage page;
    page.Collect(path);
    return page.Text();
  }
  int Files() const {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      files += entry.path().extension() == ".process";
    }
    return files;
  }
  std::string path;
};

bool Has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

MetricCell& Cats(Metrics& metrics) {
  return metrics.Counter("cats_total", {{"colour", "grey"}}, "Cats seen");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_counter_is_the_sum_over_all_processes) {
  const Directory directory;
  Metrics one(directory.path), two(directory.path);
  Count(Cats(one));
  Count(Cats(two), 2);
  BOOST_TEST(&Cats(one) == &Cats(one));
  BOOST_TEST(directory.Page() ==
             "# HELP cats_total Cats seen.\n# TYPE cats_total counter\ncats_total{colour=\"grey\"} 3\n");
}

BOOST_AUTO_TEST_CASE(counters_of_a_process_outlive_it) {
  const Directory directory;
  Metrics one(directory.path);
  Count(Cats(one));
  for (int i = 1; i <= 3; ++i) {
    auto two = std::make_unique<Metrics>(directory.path);
    Count(Cats(*two), 10);
    // First read after its end, while it runs, or only after the end.
    if (i == 2) BOOST_TEST(Has(directory.Page(), "cats_total{colour=\"grey\"} 21"));
    two.reset();
    if (i == 3) BOOST_TEST(Has(directory.Page(), "cats_total{colour=\"grey\"} 31"));
  }
  BOOST_TEST(directory.Files() == 1);
  Count(Cats(one));
  BOOST_TEST(Has(directory.Page(), "cats_total{colour=\"grey\"} 32"));
}

BOOST_AUTO_TEST_CASE(a_killed_process_loses_no_counts) {
  const Directory directory;
  const pid_t child = fork();
  if (child == 0) {
    Metrics metrics(directory.path);
    Count(Cats(metrics), 5);
    metrics.Latency("nap_seconds", {}, "Naps").Observe(2ms);
    metrics.Gauge("cats_here", {}, "Cats in the room").store(4);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  BOOST_TEST(WIFSIGNALED(status));
  for (int i = 0; i < 2; ++i) {
    const std::string page = directory.Page();
    BOOST_TEST(Has(page, "cats_total{colour=\"grey\"} 5"));
    BOOST_TEST(Has(page, "nap_seconds_count 1"));
    BOOST_TEST(page.find("cats_here") == std::string::npos);
  }
  BOOST_TEST(directory.Files() == 0);
}

BOOST_AUTO_TEST_CASE(a_gauge_is_the_sum_over_living_processes) {
  const Directory directory;
  Metrics one(directory.path);
  one.Gauge("cats_here", {}, "Cats in the room").store(2);
  {
    Metrics two(directory.path);
    two.Gauge("cats_here", {}, "Cats in the room").store(3);
    BOOST_TEST(Has(directory.Page(), "cats_here 5"));
  }
  BOOST_TEST(Has(directory.Page(), "cats_here 2"));
}

BOOST_AUTO_TEST_CASE(a_file_is_counted_once_even_if_its_removal_was_interrupted) {
  const Directory directory;
  {
    Metrics metrics(directory.path);
    Count(Cats(metrics));
  }
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path)) {
    if (entry.path().extension() == ".process") file = entry.path();
  }
  const std::string copy = directory.path + "/copy";
  std::filesystem::copy_file(file, copy);
  BOOST_TEST(Has(directory.Page(), "cats_total{colour=\"grey\"} 1"));
  std::filesystem::copy_file(copy, file);
  for (int i = 0; i < 3; ++i) BOOST_TEST(Has(directory.Page(), "cats_total{colour=\"grey\"} 1"));
  BOOST_TEST(directory.Files() == 0);
}

BOOST_AUTO_TEST_CASE(a_histogram_is_cumulative_and_ends_in_infinity) {
  const Directory directory;
  Metrics metrics(directory.path);
  const Histogram naps = metrics.Latency("nap_seconds", {{"cat", "Tom"}}, "Naps");
  for (const auto took : {0us, 1000us, 1001us, 400'000us, 3'000'000'000us}) naps.Observe(took);
  const std::string page = directory.Page();
  BOOST_TEST(Has(page, "# TYPE nap_seconds histogram"));
  BOOST_TEST(Has(page, "nap_seconds_bucket{cat=\"Tom\",le=\"0.001\"} 2"));
  BOOST_TEST(Has(page, "nap_seconds_bucket{cat=\"Tom\",le=\"0.0025\"} 3"));
  BOOST_TEST(Has(page, "nap_seconds_bucket{cat=\"Tom\",le=\"0.25\"} 3"));
  BOOST_TEST(Has(page, "nap_seconds_bucket{cat=\"Tom\",le=\"0.5\"} 4"));
  BOOST_TEST(Has(page, "nap_seconds_bucket{cat=\"Tom\",le=\"600\"} 4"));
  BOOST_TEST(Has(page, "nap_seconds_bucket{cat=\"Tom\",le=\"+Inf\"} 5"));
  BOOST_TEST(Has(page, "nap_seconds_sum{cat=\"Tom\"} 3000.402001"));
  BOOST_TEST(Has(page, "nap_seconds_count{cat=\"Tom\"} 5"));
}

BOOST_AUTO_TEST_CASE(no_label_can_forge_a_line) {
  MetricsPage page;
  page.Gauge("cats", {{"name", "a\"} 1\nb\\"}}, "Cats", -1);
  BOOST_TEST(Has(page.Text(), "cats{name=\"a\\\"} 1\\nb\\\\\"} -1"));
}

BOOST_AUTO_TEST_CASE(corrupt_files_are_ignored) {
  const Directory directory;
  Metrics metrics(directory.path);
  Count(Cats(metrics));
  std::ofstream(directory.path + "/1-1.process") << "";
  std::ofstream(directory.path + "/1-2.process")
      << "SyncMet1" << std::string(8, '\xff') << std::string(100, '\xff');
  std::ofstream(directory.path + "/1-3.process") << std::string(4096, '\xee');
  std::ofstream(directory.path + "/totals") << "SyncMet1";
  BOOST_TEST(Has(directory.Page(), "cats_total{colour=\"grey\"} 1"));
  BOOST_TEST(directory.Files() == 1);
}

BOOST_AUTO_TEST_CASE(a_full_file_loses_only_the_newest_metrics) {
  const Directory directory;
  Metrics metrics(directory.path);
  Count(Cats(metrics));
  for (int i = 0; i < 20'000; ++i) {
    Count(metrics.Counter("many_total", {{"n", std::to_string(i)}}, "Many"));
    metrics.Latency("many_seconds", {{"n", std::to_string(i)}}, "Many").Observe(1ms);
  }
  BOOST_TEST(Has(directory.Page(), "cats_total{colour=\"grey\"} 1"));
}

BOOST_AUTO_TEST_CASE(without_a_directory_counting_works_in_the_process_only) {
  for (const char* path : {"", "/nonexistent/metrics"}) {
    Metrics metrics(path);
    Count(Cats(metrics));
    BOOST_TEST(Cats(metrics).load() == 1u);
  }
  MetricsPage page;
  BOOST_CHECK_THROW(page.Collect("/nonexistent/metrics"), Error);
}

BOOST_AUTO_TEST_CASE(counting_takes_less_than_a_microsecond) {
  const Directory directory;
  Metrics metrics(directory.path);
  MetricCell& cell = Cats(metrics);
  const Histogram naps = metrics.Latency("nap_seconds", {}, "Naps");
  constexpr int kTimes = 1'000'000;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kTimes; ++i) {
    Count(cell);
    naps.Observe(std::chrono::microseconds(i));
  }
  const auto each = (std::chrono::steady_clock::now() - begin) / kTimes;
  BOOST_TEST_MESSAGE("a counter and a histogram: " << each.count() << " ns");
  BOOST_TEST(each.count() < 1000);  // allows for sanitizers; 20 ns without
}
