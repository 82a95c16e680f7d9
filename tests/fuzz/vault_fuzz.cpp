// What WebDAV clients and uploads send: the header If, XML bodies, contents. The first byte chooses.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "handlers/base/errors.h"
#include "handlers/vault/content/content_rules.h"
#include "handlers/vault/webdav/body_wire.h"
#include "handlers/vault/webdav/if_header_wire.h"

using namespace syncline;
using namespace syncline::vault;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// A property that was kept is one element that can be read again, with the same name.
void CheckProps(const std::string& body) {
  for (const PropChange& change : ParsePropertyUpdate(body)) {
    if (!change.is_set) continue;
    const auto again = ParsePropertyUpdate("<propertyupdate xmlns='DAV:'><set><prop>" + change.prop.xml +
                                           "</prop></set></propertyupdate>");
    Require(again.size() == 1 && again[0].prop.name.name == change.prop.name.name);
  }
}

// The class does not depend on the pieces.
void CheckContentOf(const std::string& content) {
  ContentScan whole(true), parts(true);
  whole.Write(content);
  for (std::size_t at = 0; at < content.size(); at += 3) parts.Write(std::string_view(content).substr(at, 3));
  const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000));
  const ContentReport a = whole.Finish(now), b = parts.Finish(now);
  Require(a.content_class == b.content_class && a.zip.entries == b.zip.entries && a.is_torn == b.is_torn);
  Require((a.zip.state == ZipState::kComplete) == (b.zip.state == ZipState::kComplete));
  Require(a.zip.state != ZipState::kComplete || a.zip.has_plaintext == b.zip.has_plaintext);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 5) {
      case 0:
        Require(!ParseIfHeader(rest).lists.empty());
        break;
      case 1:
        ParsePropfind(rest);
        break;
      case 2:
        CheckProps(rest);
        break;
      case 3:
        ParseLockInfo(rest);
        break;
      default:
        CheckContentOf(rest);
    }
  } catch (const Error&) {
  }
  return 0;
}
