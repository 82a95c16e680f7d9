// Any bytes as JSON: refused, or spans that lie inside the text and inside each other, whose texts are JSON
// again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/base/json.h"

using namespace syncline;

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

void Check(const JsonSpans& spans, const JsonSpans::Value& value) {
  const std::string_view raw = spans.Raw(value);
  if (raw.empty() || kBlanks.find(raw.front()) != std::string_view::npos ||
      kBlanks.find(raw.back()) != std::string_view::npos) {
    std::abort();
  }
  const JsonSpans again(raw);
  if (again.Root().kind != value.kind || again.Raw(again.Root()) != raw) std::abort();
  if (value.kind == JsonSpans::Kind::kString) {
    const std::string quoted = QuoteJson(spans.Text(value));
    const JsonSpans same(quoted);
    if (same.Text(same.Root()) != spans.Text(value)) std::abort();
  }
  spans.EachIn(value, [&](const JsonSpans::Value& child) {
    if (child.begin <= value.begin || child.end >= value.end) std::abort();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const JsonSpans spans(text);
    // The root and what is right below it: deeper ones are roots of other inputs, and all of all would be
    // quadratic.
    Check(spans, spans.Root());
    spans.EachIn(spans.Root(), [&](const JsonSpans::Value& child) { Check(spans, child); });
    HasDuplicateKeys(text);
  } catch (const BadJson&) {
  }
  return 0;
}
