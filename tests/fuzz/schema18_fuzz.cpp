// Objects from any JSON, and rows from any protobuf: refused, or converted into a form that is stable from
// then on.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "handlers/anki/file/field_text_wire.h"
#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/json.h"
#include "handlers/base/utf8.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

// Our own output must be accepted, and converting it again must change nothing, or clients would see endless
// changes.
template <typename Row>
void Settle(const Row& row, std::string (*to_json)(const Row&), Row (*from_json)(std::string_view)) {
  std::string json;
  try {
    json = to_json(row);
  } catch (const BadObject&) {
    return;
  }
  try {
    const auto again = to_json(from_json(json));
    // The first round trip truncates (retention, ease) and replaces values out of bounds; the second may
    // truncate once more.
    if (to_json(from_json(again)).size() > again.size() + 16) std::abort();
    // Inside unknown values, duplicate keys are kept: clients take the last one there.
    const JsonSpans spans(json, 1);
    std::set<std::string_view> keys;
    spans.EachIn(spans.Root(), [&](const JsonSpans::Value& value) {
      if (!keys.insert(spans.Key(value)).second) std::abort();
    });
  } catch (const BadObject&) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 8) {
      case 0:
        Settle(NotetypeFromJson(text), NotetypeToJson, NotetypeFromJson);
        break;
      case 1:
        Settle(DeckFromJson(text), DeckToJson, DeckFromJson);
        break;
      case 2:
        Settle(DeckConfigFromJson(text), DeckConfigToJson, DeckConfigFromJson);
        break;
      case 3:
        Settle(NotetypeRow{1, "n", 2, 3, text, {{"f", text}}, {{"t", 0, 0, text}}}, NotetypeToJson,
               NotetypeFromJson);
        break;
      case 4:
        Settle(DeckRow{1, "n", 2, 3, text.substr(0, text.size() / 2), text.substr(text.size() / 2)},
               DeckToJson, DeckFromJson);
        break;
      case 5:
        Settle(DeckConfigRow{1, "n", 2, 3, text}, DeckConfigToJson, DeckConfigFromJson);
        break;
      case 6: {
        const auto half = std::string_view(text).substr(0, text.size() / 2);
        const auto rest = std::string_view(text).substr(text.size() / 2);
        if ((UnicaseCompare(half, rest) == 0) != (UnicaseKey(half) == UnicaseKey(rest))) std::abort();
        if (UnicaseCompare(half, rest) < 0 && UnicaseCompare(rest, half) <= 0) std::abort();
        static_cast<void>(NativeDeckName(text));
        break;
      }
      default:
        if (IsUtf8(text) && !IsUtf8(StripHtml(text))) std::abort();
    }
  } catch (const BadObject&) {
  }
  return 0;
}
