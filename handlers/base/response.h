#pragma once
// A response is a value. It is sent after the handler has returned, so a header is never too late and an
// error never follows half an answer. Large bodies are a function that writes; it runs after the headers were
// sent.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace syncline {

/// The destination of a streamed body.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// Throws Error if the client disconnected.
  virtual void Write(std::string_view bytes) = 0;
  /// Sends everything written so far: for events, which must not wait in a buffer.
  virtual void Flush() {}
};

using BodyStream = std::function<void(BodySink&)>;

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::variant<std::string, BodyStream> body;
  std::optional<std::uint64_t> length;  ///< of a streamed body, when known

  Response& With(std::string name, std::string value) & {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  Response&& With(std::string name, std::string value) && {
    return std::move(With(std::move(name), std::move(value)));
  }

  static Response Empty(int status = 204) { return {status, {}, std::string(), std::nullopt}; }
  static Response Text(int status, std::string text) {
    return Response{status, {}, std::move(text), std::nullopt}.With("Content-Type",
                                                                    "text/plain; charset=utf-8");
  }
  static Response Json(int status, std::string json) {
    return Response{status, {}, std::move(json), std::nullopt}.With("Content-Type", "application/json");
  }
  static Response Bytes(std::string bytes) {
    return Response{200, {}, std::move(bytes), std::nullopt}.With("Content-Type", "application/octet-stream");
  }
  /// The function runs while the request's Context is alive; if it throws, the answer is visibly incomplete.
  static Response Stream(BodyStream stream, std::optional<std::uint64_t> length = std::nullopt) {
    return Response{200, {}, std::move(stream), length}.With("Content-Type", "application/octet-stream");
  }
};

}  // namespace syncline
