#pragma once
// Redis, for data that may be lost. One connection, opened on first use. Connecting and waiting for a reply
// take half a second each at most; then Error Busy "redis_unavailable" is thrown, and never a wrong answer
// returned.
//
// After a command that got no answer in time, all connections of this process to that address fail at once for
// kRedisRest: a hung Redis must not hold every slot for half a second again and again, because most requests
// can do without it.
//
// A command is never retried: it may have been executed. A connection that Redis has closed is detected
// before the command is sent, and reopened. Left out on purpose: passwords, TLS, clusters, pipelines.
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct redisContext;
struct redisReply;

namespace syncline {

inline constexpr std::chrono::milliseconds kRedisRest{500};

struct RedisReply {
  enum class Type { kNull, kInteger, kText } type = Type::kNull;
  std::int64_t integer = 0;
  std::string text;
};

class Redis {
 public:
  /// `url`: unix:///path/of/socket or redis://host:port . Does not connect yet.
  explicit Redis(std::string url);
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  /// Runs one command. Error Busy "redis_unavailable" when Redis cannot be reached or
  /// cannot work at the moment (no memory, loading), Internal for a command that is wrong.
  RedisReply Command(std::span<const std::string_view> arguments);
  RedisReply Command(std::initializer_list<std::string_view> arguments) {
    return Command(std::span(arguments.begin(), arguments.size()));
  }
  /// Waits until the list has an item, and takes it: for whoever is told that there is news elsewhere. False: none came
  /// within `wait`, which is at least a millisecond. Throws as Command does.
  bool AwaitItem(std::string_view list, std::chrono::milliseconds wait);
  /// Throws as Command does.
  void Ping() { Command({"PING"}); }

 private:
  void Connect();
  RedisReply Run(std::span<const std::string_view> arguments);
  template <typename F>
  auto Resting(F&& run);
  using Raw = std::unique_ptr<redisReply, void (*)(void*)>;
  /// The reply of Redis itself; one that is no error.
  Raw Send(std::span<const std::string_view> arguments, std::chrono::milliseconds patience);
  std::string url_;
  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
};

}  // namespace syncline
