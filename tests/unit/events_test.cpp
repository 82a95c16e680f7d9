// handlers/base/events: what is sent, in the format that browsers parse.
#include "handlers/base/events.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace syncline;

namespace {

struct Recorder : BodySink {
  std::string sent, waiting;
  void Write(std::string_view bytes) override { waiting += bytes; }
  void Flush() override {
    sent += waiting;
    waiting.clear();
  }
};

std::string Sent(std::string_view event, std::string_view data, std::string_view id = "") {
  Recorder sink;
  EventSender(sink).Send(event, data, id);
  return sink.sent;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_event_is_flushed_at_once) {
  BOOST_TEST(Sent("progress", "{\"done\":1}", "7") == "event: progress\nid: 7\ndata: {\"done\":1}\n\n");
  BOOST_TEST(Sent("", "") == "data: \n\n");
  Recorder sink;
  EventSender events(sink);
  events.KeepAlive();
  events.SetRetry(std::chrono::seconds(3));
  BOOST_TEST(sink.sent == ":\n\nretry: 3000\n\n");
}

BOOST_AUTO_TEST_CASE(data_of_several_lines_stays_one_event) {
  BOOST_TEST(Sent("", "a\nb\r\nc\rd\n") == "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
}

BOOST_AUTO_TEST_CASE(no_text_can_forge_an_event) {
  BOOST_TEST(Sent("a\n\ndata: forged", "x", "1\r\n2") == "event: a  data: forged\nid: 1  2\ndata: x\n\n");
  BOOST_TEST(Sent("", "x\n\ndata: forged") == "data: x\ndata: \ndata: data: forged\n\n");
}

BOOST_AUTO_TEST_CASE(a_stream_of_events_has_its_headers_and_body) {
  const Response response = EventStream([](EventSender& events) { events.Send("", "x"); });
  Recorder sink;
  std::get<BodyStream>(response.body)(sink);
  BOOST_TEST(sink.sent == "data: x\n\n");
  BOOST_TEST(response.status == 200);
  BOOST_TEST(response.headers.size() == 3u);
}
