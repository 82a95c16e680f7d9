// handlers/base/form, multipart and header_values.
#include "handlers/base/form.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"
#include "handlers/base/multipart.h"
#include "tests/support/inputs.h"
#include "tests/support/linear_time.h"

using namespace syncline;
using tests::CodeOf;
using tests::PieceBody;

namespace {

Request With(const char* content_type, BodySource& body) {
  Request request;
  request.headers = {{"content-type", content_type}};
  request.body = &body;
  return request;
}

std::string Form(const std::string& text, FormLimits limits = {}, std::size_t piece = 1) {
  PieceBody body(text, piece);
  std::string seen;
  for (const auto& [name, value] : ReadForm(With("application/x-www-form-urlencoded", body), limits))
    seen += "[" + name + "|" + value + "]";
  return seen;
}

std::string FormCode(const std::string& text, FormLimits limits = {}) {
  return CodeOf([&] { Form(text, limits); });
}

// Reads the parts of a body with the given sizes of pieces and buffer.
std::string Parts(const std::string& text, const char* content_type = "multipart/form-data; boundary=b",
                  MultipartLimits limits = {}, std::size_t piece = 1 << 20,
                  std::size_t buffer_size = 1 << 16) {
  PieceBody body(text, piece);
  MultipartReader reader(With(content_type, body), limits);
  std::string seen;
  std::vector<char> buffer(buffer_size);
  while (const auto part = reader.NextPart()) {
    seen += "[" + part->name;
    if (part->filename) seen += "|" + *part->filename;
    if (!part->content_type.empty()) seen += "|" + part->content_type;
    seen += "|";
    while (const std::size_t got = reader.Read(buffer.data(), buffer.size())) seen.append(buffer.data(), got);
    seen += "]";
  }
  return seen;
}

std::string PartsCode(const std::string& text, MultipartLimits limits = {}) {
  return CodeOf([&] { Parts(text, "multipart/form-data; boundary=b", limits); });
}

std::string Section(const std::string& disposition, const std::string& body) {
  return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + body + "\r\n";
}

const std::string kEnd = "--b--\r\n";

}  // namespace

// ---- Forms

BOOST_AUTO_TEST_CASE(a_form_is_its_fields_in_order) {
  for (const std::size_t piece : {1, 2, 3, 1000})
    BOOST_TEST(Form("a=1&b=%41+%2B%26%3d&&c&=x&a=2=3&", {}, piece) == "[a|1][b|A +&=][c|][|x][a|2=3]");
  BOOST_TEST(Form("") == "");
  BOOST_TEST(Form("&&") == "");
  BOOST_TEST(Form("n%C3%A9=%e2%82%ac") == "[n\u00e9|\u20ac]");
}

BOOST_AUTO_TEST_CASE(an_invalid_form_is_refused) {
  for (const char* bad : {"a=%", "a=%4", "a=%zz", "%=1"})
    BOOST_TEST(FormCode(bad) == "bad_percent_encoding", bad);
  for (const char* bad : {"a=%00", "%00=1", "a=%ff", "a=\xff", "a=%C3"})
    BOOST_TEST(FormCode(bad) == "bad_form_text", bad);
  PieceBody body("a=1");
  BOOST_TEST(CodeOf([&] { ReadForm(With("application/json", body)); }) == "not_a_form");
  BOOST_TEST(ReadForm(With("application/x-www-form-urlencoded; charset=UTF-8", body)).size() == 1u);
  BOOST_TEST(ReadForm(Request()).empty());
}

BOOST_AUTO_TEST_CASE(a_form_at_the_limits_is_read_and_one_over_them_is_refused) {
  const FormLimits limits{.fields = 2, .name_bytes = 3, .value_bytes = 4, .total_bytes = 20};
  BOOST_TEST(Form("abc=%31234&b=1", limits) == "[abc|1234][b|1]");
  for (const char* large : {"a&b&c", "abcd=1", "a=12345", "a=1&&&&&&&&&&&&&&&&&&&"})
    BOOST_TEST(FormCode(large, limits) == "form_too_large", large);
}

BOOST_AUTO_TEST_CASE(a_value_is_found_by_its_name) {
  PieceBody body("a=1&b=2&a=3");
  const auto form = ReadForm(With("application/x-www-form-urlencoded", body));
  BOOST_TEST(*ValueOf(form, "a") == "1");
  BOOST_TEST(ValueOf(form, "c") == nullptr);
}

// ---- Multipart

BOOST_AUTO_TEST_CASE(parts_do_not_depend_on_how_the_bytes_arrive) {
  const std::string file("\r\n--\r\n--a\r\n-\r\0\r\r\n-", 18);
  const std::string text = "ignored\r\n" + Section("name=\"a\"", "1") +
                           Section("name=f; filename=\"x.bin\"", file) + Section("name=\"empty\"", "") +
                           kEnd + "--b\r\nignored";
  const std::string expected = "[a|1][f|x.bin|" + file + "][empty|]";
  for (const std::size_t piece : {1, 2, 3, 5, 7, 1 << 20}) {
    for (const std::size_t buffer : {1, 2, 3, 1000})
      BOOST_TEST((Parts(text, "multipart/form-data; boundary=b", {}, piece, buffer) == expected));
  }
}

BOOST_AUTO_TEST_CASE(bodies_of_real_clients_are_read) {
  // Chromium 120
  BOOST_TEST(Parts("------WebKitFormBoundaryAb1\r\nContent-Disposition: form-data; name=\"f\"; "
                   "filename=\"\u00e9%22.txt\"\r\nContent-Type: text/plain\r\n\r\nx\r\n"
                   "------WebKitFormBoundaryAb1--\r\n",
                   "multipart/form-data; boundary=----WebKitFormBoundaryAb1") ==
             "[f|\u00e9%22.txt|text/plain|x]");
  // curl 7.88
  BOOST_TEST(
      Parts("--------------------------d74496d66958873e\r\nContent-Disposition: form-data; name=\"f\"; "
            "filename=\"a\\\"b\\\\c\"\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n"
            "--------------------------d74496d66958873e--\r\n",
            "multipart/form-data; boundary=------------------------d74496d66958873e") ==
      "[f|a\"b\\c|application/octet-stream|x]");
  // requests 2.28 with a name that is not ASCII
  BOOST_TEST(
      Parts("--0a\r\nContent-Disposition: form-data; name=\"f\"; filename*=utf-8''%E2%82%AC.txt\r\n\r\nx\r\n"
            "--0a--\r\n",
            "multipart/form-data; boundary=0a") == "[f|\u20ac.txt|x]");
  // Qt 5: the boundary contains characters that need quotes
  BOOST_TEST(
      Parts("--boundary_.oOo._MTI=\r\nContent-Type: application/json\r\nContent-Disposition: form-data; "
            "name=\"j\"\r\n\r\n{}\r\n--boundary_.oOo._MTI=--\r\n",
            "multipart/form-data; boundary=\"boundary_.oOo._MTI=\"") == "[j|application/json|{}]");
  // Anki 2.1.20: gzip in a part
  BOOST_TEST(
      Parts("--Anki-sync-boundary\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\n1\r\n"
            "--Anki-sync-boundary\r\nContent-Disposition: form-data; name=\"data\"; filename=\"data\"\r\n"
            "Content-Type: application/octet-stream\r\n\r\n\x1f\x8b\r\n\r\n--Anki-sync-boundary--\r\n",
            "multipart/form-data; boundary=Anki-sync-boundary") ==
      "[c|1][data|data|application/octet-stream|\x1f\x8b\r\n]");
  // Internet Explorer and others send full paths
  BOOST_TEST(Parts(Section("name=\"f\"; filename=\"C:\\temp\\x\"", "") + kEnd) == "[f|C:\\temp\\x|]");
  // Python's email package folds long headers; a form without fields has no parts.
  BOOST_TEST(Parts("--b \t\r\nX: y\r\ncontent-disposition:form-data;\r\n\tNAME=a\r\n\r\n\r\n" + kEnd) ==
             "[a|]");
  BOOST_TEST(Parts("--b--") == "");
  BOOST_TEST(Parts("\r\n--b--") == "");
}

BOOST_AUTO_TEST_CASE(a_body_that_ends_early_is_refused) {
  const std::string whole = Section("name=a", "12345") + "--b--";
  for (std::size_t size = 0; size < whole.size(); ++size)
    BOOST_TEST(PartsCode(whole.substr(0, size)) == "bad_multipart", size);
  BOOST_TEST(PartsCode(whole) == "");
}

BOOST_AUTO_TEST_CASE(a_malformed_part_is_refused) {
  for (const std::string& bad : std::vector<std::string>{
           "--bx\r\n\r\n\r\n" + kEnd, "--b\r\n\r\nx\r\n" + kEnd, "--b\r\nname\r\n\r\n\r\n" + kEnd,
           Section("filename=x", "") + kEnd, Section("name=\"a", "") + kEnd,
           Section("name=a; name=b", "") + kEnd, Section("name=\"\xff\"", "") + kEnd,
           Section(std::string("name=\"a\0\"", 9), "") + kEnd,
           Section("name=a\r\nContent-Disposition: form-data; name=b", "") + kEnd,
           Section("name=a; filename*=utf-8''%zz", "") + kEnd, Section("name=a; filename=\"\n\"", "") + kEnd,
           Section("name=a; filename*=UTF-8''%0a", "") + kEnd, Section("name=a\"b\"", "") + kEnd,
           std::string("--b\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n") + kEnd}) {
    BOOST_TEST(PartsCode(bad) == "bad_multipart", bad);
  }
}

BOOST_AUTO_TEST_CASE(a_type_that_is_not_multipart_or_has_no_boundary_is_refused) {
  const auto code = [](const std::string& type, const std::string& boundary) {
    return CodeOf([&] { Parts("--" + boundary + "--", type.c_str()); });
  };
  const std::string type = "multipart/form-data; boundary=";
  for (const char* other :
       {"", "text/plain", "multipart/mixed; boundary=b", "application/x-www-form-urlencoded"})
    BOOST_TEST(code(other, "b") == "not_multipart", other);
  BOOST_TEST(code("multipart/form-data", "") == "bad_multipart");
  BOOST_TEST(code(type, "") == "bad_multipart");
  BOOST_TEST(code(type + "\"a \"", "a ") == "bad_multipart");
  BOOST_TEST(code(type + "\xff", "\xff") == "bad_multipart");
  BOOST_TEST(code(type + std::string(201, 'x'), std::string(201, 'x')) == "bad_multipart");
  BOOST_TEST(code(type + std::string(200, 'x'), std::string(200, 'x')) == "");
  BOOST_TEST(code("Multipart/Form-Data ; charset=utf-8; Boundary=b", "b") == "");
  BOOST_TEST(CodeOf([] { MultipartReader reader{Request()}; }) == "not_multipart");
}

BOOST_AUTO_TEST_CASE(a_multipart_body_at_the_limits_is_read_and_one_over_them_is_refused) {
  const MultipartLimits limits{.parts = 2, .header_bytes = 60, .preamble_bytes = 10};
  const std::string a = Section("name=a", "x");
  BOOST_TEST(PartsCode("0123456789\r\n" + a + a + kEnd, limits) == "");
  for (const std::string& large : std::vector<std::string>{
           a + a + a + kEnd, "01234567890\r\n" + a + kEnd,
           Section("name=" + std::string(100, 'a'), "x") + kEnd, std::string(1'000'000, 'x')})
    BOOST_TEST(PartsCode(large, limits) == "multipart_too_large");
  // 60 bytes of headers: whether they fit does not depend on how they arrive.
  const std::string exact = Section("name=" + std::string(23, 'a'), "x");
  for (const std::size_t piece : {1, 2, 1 << 20})
    BOOST_TEST(CodeOf([&] { Parts(exact + kEnd, "multipart/form-data; boundary=b", limits, piece); }) == "",
               piece);
  PieceBody body(Section("name=a", "12345") + Section("name=b", "123456") + kEnd, 3);
  MultipartReader reader(With("multipart/form-data; boundary=b", body));
  reader.NextPart();
  BOOST_TEST(reader.ReadText(5) == "12345");
  BOOST_TEST(reader.ReadText(5) == "");
  reader.NextPart();
  BOOST_TEST(CodeOf([&] { reader.ReadText(5); }) == "multipart_too_large");
}

BOOST_AUTO_TEST_CASE(the_unread_rest_of_a_part_is_skipped) {
  PieceBody body(Section("name=a", std::string(200'000, 'x')) + Section("name=b", "y") + kEnd, 1000);
  MultipartReader reader(With("multipart/form-data; boundary=b", body));
  BOOST_TEST(reader.ReadText(9) == "");
  BOOST_TEST(reader.NextPart()->name == "a");
  BOOST_TEST(reader.NextPart()->name == "b");
  BOOST_TEST(reader.ReadText(9) == "y");
  BOOST_TEST(!reader.NextPart().has_value());
  BOOST_TEST(!reader.NextPart().has_value());
  BOOST_TEST(reader.ReadText(9) == "");
}

BOOST_AUTO_TEST_CASE(a_body_that_resembles_its_boundary_is_read_in_linear_time) {
  const std::string boundary(60, '-');
  const std::string nearly = "\r\n--" + boundary.substr(1) + "x";
  const std::string type = "multipart/form-data; boundary=" + boundary;
  BOOST_TEST(tests::IsLinear(512 << 10, [&](std::size_t size) {
    std::string content;
    while (content.size() < size) content += nearly;
    const std::string text = "--" + boundary + "\r\nContent-Disposition: form-data; name=a\r\n\r\n" +
                             content + "\r\n--" + boundary + "--";
    BOOST_TEST(Parts(text, type.c_str(), {}, 1 << 20, 16).size() == content.size() + 4);
    BOOST_TEST(Parts(text, type.c_str(), {}, 16).size() == content.size() + 4);
  }));
}

BOOST_AUTO_TEST_CASE(header_parameters_are_read_or_the_header_is_refused) {
  const auto read = ParseHeaderParameters("Text/Plain ; Charset=\"a;\\\"b\" ;; x = y;");
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->value == "text/plain");
  BOOST_TEST(*read->Find("charset") == "a;\"b");
  BOOST_TEST(*read->Find("x") == "y");
  BOOST_TEST(read->Find("z") == nullptr);
  for (const char* bad : {"", ";", "a; b", "a; =b", "a; b=\"c", "a; b=1; B=2", "a; b=\"c\"d"})
    BOOST_TEST(!ParseHeaderParameters(bad).has_value(), bad);
}
