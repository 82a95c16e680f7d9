// Headers, bodies and names of WebDAV.
#include <boost/test/unit_test.hpp>
#include <string>

#include "handlers/base/errors.h"
#include "handlers/vault/tree/path_rules.h"
#include "handlers/vault/webdav/body_wire.h"
#include "handlers/vault/webdav/if_header_wire.h"
#include "handlers/vault/webdav/multistatus_wire.h"

using namespace syncline;
using namespace syncline::vault;

namespace {

template <typename F>
std::string CodeOf(F&& act) {
  try {
    act();
    return "";
  } catch (const Error& error) {
    return error.code();
  }
}

Request With(const std::string& name, const std::string& value) {
  Request request;
  request.headers = {{"host", "Vault.Example:8443"}, {name, value}};
  return request;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_if_header_is_read_whole) {
  const IfHeader tagged =
      ParseIfHeader(" <http://h/p> (<urn:a> [\"e\"])(Not <DAV:no-lock> [W/\"f\"]) <http://h/q>\t(<urn:b>)");
  BOOST_TEST(tagged.lists.size() == 3u);
  BOOST_TEST((tagged.lists[1].uri == "http://h/p"));
  BOOST_TEST(tagged.lists[1].conditions[0].is_negated);
  BOOST_TEST(tagged.lists[1].conditions[1].etag->is_weak);
  BOOST_TEST((tagged.Tokens() == std::vector<std::string>{"urn:a", "DAV:no-lock", "urn:b"}));
  BOOST_TEST(!ParseIfHeader("([not a tag])").lists[0].conditions[0].etag);
  for (const char* bad :
       {"", "x", "(", "()", "(<a>", "(<a)", "(Not)", "<u>", "(<a>) <u> (<b>)", "(<>)", "(<a>) x", "([\"e\")"})
    BOOST_TEST(CodeOf([&] { ParseIfHeader(bad); }) == "bad_if_header", bad);
  std::string many = "(";
  for (int i = 0; i < 101; ++i) many += "<a>";
  BOOST_TEST(CodeOf([&] { ParseIfHeader(many + ")"); }) == "bad_if_header");
}

BOOST_AUTO_TEST_CASE(addresses_of_this_server) {
  const Request request = With("x", "");
  for (const char* own :
       {"/dav/v/a%20b", "http://vault.example/dav/v/a%20b", "HTTPS://u:p@VAULT.example:443/dav/v/a%20b"})
    BOOST_TEST((OwnSegments(own, request) == std::vector<std::string>{"dav", "v", "a b"}));
  BOOST_TEST(!OwnSegments("http://other/dav/v/a", request));
  for (const char* bad :
       {"ftp://x/y", "dav/v", "http:/x", "/dav/v?q", "/dav/v#f", "/dav/../x", "http://vault.example"})
    BOOST_TEST(CodeOf([&] { OwnSegments(bad, request); }) == "bad_destination", bad);
}

BOOST_AUTO_TEST_CASE(small_headers) {
  BOOST_TEST((DepthOf(With("depth", " Infinity "), Depth::kZero) == Depth::kInfinity));
  BOOST_TEST((DepthOf({}, Depth::kOne) == Depth::kOne));
  BOOST_TEST(CodeOf([] { DepthOf(With("depth", "2"), Depth::kZero); }) == "bad_depth");
  BOOST_TEST(!OverwriteOf(With("overwrite", "f")));
  BOOST_TEST(CodeOf([] { OverwriteOf(With("overwrite", "x")); }) == "bad_overwrite");
  BOOST_TEST(TimeoutOf(With("timeout", "Second-5")) == 60);
  BOOST_TEST(TimeoutOf(With("timeout", "x, Second-100, Infinite")) == 100);
  BOOST_TEST(TimeoutOf(With("timeout", "Infinite, Second-4100000000")) == 3600);
  BOOST_TEST(TimeoutOf(With("timeout", "Second-99999999999999999999")) == 3600);
  BOOST_TEST(TimeoutOf({}) == 1800);
  BOOST_TEST(LockTokenOf(With("lock-token", " <urn:x> ")) == "urn:x");
  BOOST_TEST(CodeOf([] { LockTokenOf({}); }) == "bad_lock_token");
}

BOOST_AUTO_TEST_CASE(names) {
  BOOST_TEST(TextOf(PathOf("a/b c/")) == "a/b c");
  BOOST_TEST(PathOf("e\xcc\x81")[0].key == "\xc3\xa9");
  BOOST_TEST(PathOf("").empty());
  for (const std::string& bad :
       {std::string("a//b"), std::string("a\x01"), std::string("a\\b"), std::string("\xef\xbf\xbe"),
        std::string("\x7f"), std::string("\xff"), std::string(256, 'a')})
    BOOST_TEST(CodeOf([&] { PathOf(bad); }) == "bad_name");
  std::string deep;
  for (int i = 0; i < 600; ++i) deep += "a/";
  BOOST_TEST(CodeOf([&] { PathOf(deep); }) == "path_too_long");
  BOOST_TEST(IsReserved(PathOf(".vault/x")));
  BOOST_TEST(!IsReserved(PathOf("x/.vault")));
  BOOST_TEST(IsDocument(PathOf("any/cordiax.db")));
  BOOST_TEST(!IsDocument(PathOf("cordiax.db-wal")));
}

BOOST_AUTO_TEST_CASE(bodies) {
  BOOST_TEST((ParsePropfind("").kind == Propfind::Kind::kAll));
  const Propfind some = ParsePropfind(
      "<D:propfind xmlns:D=\"DAV:\"><x/><D:prop><D:getetag/><a xmlns=\"u\"/><b/></D:prop></D:propfind>");
  BOOST_TEST((some.names == std::vector<PropName>{{"DAV:", "getetag"}, {"u", "a"}, {"", "b"}}));
  for (const char* bad : {"<x/>", "<propfind/>", "<a", "<propfind xmlns='DAV:' xmlns:b=''><prop/></propfind>",
                          "<!DOCTYPE p><propfind xmlns='DAV:'><allprop/></propfind>"})
    BOOST_TEST(CodeOf([&] { ParsePropfind(bad); }) == "bad_xml", bad);
  const auto changes = ParsePropertyUpdate(
      "<D:propertyupdate xmlns:D='DAV:' xmlns:q='urn:q' xml:lang='eu'><D:set><D:prop><q:a><b>&#65536;</b> "
      "</q:a></D:prop></D:set>"
      "<D:remove><D:prop><q:a/></D:prop></D:remove></D:propertyupdate>");
  BOOST_TEST(changes.size() == 2u);
  BOOST_TEST(changes[0].is_set);
  BOOST_TEST(!changes[1].is_set);
  const std::string& xml = changes[0].prop.xml;
  BOOST_TEST(xml.find("xmlns:q=\"urn:q\"") != std::string::npos);
  BOOST_TEST(xml.find("xml:lang=\"eu\"") != std::string::npos);
  BOOST_TEST(xml.find("<b>\xf0\x90\x80\x80</b> </q:a>") != std::string::npos);
  const LockInfo lock = ParseLockInfo(
      "<lockinfo "
      "xmlns='DAV:'><lockscope><shared/></lockscope><locktype><write/></locktype><owner>me</owner></"
      "lockinfo>");
  BOOST_TEST(!lock.is_exclusive);
  BOOST_TEST(lock.owner_xml == "<owner xmlns=\"DAV:\">me</owner>");
}

BOOST_AUTO_TEST_CASE(answers) {
  BOOST_TEST(XmlText("a<&>\"\x01\xef\xbf\xbe\xff") ==
             "a&lt;&amp;&gt;&quot;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  BOOST_TEST(HrefName("a b/\xc3\xbc~") == "a%20b%2F%C3%BC~");
  Resource file{.href = "/dav/v/f", .node = {.name = "f"}, .props = {{{"", "plain"}, "<plain>1</plain>"}}};
  const std::string all = PropfindResponse(file, {});
  BOOST_TEST(all.find("<D:getcontentlength>0</D:getcontentlength>") != std::string::npos);
  BOOST_TEST(all.find("<plain>1</plain>") != std::string::npos);
  BOOST_TEST(all.find("quota") == std::string::npos);
  const std::string missing =
      PropfindResponse(file, {.kind = Propfind::Kind::kSome, .names = {{"u", "x"}, {"", "y"}}});
  BOOST_TEST(missing.find("<X:x xmlns:X=\"u\"/><y/>") != std::string::npos);
  BOOST_TEST(missing.find("404") != std::string::npos);
  BOOST_TEST(IsProtected({"DAV:", "getetag"}));
  BOOST_TEST(!IsProtected({"DAV:", "displayname"}));
  BOOST_TEST(!IsProtected({"u", "getetag"}));
}
