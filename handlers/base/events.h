#pragma once
// Server-sent events, text/event-stream (HTML Standard, 9.2): progress and news for pages, one way.
//
//   return EventStream([&ctx](EventSender& events) {
//     while (!ctx.IsLeaving()) { ...; events.Send("progress", json); }
//   });
//
// A stream holds its slot: its location in nginx needs a pool with many slots, and no account may open many
// streams. It ends by itself; clients come back after a pause, and Last-Event-ID says what they have seen. Left
// out on purpose: waiting for news, which is the handler's.
#include <chrono>
#include <functional>
#include <string_view>

#include "handlers/base/response.h"

namespace syncline {

class EventSender {
 public:
  explicit EventSender(BodySink& sink) : sink_(sink) {}
  /// Each is on its way when this returns. `data` may have several lines; `event` and `id` have none (what
  /// looks like the end of a line becomes a space). An empty id leaves the client's as it is. Throws Error when
  /// the client went away.
  void Send(std::string_view event, std::string_view data, std::string_view id = "");
  /// A comment, for connections that are cut when nothing comes; once in 15 s is enough.
  void KeepAlive();
  /// How long the client waits before it comes back.
  void SetRetry(std::chrono::milliseconds pause);

 private:
  BodySink& sink_;
};

/// 200 that lasts as long as `send` runs. Neither browsers nor nginx keep any of it.
Response EventStream(std::function<void(EventSender&)> send);

}  // namespace syncline
