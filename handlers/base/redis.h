#pragma once
// Redis: what may be lost. One connection, opened when it is first used, with short timeouts: a Redis that is
// away costs a request half a second at most and then Error Busy "redis_unavailable", never a wrong answer.
//
// A command is never repeated: it may have been executed. A connection that Redis has closed meanwhile is
// noticed before the command is sent, and opened anew. Left out on purpose: passwords, TLS, clusters,
// pipelines.
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

struct redisContext;

namespace syncline {

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
  RedisReply Command(std::initializer_list<std::string_view> arguments);
  /// Throws as Command does.
  void Ping() { Command({"PING"}); }

 private:
  void Connect();
  std::string url_;
  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
};

}  // namespace syncline
