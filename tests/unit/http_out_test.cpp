// handlers/base/http_out against servers that are slow, broken or hostile.
#include "handlers/base/http_out.h"

#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "tests/support/ignore_sigpipe.h"
#include "tests/support/inputs.h"
#include "tests/support/raw_server.h"
#include "tests/support/sanitizer.h"

using namespace syncline;
using namespace std::chrono_literals;
using tests::RawServer;
using tests::ReadHead;
using tests::SendAll;
using Clock = std::chrono::steady_clock;

namespace {

using tests::IgnoreSigpipe;
BOOST_TEST_GLOBAL_FIXTURE(IgnoreSigpipe);

constexpr const char* kLoopback = "127.0.0.0/8";

HttpRequest To(int port, const std::string& target = "/", const std::string& host = "127.0.0.1",
               const std::string& scheme = "http") {
  const auto url = ParseHttpUrl(scheme + "://" + host + ":" + std::to_string(port) + target);
  BOOST_REQUIRE(url);
  return {.url = *url};
}

HttpLimits Small() {
  return {
      .connect = 2s, .idle = 2s, .total = 4s, .header_bytes = 8 << 10, .body_bytes = 100'000, .redirects = 2};
}

// The failure of a request; "" if there is none.
std::string FailureOf(const HttpRequest& request, const HttpLimits& limits = Small(),
                      const std::string& networks = kLoopback) {
  try {
    HttpClient(networks).Send(request, limits);
  } catch (const HttpError& error) {
    BOOST_TEST_MESSAGE(error.what());
    return NameOf(error.failure());
  }
  return "";
}

// A server that answers every connection's first request with these bytes.
std::string FailureOfAnswer(const std::string& bytes, const HttpLimits& limits = Small()) {
  RawServer server([&](int fd, int) {
    ReadHead(fd);
    SendAll(fd, bytes);
  });
  return FailureOf(To(server.port()), limits);
}

HttpResponse AnswerOf(const std::string& bytes, const std::string& method = "GET") {
  RawServer server([&](int fd, int) {
    ReadHead(fd);
    SendAll(fd, bytes);
  });
  HttpRequest request = To(server.port());
  request.method = method;
  return HttpClient(kLoopback).Send(request, Small());
}

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Whole(const std::string& headers, const std::string& body) {
  return "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// How long `f` takes.
template <typename F>
std::chrono::milliseconds Took(F&& f) {
  const auto begin = Clock::now();
  f();
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

}  // namespace

// --- Addresses

BOOST_AUTO_TEST_CASE(a_url_is_split_and_put_together_again) {
  for (const char* text : {"http://a.example/", "https://a.example:8443/x/y?z=%20", "http://[2a00::1]:81/?q",
                           "https://1.2.3.4/v4"})
    BOOST_TEST(ParseHttpUrl(text)->Text() == text);
  const auto url = ParseHttpUrl("HTTPS://A.Example:443?x#y");
  BOOST_TEST(url->Text() == "https://a.example/?x");
  BOOST_TEST(url->HostAndPort() == "a.example");
  BOOST_TEST(url->HasOriginOf(*ParseHttpUrl("https://a.example/z")));
  for (const char* other : {"http://a.example/", "https://a.example:444/", "https://b.example/"})
    BOOST_TEST(!url->HasOriginOf(*ParseHttpUrl(other)), other);
}

BOOST_AUTO_TEST_CASE(what_is_no_plain_url_is_refused) {
  for (const char* text : {"",
                           "a.example",
                           "//a.example/",
                           "ftp://a.example/",
                           "http://",
                           "http:///x",
                           "http://user@a.example/",
                           "http://a.example@b.example/",
                           "http://a.example:0/",
                           "http://a.example:65536/",
                           "http://a.example:/",
                           "http://a.example:80x/",
                           "http://a example/",
                           "http://a.example/\r\nX: y",
                           "http://a.example/\n",
                           "http://[::1/",
                           "http://[x]/",
                           "http://a\\b.example/",
                           "http://a.example\\@b.example/",
                           "http://\xc3\xa4.example/",
                           "file:///etc/passwd",
                           "http://[127.0.0.1]/",
                           "http://a%2eexample/"})
    BOOST_TEST(!ParseHttpUrl(text), text);
}

BOOST_AUTO_TEST_CASE(a_value_is_percent_encoded_once) {
  BOOST_TEST(PercentEncoded("Fate/Apocrypha & K+1") == "Fate%2FApocrypha%20%26%20K%2B1");
  BOOST_TEST(PercentEncoded("-._~aZ9") == "-._~aZ9");
  BOOST_TEST(PercentEncoded("\xe6\x9c\x88\n") == "%E6%9C%88%0A");
}

// --- Answers

BOOST_AUTO_TEST_CASE(an_answer_comes_back_as_it_was_sent) {
  const HttpResponse got = AnswerOf(
      "HTTP/1.1 418 Teapot\r\nX-A:  b \r\nETag: \"a%20b\"\r\nx-a: c\r\nContent-Length: 3\r\n\r\nabc");
  BOOST_TEST(got.status == 418);
  BOOST_TEST(got.body == "abc");
  BOOST_TEST(got.Header("x-a") == "b");
  BOOST_TEST(got.Header("etag") == "\"a%20b\"");
  BOOST_TEST(got.Header("x-b") == "");
  BOOST_TEST(got.headers.size() == 4U);
}

BOOST_AUTO_TEST_CASE(every_framing_of_a_body_is_understood) {
  BOOST_TEST(AnswerOf("HTTP/1.1 200 OK\r\n\r\nuntil the end").body == "until the end");
  BOOST_TEST(AnswerOf("HTTP/1.0 200 OK\r\n\r\nuntil the end").body == "until the end");
  BOOST_TEST(
      AnswerOf(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n")
          .body == "abcde");
  BOOST_TEST(AnswerOf("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").body == "");
  BOOST_TEST(AnswerOf("HTTP/1.1 204 No\r\n\r\n").status == 204);
  BOOST_TEST(AnswerOf("HTTP/1.1 304 Same\r\nContent-Length: 500\r\n\r\n").status == 304);
  BOOST_TEST(AnswerOf("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", "HEAD").status == 200);
  BOOST_TEST(AnswerOf("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
                      "OK\r\nContent-Length: 1\r\n\r\na")
                 .body == "a");
}

BOOST_AUTO_TEST_CASE(gzip_is_asked_for_and_expanded) {
  std::string head;
  RawServer server([&](int fd, int) {
    head = ReadHead(fd);
    SendAll(fd, Whole("Content-Encoding: gzip\r\n", Gzip("some text")));
  });
  BOOST_TEST(HttpClient(kLoopback).Send(To(server.port(), "/x?y"), Small()).body == "some text");
  BOOST_TEST(
      head.starts_with("GET /x?y HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
  BOOST_TEST(head.find("\r\nAccept-Encoding: gzip\r\n") != std::string::npos);
  BOOST_TEST(head.find("\r\nUser-Agent: Syncline") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_body_is_sent_with_its_length) {
  std::string head, body(5, '\0');
  RawServer server([&](int fd, int) {
    head = ReadHead(fd);
    recv(fd, body.data(), body.size(), MSG_WAITALL);
    SendAll(fd, Whole("", ""));
  });
  HttpRequest request = To(server.port());
  request.method = "PUT";
  request.headers = {{"If-Match", "\"1\""}};
  request.body = std::string("a\0b\r\n", 5);
  HttpClient(kLoopback).Send(request, Small());
  BOOST_TEST((body == request.body));
  BOOST_TEST(head.find("\r\nIf-Match: \"1\"\r\n") != std::string::npos);
  BOOST_TEST(head.find("\r\nContent-Length: 5\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_header_cannot_smuggle_in_another_one) {
  RawServer server([&](int fd, int) { ReadHead(fd); });
  HttpRequest request = To(server.port());
  request.headers = {{"X", "a\r\nY: b"}};
  BOOST_TEST(tests::CodeOf([&] { HttpClient(kLoopback).Send(request, Small()); }) == "internal");
  for (const char* target : {"/a b", "/\r\nX: y", "/\xc3\xa4"}) {
    HttpRequest odd = To(server.port());
    odd.url.target = target;
    BOOST_TEST(tests::CodeOf([&] { HttpClient(kLoopback).Send(odd, Small()); }) == "internal");
  }
}

BOOST_AUTO_TEST_CASE(one_connection_serves_several_requests_as_long_as_it_can) {
  RawServer server([&](int fd, int number) {
    for (int i = 0; i < 3 && !ReadHead(fd).empty(); ++i)
      SendAll(fd, Whole(i == 2 ? "Connection: close\r\n" : "", std::to_string(number) + std::to_string(i)));
  });
  HttpClient client(kLoopback);
  for (const char* expected : {"00", "01", "02", "10"})
    BOOST_TEST(client.Send(To(server.port()), Small()).body == expected);
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_was_closed_is_replaced) {
  RawServer server([&](int fd, int number) {
    ReadHead(fd);
    SendAll(fd, Whole("", std::to_string(number)));
  });
  HttpClient client(kLoopback);
  for (const char* expected : {"0", "1", "2"}) {
    BOOST_TEST(client.Send(To(server.port()), Small()).body == expected);
    std::this_thread::sleep_for(50ms);
  }
}

BOOST_AUTO_TEST_CASE(bytes_after_an_answer_are_not_taken_for_the_next_one) {
  RawServer server([&](int fd, int number) {
    ReadHead(fd);
    SendAll(fd, Whole("", std::to_string(number)) + Whole("", "forged"));
    std::this_thread::sleep_for(100ms);
  });
  HttpClient client(kLoopback);
  for (const char* expected : {"0", "1"})
    BOOST_TEST(client.Send(To(server.port()), Small()).body == expected);
}

// --- Too much

BOOST_AUTO_TEST_CASE(a_gigabyte_is_cut_off_at_the_limit) {
  std::atomic<std::size_t> sent{0};
  for (const std::string framing : {"", "Content-Length: 1073741824\r\n", "Transfer-Encoding: chunked\r\n"}) {
    RawServer server([&](int fd, int) {
      ReadHead(fd);
      SendAll(fd, "HTTP/1.1 200 OK\r\n" + framing + "\r\n");
      std::string piece(1 << 16, 'x');
      if (framing.starts_with("T")) piece = "10000\r\n" + piece + "\r\n";
      for (sent = 0; sent < (1 << 30); sent += piece.size()) {
        if (!SendAll(fd, piece)) break;
      }
    });
    BOOST_TEST(FailureOf(To(server.port())) == "too_large");
  }
  BOOST_TEST(sent < (std::size_t{64} << 20));
}

BOOST_AUTO_TEST_CASE(a_body_of_exactly_the_limit_is_not_too_large) {
  HttpLimits limits = Small();
  limits.body_bytes = 1000;
  BOOST_TEST(FailureOfAnswer(Whole("", std::string(1000, 'x')), limits) == "");
  BOOST_TEST(FailureOfAnswer(Whole("", std::string(1001, 'x')), limits) == "too_large");
  BOOST_TEST(FailureOfAnswer(Whole("Content-Encoding: gzip\r\n", Gzip(std::string(1000, 'x'))), limits) ==
             "");
  BOOST_TEST(FailureOfAnswer(Whole("Content-Encoding: gzip\r\n", Gzip(std::string(1001, 'x'))), limits) ==
             "too_large");
}

BOOST_AUTO_TEST_CASE(a_gzip_bomb_is_not_expanded) {
  const std::string bomb = Gzip(std::string(64 << 20, '\0'));
  BOOST_TEST(bomb.size() < Small().body_bytes);
  BOOST_TEST(FailureOfAnswer(Whole("Content-Encoding: gzip\r\n", bomb)) == "too_large");
}

BOOST_AUTO_TEST_CASE(endless_headers_end) {
  for (const std::string piece : {"X-A: b\r\n", "x", "X-A: b\r\n continued\r\n"}) {
    std::atomic<std::size_t> sent{0};
    RawServer server([&](int fd, int) {
      ReadHead(fd);
      SendAll(fd, "HTTP/1.1 200 OK\r\nY: ");
      std::string many;
      while (many.size() < 10'000) many += piece;
      for (sent = 0; sent < (1 << 30) && SendAll(fd, many);) sent += many.size();
    });
    BOOST_TEST(FailureOf(To(server.port())) == "too_large");
    BOOST_TEST(sent < (std::size_t{64} << 20));
  }
  BOOST_TEST(FailureOfAnswer(std::string(1 << 20, 'x')) != "");
  BOOST_TEST(FailureOfAnswer("HTTP/1.1 200 " + std::string(1 << 20, 'x')) == "too_large");
}

BOOST_AUTO_TEST_CASE(endless_interim_answers_end) {
  RawServer server([&](int fd, int) {
    ReadHead(fd);
    for (int i = 0; i < 1'000'000 && SendAll(fd, "HTTP/1.1 100 Continue\r\n\r\n"); ++i) {
    }
  });
  BOOST_TEST(FailureOf(To(server.port())) == "too_large");
}

BOOST_AUTO_TEST_CASE(endless_trailers_and_chunk_extensions_end) {
  for (const std::string begin : {"0\r\n", "3;"}) {
    RawServer server([&](int fd, int) {
      ReadHead(fd);
      SendAll(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + begin);
      std::string many;
      while (many.size() < 10'000) many += begin == "0\r\n" ? "X-A: b\r\n" : "xxxxxxx";
      for (int i = 0; i < 100'000 && SendAll(fd, many); ++i) {
      }
    });
    BOOST_TEST(FailureOf(To(server.port())) != "");
  }
}

// --- Too slow

BOOST_AUTO_TEST_CASE(a_slow_drip_ends_with_the_deadline) {
  for (const std::string begin :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"}) {
    RawServer server([&](int fd, int) {
      ReadHead(fd);
      SendAll(fd, begin);
      for (int i = 0; i < 1'000 && SendAll(fd, "x"); ++i) std::this_thread::sleep_for(20ms);
    });
    HttpLimits limits = Small();
    limits.total = 500ms;
    const auto took = Took([&] { BOOST_TEST(FailureOf(To(server.port()), limits) == "timeout"); });
    BOOST_TEST((took >= 490ms && took < 1500ms));
  }
}

BOOST_AUTO_TEST_CASE(silence_ends_with_the_idle_limit) {
  RawServer server([&](int fd, int) {
    char c = 0;
    while (recv(fd, &c, 1, 0) > 0) {
    }
  });
  HttpLimits limits = Small();
  limits.idle = 300ms;
  const auto took = Took([&] { BOOST_TEST(FailureOf(To(server.port()), limits) == "timeout"); });
  BOOST_TEST((took >= 290ms && took < 1500ms));
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_read_a_large_body_is_given_up) {
  RawServer server([&](int fd, int) {
    ReadHead(fd);
    std::this_thread::sleep_for(1500ms);
  });
  HttpLimits limits = Small();
  limits.idle = 300ms;
  HttpRequest request = To(server.port());
  request.method = "PUT";
  request.body.assign(64 << 20, 'x');
  BOOST_TEST(FailureOf(request, limits) == "timeout");
}

BOOST_AUTO_TEST_CASE(whoever_waits_can_stop_it) {
  struct Stopped {};
  RawServer server([&](int fd, int) {
    char c = 0;
    while (recv(fd, &c, 1, 0) > 0) {
    }
  });
  const auto begin = Clock::now();
  HttpClient client(kLoopback);
  BOOST_CHECK_THROW(client.Send(To(server.port()), Small(),
                                [&](std::chrono::milliseconds) {
                                  if (Clock::now() - begin > 200ms) throw Stopped();
                                }),
                    Stopped);
  BOOST_TEST((Clock::now() - begin < 1s));
}

// --- Broken

BOOST_AUTO_TEST_CASE(an_answer_that_breaks_off_is_no_answer) {
  for (const std::string bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nX: y\r\n", "HTTP", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX2\r\nde\r\n0\r\n\r\n"})
    BOOST_TEST(FailureOfAnswer(bytes) == "bad_response", bytes);
  BOOST_TEST(FailureOfAnswer("") == "connect");
}

BOOST_AUTO_TEST_CASE(what_is_not_http_is_refused) {
  for (const std::string bytes :
       {"<html>hello</html>\r\n\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"})
    BOOST_TEST(FailureOfAnswer(bytes) == "bad_response", bytes);
}

BOOST_AUTO_TEST_CASE(a_broken_or_unknown_compression_is_refused) {
  const std::string member = Gzip("some text that is long enough");
  BOOST_TEST(FailureOfAnswer(Whole("Content-Encoding: gzip\r\n", "garbage")) == "bad_response");
  BOOST_TEST(FailureOfAnswer(Whole("Content-Encoding: gzip\r\n", member.substr(0, member.size() - 1))) ==
             "bad_response");
  BOOST_TEST(FailureOfAnswer(Whole("Content-Encoding: br\r\n", member)) == "bad_response");
  BOOST_TEST(FailureOfAnswer(Whole("Content-Encoding: identity\r\n", "x")) == "");
}

// --- Where it leads

BOOST_AUTO_TEST_CASE(an_address_of_this_machine_is_refused_before_anything_is_sent) {
  RawServer server([](int, int) {});
  BOOST_TEST(FailureOf(To(server.port()), Small(), "") == "refused_address");
  // A name, resolved: what counts is the address.
  BOOST_TEST(FailureOf(To(server.port(), "/", "localhost"), Small(), "") == "refused_address");
  BOOST_TEST(FailureOf(To(server.port(), "/", "[::ffff:127.0.0.1]"), Small(), "") == "refused_address");
  BOOST_TEST(FailureOf(To(server.port(), "/", "169.254.169.254"), Small(), "") == "refused_address");
  // The resolver takes other spellings of addresses.
  BOOST_TEST(FailureOf(To(server.port(), "/", "127.1"), Small(), "") == "refused_address");
  BOOST_TEST(FailureOf(To(server.port(), "/", "2130706433"), Small(), "") == "refused_address");
  BOOST_TEST(server.connections() == 0);
}

BOOST_AUTO_TEST_CASE(a_refused_connection_and_an_unknown_name_are_failures_to_connect) {
  int port = 0;
  {
    port = RawServer([](int, int) {}).port();
  }
  BOOST_TEST(FailureOf(To(port)) == "connect");
  BOOST_TEST(FailureOf(To(80, "/", "no-such-name.invalid")) == "connect");
}

// It bounds the address space, of which sanitizers reserve all.
BOOST_AUTO_TEST_CASE(a_lookup_for_which_there_is_no_thread_takes_no_place,
                     *boost::unit_test::enable_if<!tests::kIsSanitized>()) {
  const pid_t child = fork();
  if (child == 0) {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    const rlimit small{1 << 20, limit.rlim_max};
    HttpClient client(kLoopback);
    const HttpRequest request = To(9, "/", "localhost");
    const auto failure = [&] {
      try {
        client.Send(request, Small());
      } catch (const HttpError& error) {
        return std::string(error.what());
      }
      return std::string();
    };
    int failed = 0;
    std::vector<std::thread> threads;
    threads.reserve(1'000);
    setrlimit(RLIMIT_AS, &small);
    // Those that have ended have left their stacks.
    try {
      while (threads.size() < threads.capacity()) threads.emplace_back([] { pause(); });
    } catch (const std::system_error&) {
    }
    for (int i = 0; i < 100; ++i) failed += failure().find("no thread") != std::string::npos ? 1 : 0;
    setrlimit(RLIMIT_AS, &limit);
    _exit(failed == 100 && failure().find("refused") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(redirects_are_followed_within_the_origin_only) {
  RawServer other([](int fd, int) {
    ReadHead(fd);
    SendAll(fd, Whole("", "other"));
  });
  std::string location;
  RawServer server([&](int fd, int) {
    std::string head = ReadHead(fd);
    if (head.starts_with("GET /end")) {
      SendAll(fd, Whole("", "end"));
    } else {
      SendAll(fd, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " + location +
                      "\r\n\r\n");
    }
  });
  const std::string here = "127.0.0.1:" + std::to_string(server.port());
  for (const std::string& to : {std::string("/end"), "http://" + here + "/end?x", "//" + here + "/end"}) {
    location = to;
    BOOST_TEST(HttpClient(kLoopback).Send(To(server.port()), Small()).body == "end");
  }
  for (const std::string& to :
       {"http://127.0.0.1:" + std::to_string(other.port()) + "/", "https://" + here + "/end",
        std::string("http://10.0.0.1/"), "http://localhost:" + std::to_string(server.port()) + "/end",
        std::string("file:///etc/passwd"), std::string(), std::string("http://127.0.0.1@10.0.0.1/")}) {
    location = to;
    BOOST_TEST(FailureOf(To(server.port())) == "redirect", to);
  }
  BOOST_TEST(other.connections() == 0);
}

BOOST_AUTO_TEST_CASE(redirects_are_bounded_and_only_for_reading) {
  RawServer server([&](int fd, int) {
    ReadHead(fd);
    SendAll(fd, "HTTP/1.1 307 Again\r\nContent-Length: 0\r\nConnection: close\r\nLocation: /again\r\n\r\n");
  });
  BOOST_TEST(FailureOf(To(server.port())) == "redirect");
  BOOST_TEST(server.connections() == 3);
  HttpRequest request = To(server.port());
  request.method = "PUT";
  BOOST_TEST(FailureOf(request) == "redirect");
  BOOST_TEST(server.connections() == 4);
}

// --- TLS

namespace {

// Certificates of an authority that the client trusts (SSL_CERT_FILE), made once.
struct Certificates {
  Certificates()
      : dir(std::filesystem::temp_directory_path() / ("syncline-tls." + std::to_string(getpid()))) {
    std::filesystem::create_directory(dir);
    const std::string ca = " -CA " + Path("ca.pem") + " -CAkey " + Path("ca.key") + " -days 2";
    Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-authority "
        "-keyout " +
        Path("ca.key") + " -out " + Path("ca.pem"));
    for (const auto& [name, san] :
         {std::pair{"good", "DNS:localhost,IP:127.0.0.1"}, {"other", "DNS:other.example"}}) {
      const std::string base = name;
      Run("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout " +
          Path(base + ".key") + " -out " + Path(base + ".csr"));
      std::ofstream(Path("ext")) << "subjectAltName=" << san << "\n";
      Run("x509 -req -in " + Path(base + ".csr") + ca + " -CAcreateserial -extfile " + Path("ext") +
          " -out " + Path(base + ".pem"));
    }
    Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext "
        "subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " +
        Path("unknown.key") + " -out " + Path("unknown.pem"));
    setenv("SSL_CERT_FILE", Path("ca.pem").c_str(), 1);
  }
  ~Certificates() { std::filesystem::remove_all(dir); }
  std::string Path(const std::string& name) const { return (dir / name).string(); }
  static void Run(const std::string& command) {
    BOOST_REQUIRE_EQUAL(std::system(("openssl " + command + " 2>/dev/null >/dev/null").c_str()), 0);
  }
  std::filesystem::path dir;
};

Certificates& Made() {
  static Certificates made;
  return made;
}

// Serves one request over TLS; keeps the server name that the client has sent.
void ServeTls(int fd, const std::string& certificate, const std::string& answer,
              std::string* name = nullptr) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate_file(context, Made().Path(certificate + ".pem").c_str(), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file(context, Made().Path(certificate + ".key").c_str(), SSL_FILETYPE_PEM);
  SSL* tls = SSL_new(context);
  SSL_set_fd(tls, fd);
  if (SSL_accept(tls) == 1) {
    const char* sent = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    if (name != nullptr) *name = sent == nullptr ? "" : sent;
    char buffer[4096];
    SSL_read(tls, buffer, sizeof buffer);
    SSL_write(tls, answer.data(), static_cast<int>(answer.size()));
    SSL_shutdown(tls);
  }
  SSL_free(tls);
  SSL_CTX_free(context);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_valid_certificate_for_the_name_is_accepted_and_the_name_is_sent) {
  Made();
  std::string name = "none";
  RawServer server([&](int fd, int) { ServeTls(fd, "good", Whole("", "secret"), &name); });
  BOOST_TEST(HttpClient(kLoopback).Send(To(server.port(), "/", "localhost", "https"), Small()).body ==
             "secret");
  BOOST_TEST(name == "localhost");
  BOOST_TEST(HttpClient(kLoopback).Send(To(server.port(), "/", "127.0.0.1", "https"), Small()).body ==
             "secret");
  BOOST_TEST(name == "");
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name_or_of_an_unknown_authority_is_refused) {
  Made();
  for (const std::string certificate : {"other", "unknown"}) {
    RawServer server([&](int fd, int) { ServeTls(fd, certificate, Whole("", "secret")); });
    for (const char* host : {"localhost", "127.0.0.1"})
      BOOST_TEST(FailureOf(To(server.port(), "/", host, "https")) == "tls", certificate);
  }
}

BOOST_AUTO_TEST_CASE(a_server_without_tls_is_a_tls_failure) {
  Made();
  RawServer server([&](int fd, int) { SendAll(fd, Whole("", "plain")); });
  BOOST_TEST(FailureOf(To(server.port(), "/", "localhost", "https")) == "tls");
}

BOOST_AUTO_TEST_CASE(a_handshake_that_never_ends_is_given_up) {
  Made();
  RawServer server([&](int fd, int) {
    char c = 0;
    while (recv(fd, &c, 1, 0) > 0) {
    }
  });
  HttpLimits limits = Small();
  limits.connect = 300ms;
  BOOST_TEST(FailureOf(To(server.port(), "/", "localhost", "https"), limits) == "timeout");
}

// --- Proxies

namespace {

HttpProxy Proxy(const std::string& text, int port) {
  const auto proxy = ParseHttpProxy(text + ":" + std::to_string(port));
  BOOST_REQUIRE(proxy);
  return *proxy;
}

std::string ReadSome(int fd, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t more = recv(fd, bytes.data() + got, size - got, 0);
    if (more <= 0) break;
    got += static_cast<std::size_t>(more);
  }
  bytes.resize(got);
  return bytes;
}

std::string FailureThrough(const HttpProxy& proxy, const HttpRequest& request,
                           const std::string& networks = "") {
  try {
    HttpClient(networks, proxy).Send(request, Small());
  } catch (const HttpError& error) {
    BOOST_TEST(std::string(error.what()).find("secret") == std::string::npos);
    return NameOf(error.failure());
  }
  return "";
}

// Accepts a login of SOCKS 5 and an address; returns what was asked for, as bytes behind the command.
std::string ServeSocks5(int fd, bool is_granted) {
  const std::string hello = ReadSome(fd, 2);
  ReadSome(fd, static_cast<std::size_t>(hello[1]));
  SendAll(fd, std::string("\x05\x02", 2));
  const std::string user = ReadSome(fd, static_cast<std::size_t>(ReadSome(fd, 2)[1]));
  const std::string password = ReadSome(fd, static_cast<std::size_t>(ReadSome(fd, 1)[0]));
  const bool is_known = user == "kim" && password == "se:cret";
  SendAll(fd, std::string("\x01", 1) + (is_known ? '\0' : '\1'));
  if (!is_known) return "";
  const std::string request = ReadSome(fd, 4);
  const std::size_t size = request[3] == 1 ? 4 : static_cast<std::size_t>(ReadSome(fd, 1)[0]);
  std::string asked = request.substr(3) + ReadSome(fd, size + 2);
  SendAll(fd, std::string("\x05", 1) + (is_granted ? '\0' : '\5') + std::string("\x00\x01", 2) +
                  std::string(6, '\0'));
  return asked;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_proxy_is_an_address_with_a_port_and_maybe_a_login) {
  const auto proxy = ParseHttpProxy("socks5h://k%40im:p%3Aw@[::1]:1080");
  BOOST_REQUIRE(proxy);
  BOOST_TEST((proxy->kind == HttpProxy::Kind::kSocks5h));
  BOOST_TEST(proxy->user == "k@im");
  BOOST_TEST(proxy->password == "p:w");
  BOOST_TEST(proxy->host == "::1");
  BOOST_TEST(proxy->port == 1080);
  BOOST_TEST(proxy->Text().find("p:w") == std::string::npos);
  for (const char* bad :
       {"", "proxy.example:80", "ftp://a:1", "http://a", "http://a:x", "http://a:1/path", "http://%zz@a:1"})
    BOOST_TEST(!ParseHttpProxy(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(a_proxy_of_http_is_asked_for_the_whole_address) {
  std::string head;
  RawServer server([&](int fd, int) {
    head = ReadHead(fd);
    SendAll(fd, Whole("", "through"));
  });
  // The proxy resolves the name, and may itself be on this machine.
  const HttpRequest request = To(8080, "/x?y", "site.example");
  BOOST_TEST(
      HttpClient("", Proxy("http://kim:secret@127.0.0.1", server.port())).Send(request, Small()).body ==
      "through");
  BOOST_TEST(head.starts_with("GET http://site.example:8080/x?y HTTP/1.1\r\nHost: site.example:8080\r\n"));
  BOOST_TEST(head.find("Proxy-Authorization: Basic a2ltOnNlY3JldA==\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_proxy_that_refuses_is_a_failure_of_the_proxy) {
  for (const char* status : {"407 Proxy Authentication Required", "502 Bad Gateway"}) {
    RawServer server([&](int fd, int) {
      ReadHead(fd);
      SendAll(fd, std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 0\r\n\r\n");
    });
    const HttpProxy proxy = Proxy("http://kim:secret@127.0.0.1", server.port());
    BOOST_TEST(FailureThrough(proxy, To(443, "/", "site.example", "https")) == "proxy");
    if (status[0] == '4') BOOST_TEST(FailureThrough(proxy, To(80, "/", "site.example")) == "proxy");
  }
  const int gone = RawServer([](int, int) {}).port();
  BOOST_TEST(FailureThrough(Proxy("http://127.0.0.1", gone), To(80, "/", "site.example")) == "connect");
}

BOOST_AUTO_TEST_CASE(tls_goes_through_a_tunnel_and_is_verified_behind_it) {
  Made();
  std::string head;
  RawServer server([&](int fd, int) {
    head = ReadHead(fd);
    SendAll(fd, "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n");
    ServeTls(fd, "good", Whole("", "deep"));
  });
  const HttpProxy proxy = Proxy("http://kim:secret@127.0.0.1", server.port());
  BOOST_TEST(HttpClient("", proxy).Send(To(443, "/", "localhost", "https"), Small()).body == "deep");
  BOOST_TEST(head.starts_with("CONNECT localhost:443 HTTP/1.1\r\n"));
  BOOST_TEST(FailureThrough(proxy, To(443, "/", "elsewhere.example", "https")) == "tls");
}

BOOST_AUTO_TEST_CASE(socks_5_logs_in_and_names_the_server_or_its_address) {
  std::string asked;
  RawServer server([&](int fd, int) {
    asked = ServeSocks5(fd, true);
    ReadHead(fd);
    SendAll(fd, Whole("", "socks"));
  });
  BOOST_TEST(HttpClient("", Proxy("socks5h://kim:se%3Acret@127.0.0.1", server.port()))
                 .Send(To(8080, "/", "site.example"), Small())
                 .body == "socks");
  BOOST_TEST(asked == std::string("\x03") + "site.example" + std::string("\x1f\x90"));
  const HttpProxy local = Proxy("socks5://kim:se%3Acret@127.0.0.1", server.port());
  BOOST_TEST(HttpClient(kLoopback, local).Send(To(8080), Small()).body == "socks");
  BOOST_TEST(asked == std::string("\x01\x7f\x00\x00\x01\x1f\x90", 7));
  // What is resolved here is checked here.
  BOOST_TEST(FailureThrough(local, To(8080)) == "refused_address");
  BOOST_TEST(FailureThrough(Proxy("socks5h://kim:wrong@127.0.0.1", server.port()),
                            To(80, "/", "site.example")) == "proxy");
}

BOOST_AUTO_TEST_CASE(socks_that_cannot_connect_is_a_failure_of_the_proxy) {
  RawServer five([&](int fd, int) { ServeSocks5(fd, false); });
  BOOST_TEST(FailureThrough(Proxy("socks5h://kim:se%3Acret@127.0.0.1", five.port()),
                            To(80, "/", "site.example")) == "proxy");
  std::string asked;
  bool is_granted = true;
  RawServer four([&](int fd, int) {
    asked = ReadSome(fd, 12);  // with a user of three letters
    SendAll(fd, std::string(1, '\0') + (is_granted ? '\x5a' : '\x5b') + std::string(6, '\0'));
    if (!is_granted) return;
    ReadHead(fd);
    SendAll(fd, Whole("", "four"));
  });
  const HttpProxy proxy = Proxy("socks4://kim@127.0.0.1", four.port());
  BOOST_TEST(HttpClient(kLoopback, proxy).Send(To(8080), Small()).body == "four");
  BOOST_TEST(asked == std::string("\x04\x01\x1f\x90\x7f\x00\x00\x01kim\x00", 12));
  is_granted = false;
  BOOST_TEST(FailureThrough(proxy, To(8080), kLoopback) == "proxy");
}
