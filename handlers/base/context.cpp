#include "handlers/base/context.h"

#include <algorithm>

#include "handlers/base/log.h"

namespace syncline {
namespace {

// Clients give up after 30 s without a byte; the remaining time is for the work.
constexpr std::chrono::milliseconds kLargePatience{18'000};

}  // namespace

Context::Context(const Config& config, sql::Database& database, Redis& redis, std::string request_id)
    : config_(config), database_(database), redis_(redis), request_id_(std::move(request_id)) {
  database_.SetObserver(this);
}

Context::~Context() {
  // The database outlives the request; the request's deadline and observer must not.
  database_.SetObserver(nullptr);
  database_.SetDeadline(std::nullopt);
}

const Secret& Context::secret() const {
  static const Secret secret = Secret::Load(config_.secret_file);
  return secret;
}

void Context::LeaveToLargePool() const {
  if (IsClientGone()) throw ClientGone("left before its large request began");
  if (!large_elsewhere_.empty()) throw HandOver{large_elsewhere_};
}

void Context::TakeLargeTurn() {
  if (large_turn_) return;
  LeaveToLargePool();
  large_turn_.emplace(std::max(kLargePatience - waited_, std::chrono::milliseconds(0)), is_client_gone_);
}

void Context::OnStatement(const char* name, std::chrono::microseconds took) {
  ++statements_;
  OnWait(name, took);
}

void Context::OnWait(const char* last, std::chrono::microseconds took) {
  database_time_ += took;
  const std::chrono::milliseconds slow(config_.slow_statement_ms);
  if (took < slow) return;
  LogLine(slow.count() == 0 ? LogLevel::kInfo : LogLevel::kWarn)
      .Add("req", std::string_view(request_id_))
      .Add("stmt", last)
      .Add("ms", took)
      .Write();
}

}  // namespace syncline
