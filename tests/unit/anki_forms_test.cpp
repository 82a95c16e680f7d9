// The envelope of protocol versions 8 to 10: forms, as their clients send them.
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "handlers/anki/envelope/envelope_wire.h"
#include "tests/support/inputs.h"

using namespace syncline;
using namespace syncline::anki;
using tests::CodeOf;
using tests::PieceBody;
using tests::StringSink;

namespace {

std::string Section(const std::string& name, const std::string& value) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

std::string FormOf(const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string body;
  for (const auto& [name, value] : parts) body += Section(name, value);
  return body + "--b--\r\n";
}

struct Seen {
  Form form;
  std::string data;
};

Seen Read(const std::string& text, std::size_t piece = 1 << 20, const std::string& agent = "") {
  PieceBody body(text, piece);
  Request request;
  request.method = "POST";
  request.headers = {{"content-type", "multipart/form-data; boundary=b"}};
  if (!agent.empty()) request.headers.emplace_back("user-agent", agent);
  request.body = &body;
  StringSink sink;
  Form form = ReadForm(request, sink);
  return {std::move(form), sink.text};
}

std::string ReadCode(const std::string& text) {
  return CodeOf([&] { Read(text); });
}

Request With(const char* method, std::vector<std::pair<std::string, std::string>> headers) {
  Request request;
  request.method = method;
  request.headers = std::move(headers);
  return request;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_form_is_its_key_session_and_data_in_any_order) {
  for (const std::size_t piece : {1, 7, 1 << 20}) {
    const Seen first =
        Read(FormOf({{"data", "x\r\n-y"}, {"c", "1"}, {"k", "7.key"}, {"s", "q7Zt1b"}}), piece);
    const Seen last = Read(FormOf({{"k", "7.key"}, {"s", "q7Zt1b"}, {"c", "1"}, {"data", "x\r\n-y"}}), piece);
    for (const Seen* seen : {&first, &last}) {
      BOOST_TEST(seen->form.envelope.key == "7.key");
      BOOST_TEST(seen->form.envelope.session == "q7Zt1b");
      BOOST_TEST(seen->form.envelope.version == 10);
      BOOST_TEST(seen->form.is_gzip);
      BOOST_TEST(seen->data == "x\r\n-y");
    }
  }
}

BOOST_AUTO_TEST_CASE(media_calls_send_the_key_as_sk_and_begin_the_version) {
  const Seen seen = Read(FormOf({{"sk", "7.key"}, {"v", "anki,2.1.49,lin"}, {"data", "{}"}}));
  BOOST_TEST(seen.form.envelope.key == "7.key");
  BOOST_TEST(seen.form.envelope.client == "anki,2.1.49,lin");
  BOOST_TEST(seen.form.envelope.session == "");
}

BOOST_AUTO_TEST_CASE(data_is_compressed_unless_c_is_missing_or_zero) {
  BOOST_TEST(!Read(FormOf({{"data", "x"}})).form.is_gzip);
  BOOST_TEST(!Read(FormOf({{"data", "x"}, {"c", "0"}})).form.is_gzip);
  BOOST_TEST(Read(FormOf({{"data", "x"}, {"c", "1"}})).form.is_gzip);
  BOOST_TEST(Read(FormOf({{"c", "2"}, {"data", "x"}})).form.is_gzip);
}

BOOST_AUTO_TEST_CASE(a_form_without_data_may_lack_its_end) {
  for (const std::size_t piece : {1, 1 << 20}) {
    const Seen seen = Read(Section("c", "1") + Section("k", "7.key"), piece);
    BOOST_TEST(seen.form.envelope.key == "7.key");
    BOOST_TEST(seen.data == "");
  }
  // Data that was cut off is not taken for the whole.
  const std::string whole = FormOf({{"k", "7.key"}, {"data", "abc"}});
  for (std::size_t size = whole.find("abc"); size < whole.find("--b--"); ++size) {
    // Behind the line break, nothing is missing.
    const bool is_all = whole.substr(0, size).ends_with("abc\r\n");
    BOOST_TEST(ReadCode(whole.substr(0, size)) == (is_all ? "" : "bad_multipart"), size);
  }
}

BOOST_AUTO_TEST_CASE(the_client_names_itself_in_the_form_or_in_the_user_agent) {
  BOOST_TEST(Read(FormOf({{"k", "x"}}), 1 << 20, "AnkiDroid-2.15.6").form.envelope.client ==
             "AnkiDroid-2.15.6");
  BOOST_TEST(Read(FormOf({{"v", "anki"}}), 1 << 20, "Anki 2.1.0").form.envelope.client == "anki");
  BOOST_TEST(Read(FormOf({{"k", "x"}}), 1 << 20, "\xff\xfe").form.envelope.client == "");
  BOOST_TEST(Read(FormOf({{"k", "x"}}), 1 << 20, std::string(300, 'x')).form.envelope.client == "");
}

BOOST_AUTO_TEST_CASE(what_two_readers_could_understand_differently_is_refused) {
  for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
           {"k", "k"}, {"k", "sk"}, {"s", "s"}, {"data", "data"}, {"c", "c"}, {"v", "v"}})
    BOOST_TEST(ReadCode(FormOf({{one, "x"}, {other, "x"}})) == "bad_envelope", one);
  BOOST_TEST(ReadCode(FormOf({{"x", "1"}, {"x", "2"}})) == "");  // nobody reads it
}

BOOST_AUTO_TEST_CASE(parts_have_limits) {
  BOOST_TEST(ReadCode(FormOf({{"s", std::string(64, 's')}})) == "");
  BOOST_TEST(ReadCode(FormOf({{"s", std::string(65, 's')}})) == "bad_envelope");
  BOOST_TEST(ReadCode(FormOf({{"k", std::string(256, 'k')}})) == "");
  BOOST_TEST(ReadCode(FormOf({{"k", std::string(257, 'k')}})) == "multipart_too_large");
  BOOST_TEST(ReadCode(FormOf({{"s", std::string("a\0b", 3)}})) == "bad_envelope");
  BOOST_TEST(ReadCode(FormOf({{"s", "\xff"}})) == "bad_envelope");
  std::vector<std::pair<std::string, std::string>> many(21, {"x", ""});
  BOOST_TEST(ReadCode(FormOf(many)) == "multipart_too_large");
}

BOOST_AUTO_TEST_CASE(only_a_post_of_a_form_without_the_header_has_one) {
  const std::pair<std::string, std::string> form{"content-type", "multipart/form-data; boundary=b"};
  BOOST_TEST(HasForm(With("POST", {form})));
  BOOST_TEST(!HasForm(With("GET", {form})));
  BOOST_TEST(!HasForm(With("POST", {form, {"anki-sync", "{}"}})));
  BOOST_TEST(!HasForm(With("POST", {})));
  BOOST_TEST(!HasForm(With("POST", {{"content-type", "application/octet-stream"}})));
}
