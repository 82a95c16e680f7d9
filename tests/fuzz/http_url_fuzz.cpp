// Any bytes as an address, as a list of networks, as Retry-After: refused, or the same after it was printed and parsed again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "handlers/base/http_out.h"
#include "handlers/base/upstream.h"

using namespace syncline;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = ParseHttpUrl(text)) {
    if (url->host.empty() || url->port < 1 || url->port > 65535 || !url->target.starts_with('/'))
      std::abort();
    const auto again = ParseHttpUrl(url->Text());
    if (!again || again->Text() != url->Text() || !again->HasOriginOf(*url) || again->target != url->target)
      std::abort();
    // Nothing that would end a line or a word of the request.
    for (const char c : url->target + url->HostAndPort()) {
      if (c <= ' ' || c >= '\x7f') std::abort();
    }
  }
  if (const auto address = ParseAddress(text)) {
    const auto again = ParseAddress(address->Text());
    if (!again || again->bytes != address->bytes || IsPublic(*again) != IsPublic(*address)) std::abort();
  }
  try {
    AllowedNetworks networks(text);
  } catch (const Error&) {
  }
  const auto wait = ParseRetryAfter(text, std::chrono::system_clock::time_point());
  if (wait && wait->count() <= 0) std::abort();
  return 0;
}
