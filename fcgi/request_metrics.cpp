#include "fcgi/request_metrics.h"

namespace syncline::front {
namespace {

// Other statuses are counted together, as "other".
constexpr int kFirstStatus = 200, kLastStatus = 519;

const char* TextOf(Ending ending) {
  switch (ending) {
    case Ending::kAnswered:
      return "answered";
    case Ending::kAdmitted:
      return "admitted";
    case Ending::kHandedOver:
      return "handed_over";
    case Ending::kClientGone:
      return "client_gone";
    case Ending::kCutShort:
      return "cut_short";
  }
  return "other";
}

}  // namespace

struct RequestMetrics::Operation {
  Operation(Metrics& metrics, const char* operation)
      : name(operation),
        seconds(metrics.Latency("syncline_request_seconds", {{"op", operation}},
                                "Time from the arrival of a request to the end of its answer")),
        in(metrics.Counter("syncline_request_bytes_total", {{"op", operation}}, "Bytes of bodies received")),
        out(metrics.Counter("syncline_answer_bytes_total", {{"op", operation}}, "Bytes of bodies sent")),
        statements(metrics.Counter("syncline_statements_total", {{"op", operation}},
                                   "Statements sent to the database")),
        database_time(metrics.Seconds("syncline_statement_seconds_total", {{"op", operation}},
                                      "Time spent waiting for the database")) {}

  const char* name;
  Histogram seconds;
  MetricCell& in;
  MetricCell& out;
  MetricCell& statements;
  MetricCell& database_time;
  // Created on first use: most operations answer with three or four statuses.
  std::array<std::atomic<MetricCell*>, kLastStatus - kFirstStatus + 1> by_status{};
  std::atomic<MetricCell*> other_status{};
  std::array<std::atomic<MetricCell*>, 5> by_ending{};  // for requests without a status
};

RequestMetrics::RequestMetrics(const std::string& directory, const Router& router, const std::string& pool)
    : metrics_(directory),
      slots_(metrics_.Gauge("syncline_slots", {{"pool", pool}}, "Requests that can be served at once")),
      busy_(metrics_.Gauge("syncline_slots_busy", {{"pool", pool}}, "Requests that are being served")),
      connects_(metrics_.Counter("syncline_database_connections_opened_total", {},
                                 "Connections to the database that were opened by requests")),
      database_errors_(metrics_.Counter("syncline_database_errors_total", {},
                                        "Requests that failed because the database was down or too slow")) {
  for (const auto table : router.tables()) {
    for (const Route& route : table) {
      operations_.emplace(&route, std::make_unique<Operation>(metrics_, route.operation));
    }
  }
  operations_.emplace(nullptr, std::make_unique<Operation>(metrics_, "-"));
}

RequestMetrics::~RequestMetrics() = default;

RequestMetrics::Operation& RequestMetrics::Of(const Route* route) const {
  return *operations_.at(route);
}

MetricCell& RequestMetrics::StatusOf(Operation& operation, const Served& served) const {
  const bool is_usual = served.status >= kFirstStatus && served.status <= kLastStatus;
  const bool is_answered = served.ending == Ending::kAnswered;
  auto& cell = !is_answered ? operation.by_ending[static_cast<std::size_t>(served.ending)]
               : is_usual   ? operation.by_status[static_cast<std::size_t>(served.status - kFirstStatus)]
                            : operation.other_status;
  if (MetricCell* const known = cell.load(std::memory_order_acquire)) return *known;
  const std::string status = !is_answered ? TextOf(served.ending)
                             : is_usual   ? std::to_string(served.status)
                                          : "other";
  MetricCell& made = metrics_.Counter("syncline_requests_total", {{"op", operation.name}, {"status", status}},
                                      "Requests that were answered");
  cell.store(&made, std::memory_order_release);
  return made;
}

void RequestMetrics::Count(const Served& served) const {
  Operation& operation = Of(served.route);
  syncline::Count(StatusOf(operation, served));
  // A second, much shorter time of the same request would falsify the latencies.
  if (served.ending != Ending::kAdmitted) operation.seconds.Observe(served.took);
  if (served.in > 0) syncline::Count(operation.in, served.in);
  if (served.out > 0) syncline::Count(operation.out, served.out);
  if (served.statements > 0) {
    syncline::Count(operation.statements, served.statements);
    syncline::Count(operation.database_time, static_cast<std::uint64_t>(served.database_time.count()));
  }
  if (served.connects > 0) syncline::Count(connects_, served.connects);
  if (served.error == "database_unavailable") syncline::Count(database_errors_);
}

}  // namespace syncline::front
