#include "handlers/anki/envelope/envelope_wire.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"
#include "handlers/base/json.h"
#include "handlers/base/multipart.h"
#include "handlers/base/utf8.h"

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

// Clients send six parts at most.
constexpr std::size_t kMaxParts = 20;
// Ours have 57 characters, and versions as "ankidesktop,2.1.49 (6f7d1d8a),win:10" some 40.
constexpr std::size_t kMaxPartBytes = 256;
constexpr std::size_t kPieceBytes = 16 << 10;

// A body with a final boundary after it. AnkiDroid before 2.9 sends none if there is no data; after a complete form it is
// ignored.
class ClosedBody : public BodySource {
 public:
  ClosedBody(BodySource* body, const std::string& boundary) : body_(body), end_("--" + boundary + "--\r\n") {}
  std::size_t Read(char* buffer, std::size_t size) override {
    if (body_ != nullptr) {
      if (const std::size_t got = body_->Read(buffer, size); got > 0 || size == 0) return got;
      body_ = nullptr;
    }
    const std::size_t got = end_.copy(buffer, size, at_);
    at_ += got;
    return got;
  }

 private:
  BodySource* body_;
  const std::string end_;
  std::size_t at_ = 0;
};

std::optional<HeaderParameters> FormType(const Request& request) {
  auto type = ParseHeaderParameters(request.Header("content-type").value_or(""));
  return type && type->value == "multipart/form-data" ? type : std::nullopt;
}

// The client's name for itself, if the form has none: "Anki 2.1.15", "AnkiDroid-2.15.6".
std::string UserAgent(const Request& request) {
  const std::string_view agent = request.Header("user-agent").value_or("");
  return agent.size() <= kMaxPartBytes && IsStorableText(agent) ? std::string(agent) : std::string();
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
  // A key in another spelling is refused: nginx would not count its requests.
  if (KeyOfNginx(header) != envelope.key) envelope.key.clear();
  if (envelope.session.size() > kMaxSessionBytes || envelope.session.find('\0') != std::string::npos) {
    throw Bad("invalid session key");
  }
  return envelope;
}

Envelope QueryEnvelope(std::optional<std::string> key, std::optional<std::string> client) {
  if (!key || !client || client->empty()) throw Bad("no key or no version in the query");
  return {kOldVersion, std::move(*key), std::move(*client), {}};
}

bool HasForm(const Request& request) {
  return request.method == "POST" && !request.Header("anki-sync") && FormType(request);
}

Form ReadForm(const Request& request, BodySink& data) {
  const auto type = FormType(request);
  const std::string* boundary = type ? type->Find("boundary") : nullptr;
  if (boundary == nullptr) throw Bad("not a form");
  ClosedBody body(request.body, *boundary);
  Request closed;
  closed.headers = {{"content-type", std::string(*request.Header("content-type"))}};
  closed.body = &body;
  MultipartReader parts(closed, {.parts = kMaxParts});
  Form form{.envelope = {.version = kOldVersion, .key = {}, .client = {}, .session = {}}};
  std::string found;  // known parts, one letter each
  while (const auto part = parts.NextPart()) {
    const std::string& name = part->name;
    if (name != "data" && name != "k" && name != "sk" && name != "s" && name != "v" && name != "c") continue;
    // A form with two keys is ambiguous.
    const char letter = name == "sk" ? 'k' : name[0];
    if (found.find(letter) != std::string::npos) throw Bad("two parts " + name);
    found += letter;
    if (name == "data") {
      std::vector<char> piece(kPieceBytes);
      while (const std::size_t got = parts.Read(piece.data(), piece.size())) data.Write({piece.data(), got});
      continue;
    }
    std::string text = parts.ReadText(kMaxPartBytes);
    if (!IsStorableText(text)) throw Bad("part " + name + " is not text");
    if (letter == 'k')
      form.envelope.key = std::move(text);
    else if (letter == 's')
      form.envelope.session = std::move(text);
    else if (letter == 'v')
      form.envelope.client = std::move(text);
    else
      form.is_gzip = text != "0";
  }
  if (form.envelope.session.size() > kMaxSessionBytes) throw Bad("session key too long");
  if (form.envelope.client.empty()) form.envelope.client = UserAgent(request);
  return form;
}

}  // namespace syncline::anki
