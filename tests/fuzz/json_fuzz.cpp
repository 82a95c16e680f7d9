// Any bytes as JSON: refused, or spans that are nested inside the text, each of which is JSON again. And as a
// request body: refused with valid error positions, or read; writing the values that were read gives valid
// JSON.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/base/json.h"
#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/utf8.h"

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

// Reads every value as its own type, and as others; writes it again.
void Copy(const JsonValue& value, JsonWriter& json, int depth) {
  const std::string_view raw = value.Raw();
  value.Int(-5, 5);
  value.Choice({});
  switch (raw.empty() ? 'n' : raw.front()) {  // a body of null has no value
    case '"':
      json.Add(value.Text(SIZE_MAX));
      break;
    case '{':
      json.Object();
      for (const auto& [key, member] : value.Object().Members()) {
        json.Add(key, RawJson{member.Raw()});
        if (depth < 3) {
          JsonWriter inner;
          Copy(member, inner, depth + 1);
        }
      }
      json.End();
      break;
    case '[':
      json.Array();
      for (const JsonValue& element : value.List(SIZE_MAX)) {
        if (depth < 3) {
          Copy(element, json, depth + 1);
        } else {
          json.Add(RawJson{element.Raw()});
        }
      }
      json.End();
      break;
    case 't':
    case 'f':
      json.Add(value.Bool());
      break;
    case 'n':
      json.Add(nullptr);
      break;
    default: {
      const double number = value.Double(-1e308, 1e308);
      const std::string text = JsonWriter().Add(number).Finish();
      const double again = ReadJson(text, [](const JsonValue& v) { return v.Double(-1e308, 1e308); });
      if (again != number) std::abort();
      json.Add(number);
    }
  }
}

void UseAsBody(std::string_view text) {
  for (const bool is_lax : {false, true}) {
    try {
      ReadJson(text,
               [](const JsonValue& value) {
                 JsonWriter json;
                 Copy(value, json, 0);
                 const std::string copy = json.Finish();
                 if (!IsUtf8(copy)) std::abort();
                 static_cast<void>(JsonSpans(copy));
                 return 0;
               },
               {.numbers_in_strings = is_lax});
    } catch (const InputError& error) {
      for (const InputProblem& problem : error.problems()) {
        if (problem.offset && *problem.offset > text.size()) std::abort();
        if (!IsUtf8(PointerOf(problem.place))) std::abort();
      }
    }
  }
  // Any bytes as a string that we write.
  const std::string written = JsonWriter().Object().Add(text, text).Finish();
  const JsonSpans spans(written);
  if (!IsUtf8(written)) std::abort();
  if (IsUtf8(text) && spans.Key(*(&spans.Root() + 1)) != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const JsonSpans spans(text);
    // Only the root and its children: deeper values are roots of other inputs, and checking all would be
    // quadratic.
    Check(spans, spans.Root());
    spans.EachIn(spans.Root(), [&](const JsonSpans::Value& child) { Check(spans, child); });
    HasDuplicateKeys(text);
  } catch (const BadJson& error) {
    if (error.offset() > size) std::abort();
  }
  UseAsBody(text);
  return 0;
}
