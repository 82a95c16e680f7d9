#include "handlers/base/events.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include "handlers/base/context.h"

namespace syncline {
namespace {

using namespace std::chrono_literals;

constexpr auto kKeepAlive = 15s;
// The longest progress stream. The client then reconnects, behind the requests that wait for a slot.
constexpr auto kLongestStream = 1min;

void AppendField(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ");
  std::transform(value.begin(), value.end(), std::back_inserter(text),
                 [](char c) { return c == '\n' || c == '\r' || c == '\0' ? ' ' : c; });
  text += '\n';
}

}  // namespace

void EventSender::Send(std::string_view event, std::string_view data, std::string_view id) {
  std::string text;
  if (!event.empty()) AppendField(text, "event", event);
  if (!id.empty()) AppendField(text, "id", id);
  for (;;) {
    // CR, LF and CRLF all end a line for the client.
    const std::size_t end = data.find_first_of("\r\n");
    AppendField(text, "data", data.substr(0, end));
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + (data.substr(end, 2) == "\r\n" ? 2 : 1));
  }
  text += '\n';
  sink_.Write(text);
  sink_.Flush();
}

void EventSender::KeepAlive() {
  sink_.Write(":\n\n");
  sink_.Flush();
}

void EventSender::SetRetry(std::chrono::milliseconds pause) {
  sink_.Write("retry: " + std::to_string(pause.count()) + "\n\n");
  sink_.Flush();
}

void SendProgress(const Context& context, EventSender& events, std::chrono::milliseconds pause,
                  const std::function<std::optional<ProgressSeen>()>& look) {
  using Steady = std::chrono::steady_clock;
  const auto end = Steady::now() + kLongestStream;
  auto sent_at = Steady::now();
  std::string last;
  while (!context.IsLeaving() && !context.IsClientGone() && Steady::now() < end) {
    auto seen = look();
    if (!seen) return;
    if (seen->stamp != last) {
      last = std::move(seen->stamp);
      events.Send(seen->is_over ? "end" : "progress", seen->json);
      sent_at = Steady::now();
    } else if (Steady::now() - sent_at > kKeepAlive) {
      events.KeepAlive();
      sent_at = Steady::now();
    }
    if (seen->is_over) return;
    std::this_thread::sleep_for(pause);
  }
}

Response EventStream(std::function<void(EventSender&)> send) {
  Response response;
  response.body = BodyStream([send = std::move(send)](BodySink& sink) {
    // The first byte tells the client that it is connected.
    sink.Flush();
    EventSender events(sink);
    send(events);
  });
  response.With("Content-Type", "text/event-stream")
      .With("Cache-Control", "no-store")
      .With("X-Accel-Buffering", "no");
  return response;
}

}  // namespace syncline
