#include "handlers/anki/envelope/envelope_wire.h"

#include <algorithm>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/json.h"

namespace syncline::anki {
namespace {

// Real headers have about 150 bytes.
constexpr std::size_t kMaxHeaderBytes = 4096;
// Real keys have 6 characters. The key is stored in a column.
constexpr std::size_t kMaxSessionBytes = 64;

Error Bad(const std::string& why) {
  return BadInput("bad_envelope", why);
}

// The key as nginx finds it, which counts requests by it without parsing JSON: the first "k" with a string of at
// most 64 bytes.
std::string_view KeyOfNginx(std::string_view header) {
  constexpr std::string_view kName = "\"k\"", kBlank = " ";
  constexpr std::size_t kMaxKeyBytes = 64;
  for (auto at = header.find(kName); at != std::string_view::npos; at = header.find(kName, at + 1)) {
    std::string_view rest = header.substr(at + kName.size());
    const auto skip = [&] { rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size())); };
    skip();
    if (!rest.starts_with(':')) continue;
    rest.remove_prefix(1);
    skip();
    if (!rest.starts_with('"')) continue;
    rest.remove_prefix(1);
    const std::size_t end = rest.find('"');
    if (end != std::string_view::npos && end > 0 && end <= kMaxKeyBytes) return rest.substr(0, end);
  }
  return {};
}

}  // namespace

Envelope ParseEnvelope(std::string_view header) {
  if (header.size() > kMaxHeaderBytes) throw Bad("header too long");
  Envelope envelope{};
  std::string found;  // known keys, one letter per occurrence
  try {
    const JsonSpans spans(header, 1);
    if (spans.Root().kind != JsonSpans::Kind::kObject) throw Bad("not an object");
    spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
      const std::string_view key = spans.Key(member);
      if (key == "v" || key == "k" || key == "c" || key == "s") found += key;
      const auto text = [&] {
        if (member.kind != JsonSpans::Kind::kString) throw Bad(std::string(key) + " is not a string");
        return spans.Text(member);
      };
      if (key == "v") {
        const auto version = WholeNumber(spans.Raw(member));
        if (!version || *version < kMinVersion || *version > kMaxVersion) throw Bad("version out of range");
        envelope.version = static_cast<int>(*version);
      } else if (key == "k") {
        envelope.key = text();
      } else if (key == "c") {
        envelope.client = text();
      } else if (key == "s") {
        envelope.session = text();
      }
    });
  } catch (const BadJson& e) {
    throw Bad(e.what());
  }
  std::sort(found.begin(), found.end());
  if (found != "cksv") throw Bad("missing or duplicate key");
  // A key that is spelled in another way is none: nginx would not count its requests.
  if (KeyOfNginx(header) != envelope.key) envelope.key.clear();
  if (envelope.session.size() > kMaxSessionBytes || envelope.session.find('\0') != std::string::npos) {
    throw Bad("invalid session key");
  }
  return envelope;
}

Envelope QueryEnvelope(std::optional<std::string> key, std::optional<std::string> client) {
  if (!key || !client || client->empty()) throw Bad("no key or no version in the query");
  return {kQueryVersion, std::move(*key), std::move(*client), {}};
}

}  // namespace syncline::anki
