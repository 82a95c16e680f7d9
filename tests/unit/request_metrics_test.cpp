// fcgi/request_metrics: how requests are counted, and the cost of counting.
#include "fcgi/request_metrics.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

using namespace syncline;
using namespace std::chrono_literals;
using front::RequestMetrics;
using front::Served;

namespace {

Response Ok(Request&, Context&) {
  return Response::Empty();
}
Response Render(const Error&, const Request&) {
  return Response::Empty();
}
const Dialect kZoo{.service = "zoo", .render_error = Render};
const Route kRows[] = {
    {"GET", "/cats", "zoo.cats", Auth::kPublic, sql::Access::kRead, 0, 1s, Ok, &kZoo},
    {"GET", "/dogs", "zoo.dogs", Auth::kPublic, sql::Access::kRead, 0, 1s, Ok, &kZoo},
};

struct Fixture {
  Fixture() {
    std::string pattern = std::filesystem::temp_directory_path() / "syncline_metrics_test.XXXXXX";
    directory = mkdtemp(pattern.data());
  }
  ~Fixture() { std::filesystem::remove_all(directory); }
  bool Has(const std::string& line) const {
    MetricsPage page;
    page.Collect(directory);
    return ("\n" + page.Text()).find("\n" + line + "\n") != std::string::npos;
  }
  static Served Of(const Route* route, int status) {
    return {.route = route,
            .status = status,
            .ending = front::Ending::kAnswered,
            .error = "",
            .took = 3ms,
            .in = 5,
            .out = 7,
            .statements = 2,
            .database_time = 1500us,
            .connects = 0};
  }
  std::string directory;
  const front::Router router{{kRows}};
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_request_is_counted_under_its_operation_and_status, Fixture) {
  const RequestMetrics metrics(directory, router, "api");
  metrics.Count(Of(&kRows[0], 200));
  metrics.Count(Of(&kRows[0], 200));
  metrics.Count(Of(&kRows[0], 404));
  metrics.Count(Of(&kRows[1], 200));
  metrics.Count(Of(nullptr, 404));
  BOOST_TEST(Has("syncline_requests_total{op=\"zoo.cats\",status=\"200\"} 2"));
  BOOST_TEST(Has("syncline_requests_total{op=\"zoo.cats\",status=\"404\"} 1"));
  BOOST_TEST(Has("syncline_requests_total{op=\"zoo.dogs\",status=\"200\"} 1"));
  BOOST_TEST(Has("syncline_requests_total{op=\"-\",status=\"404\"} 1"));
  BOOST_TEST(Has("syncline_request_seconds_bucket{op=\"zoo.cats\",le=\"0.0025\"} 0"));
  BOOST_TEST(Has("syncline_request_seconds_bucket{op=\"zoo.cats\",le=\"0.005\"} 3"));
  BOOST_TEST(Has("syncline_request_bytes_total{op=\"zoo.cats\"} 15"));
  BOOST_TEST(Has("syncline_answer_bytes_total{op=\"zoo.cats\"} 21"));
  BOOST_TEST(Has("syncline_statements_total{op=\"zoo.cats\"} 6"));
  BOOST_TEST(Has("syncline_statement_seconds_total{op=\"zoo.cats\"} 0.004500"));
}

BOOST_FIXTURE_TEST_CASE(a_request_without_a_complete_answer_is_not_counted_as_200, Fixture) {
  const RequestMetrics metrics(directory, router, "api");
  Served served = Of(&kRows[0], 200);
  for (const auto ending :
       {front::Ending::kHandedOver, front::Ending::kClientGone, front::Ending::kCutShort}) {
    served.ending = ending;
    metrics.Count(served);
  }
  for (const char* status : {"handed_over", "client_gone", "cut_short"}) {
    BOOST_TEST(Has(std::string("syncline_requests_total{op=\"zoo.cats\",status=\"") + status + "\"} 1"),
               status);
  }
  BOOST_TEST(!Has("syncline_requests_total{op=\"zoo.cats\",status=\"200\"} 1"));
}

BOOST_FIXTURE_TEST_CASE(an_invalid_status_is_counted_as_other, Fixture) {
  const RequestMetrics metrics(directory, router, "api");
  for (const int status : {0, -1, 199, 520, 999, 1 << 30}) metrics.Count(Of(&kRows[0], status));
  BOOST_TEST(Has("syncline_requests_total{op=\"zoo.cats\",status=\"other\"} 6"));
}

BOOST_FIXTURE_TEST_CASE(busy_slots_are_counted_while_busy, Fixture) {
  const RequestMetrics metrics(directory, router, "large");
  metrics.SetSlots(16);
  {
    const GaugeHold one = metrics.HoldSlot(), two = metrics.HoldSlot();
    BOOST_TEST(Has("syncline_slots_busy{pool=\"large\"} 2"));
  }
  BOOST_TEST(Has("syncline_slots_busy{pool=\"large\"} 0"));
  BOOST_TEST(Has("syncline_slots{pool=\"large\"} 16"));
}

BOOST_FIXTURE_TEST_CASE(a_request_costs_microseconds, Fixture) {
  const RequestMetrics metrics(directory, router, "api");
  constexpr int kTimes = 200'000;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kTimes; ++i) metrics.Count(Of(&kRows[i & 1], 200));
  const auto each = (std::chrono::steady_clock::now() - begin) / kTimes;
  BOOST_TEST_MESSAGE("a request: " << each.count() << " ns");
  BOOST_TEST(each.count() < 20'000);  // of which sanitizers take the most
}
