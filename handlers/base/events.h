#pragma once
// Server-sent events, text/event-stream (HTML Standard, 9.2): one-way progress and news for pages.
//
//   return EventStream([&ctx](EventSender& events) {
//     while (!ctx.IsLeaving()) { ...; events.Send("progress", json); }
//   });
//
// A stream occupies a slot: its location in nginx needs a pool with many slots, and the number of streams per
// account must be limited. It ends by itself; clients reconnect after a pause and report the last event they
// saw in Last-Event-ID. Left out on purpose: waiting for anything but progress, which is up to the handler.
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/response.h"

namespace syncline {

class Context;

class EventSender {
 public:
  explicit EventSender(BodySink& sink) : sink_(sink) {}
  /// Returns after the event was sent. `data` may have several lines; `event` and `id` have none (line breaks
  /// and NULs become spaces). An empty id leaves the client's unchanged. Throws Error if the client
  /// disconnected.
  void Send(std::string_view event, std::string_view data, std::string_view id = "");
  /// Sends a comment, for connections that are closed when idle; once in 15 s is enough.
  void KeepAlive();
  /// Sets how long the client waits before it reconnects.
  void SetRetry(std::chrono::milliseconds pause);

 private:
  BodySink& sink_;
};

/// The progress of an operation.
struct ProgressSeen {
  std::string stamp;  ///< changes when there is something new to send
  std::string json;
  bool is_over = false;
};

/// Polls `look` every `pause` and sends its result whenever the stamp changes, as "progress", or as "end"
/// when the operation has ended. Returns after "end"; when `look` returns none; when the client disconnects
/// or this process shuts down; and after a minute, to free the slot: the client then reconnects.
void SendProgress(const Context& context, EventSender& events, std::chrono::milliseconds pause,
                  const std::function<std::optional<ProgressSeen>()>& look);

/// A 200 that lasts as long as `send` runs. Browsers do not cache it, and nginx does not buffer it.
Response EventStream(std::function<void(EventSender&)> send);

}  // namespace syncline
