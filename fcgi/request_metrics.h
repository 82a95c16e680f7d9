#pragma once
// What the front counts: requests by operation and status, their duration, bytes and statements, database
// connections opened, and busy slots of the pool. Names and labels are resolved when the process starts (a
// status: when it is first used), so a request costs only a few atomic additions.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fcgi/router.h"
#include "handlers/base/metrics.h"

namespace syncline::front {

/// How a request ended, whatever its status.
enum class Ending {
  kAnswered,
  kAdmitted,    ///< the authorizer admitted it; the pool that serves it counts its status
  kHandedOver,  ///< another pool answers it, and counts its status
  kClientGone,  ///< the client disconnected before the end of the answer
  kCutShort,    ///< the answer failed after its beginning was sent
};

/// One finished request.
struct Served {
  const Route* route;  ///< null: no route matched
  int status;
  Ending ending;
  std::string_view error;  ///< public code; empty: none
  std::chrono::microseconds took;
  std::uint64_t in, out;  ///< bytes of the bodies
  std::uint64_t statements;
  std::chrono::microseconds database_time;
  std::uint64_t connects;  ///< connections to the database that were opened
};

class RequestMetrics {
 public:
  /// `router` must outlive this.
  RequestMetrics(const std::string& directory, const Router& router, const std::string& pool);
  ~RequestMetrics();

  void Count(const Served& served) const;
  void SetSlots(int slots) const { slots_.store(static_cast<std::uint64_t>(slots)); }

  /// A slot counts as busy while this lives.
  GaugeHold HoldSlot() const { return GaugeHold(busy_); }

 private:
  struct Operation;
  Operation& Of(const Route* route) const;
  MetricCell& StatusOf(Operation& operation, const Served& served) const;

  mutable Metrics metrics_;
  MetricCell& slots_;
  MetricCell& busy_;
  MetricCell& connects_;
  MetricCell& database_errors_;
  std::unordered_map<const Route*, std::unique_ptr<Operation>> operations_;
};

}  // namespace syncline::front
