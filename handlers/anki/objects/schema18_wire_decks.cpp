// Normal and filtered decks, and deck names.
#include "handlers/anki/objects/schema18_wire.h"

#include <utf8proc.h>

#include <algorithm>

#include "handlers/anki/objects/schema18_wire_serde.h"
#include "handlers/base/json.h"
#include "handlers/base/utf8.h"
#include "schema18.pb.h"

namespace syncline::anki {
namespace {

using namespace serde;

bool IsWhitespace(std::int32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// Removes white space and colons at both ends, by whole code points.
std::string_view TrimComponent(std::string_view text) {
  const auto trimmed = [](std::int32_t c) { return c == ':' || IsWhitespace(c); };
  while (!text.empty()) {
    utf8proc_int32_t c = 0;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &c);
    if (size <= 0 || !trimmed(c)) break;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    utf8proc_int32_t c = 0;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + start),
                                       static_cast<utf8proc_ssize_t>(text.size() - start), &c);
    if (size <= 0 || !trimmed(c)) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

std::string DeckNameComponent(std::string_view component) {
  std::string name = Nfc(component);
  std::erase_if(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  const auto trimmed = TrimComponent(name);
  return trimmed.empty() ? "blank" : std::string(trimmed);
}

// [day, amount]. A value that is not an integer reads as 0, and only the last two elements count.
struct Today {
  std::int32_t day = 0, amount = 0;
};

Today TodayOf(ObjectReader& in, std::string_view key) {
  const auto& json = in.Json();
  const auto elements = in.Elements(key);
  const auto last = [&](std::size_t back) -> std::int32_t {
    if (elements.size() < back) return 0;
    const auto& value = *elements[elements.size() - back];
    return static_cast<std::int32_t>(IntOf(json, value, kLow<std::int64_t>, kHigh<std::int64_t>).value_or(0));
  };
  return {last(2), last(1)};
}

bool TakeDayLimit(ObjectReader& in, std::string_view key, schema18::NormalDeck::DayLimit& limit) {
  const auto* value = in.Take(key);
  if (value == nullptr || value->kind != Kind::kObject) return false;
  ObjectReader members(in.Json(), *value);
  const auto* amount = members.Take("limit");
  const auto* today = members.Take("today");
  if (amount == nullptr || today == nullptr) return false;
  const auto amount_number = IntOf(in.Json(), *amount, 0, kHigh<std::uint32_t>);
  const auto today_number = IntOf(in.Json(), *today, 0, kHigh<std::uint32_t>);
  if (!amount_number || !today_number) return false;
  limit.set_limit(static_cast<std::uint32_t>(*amount_number));
  limit.set_today(static_cast<std::uint32_t>(*today_number));
  return true;
}

void NormalDeckFromJson(ObjectReader& in, std::string description, bool markdown,
                        schema18::NormalDeck& deck) {
  deck.set_config_id(in.NumberOrText("conf", Rule::kStrict));
  const auto not_negative = [](std::int32_t n) { return static_cast<std::uint32_t>(std::max(n, 0)); };
  deck.set_extend_new(not_negative(in.Number<std::int32_t>("extendNew", Rule::kOptionalLenient)));
  deck.set_extend_review(not_negative(in.Number<std::int32_t>("extendRev", Rule::kOptionalLenient)));
  deck.set_description(std::move(description));
  deck.set_markdown_description(markdown);
  constexpr auto kRule = Rule::kOptionalLenient;
  if (const auto n = in.NumberOrNull<std::uint32_t>("reviewLimit", kRule)) deck.set_review_limit(*n);
  if (const auto n = in.NumberOrNull<std::uint32_t>("newLimit", kRule)) deck.set_new_limit(*n);
  schema18::NormalDeck::DayLimit limit;
  if (TakeDayLimit(in, "reviewLimitToday", limit)) *deck.mutable_review_limit_today() = limit;
  if (TakeDayLimit(in, "newLimitToday", limit)) *deck.mutable_new_limit_today() = limit;
  if (const auto n = in.NumberOrNull<std::uint32_t>("desiredRetention", kRule))
    deck.set_desired_retention(static_cast<float>(*n) / 100.0F);
}

void FilteredDeckFromJson(ObjectReader& in, schema18::FilteredDeck& deck) {
  const auto& json = in.Json();
  deck.set_reschedule(in.BoolOfAnything("resched"));
  for (const auto* term : in.Elements("terms")) {
    std::vector<const Value*> parts;
    if (term->kind == Kind::kArray) json.EachIn(*term, [&](const Value& part) { parts.push_back(&part); });
    if (parts.size() != 3 || parts[0]->kind != Kind::kString) throw BadObject("invalid value: terms");
    // Old clients write the limit as a string.
    auto limit = parts[1]->kind == Kind::kString
                     ? WholeNumber(json.Text(*parts[1]))
                     : IntOf(json, *parts[1], kLow<std::int32_t>, kHigh<std::int32_t>);
    const auto order = IntOf(json, *parts[2], kLow<std::int32_t>, kHigh<std::int32_t>);
    if (!limit || *limit < kLow<std::int32_t> || *limit > kHigh<std::int32_t> || !order)
      throw BadObject("invalid value: terms");
    auto* search = deck.add_search_terms();
    search->set_search(json.Text(*parts[0]));
    search->set_limit(static_cast<std::uint32_t>(std::max<std::int64_t>(*limit, 0)));
    search->set_order(static_cast<std::int32_t>(*order));
  }
  in.Bool("separate", Rule::kOptional);
  SetFloats(deck.mutable_delays(), in.Floats("delays", Rule::kOptionalLenient));
  deck.set_preview_delay(in.Number<std::uint32_t>("previewDelay", Rule::kOptional));
  deck.set_preview_again_secs(in.Number<std::uint32_t>("previewAgainSecs", Rule::kOptional));
  deck.set_preview_hard_secs(in.Number<std::uint32_t>("previewHardSecs", Rule::kOptional));
  deck.set_preview_good_secs(in.Number<std::uint32_t>("previewGoodSecs", Rule::kOptional));
}

// 1 and true mean filtered, other numbers and false do not. Throws unless it is a boolean or 0 to 255.
bool IsFiltered(ObjectReader& in) {
  const auto& dyn = in.Need("dyn");
  if (dyn.kind == Kind::kTrue || dyn.kind == Kind::kFalse) return dyn.kind == Kind::kTrue;
  const auto number = IntOf(in.Json(), dyn, 0, 0xFF);
  if (!number) throw BadObject("invalid value: dyn");
  return *number == 1;
}

void TodayToJson(ObjectWriter& out, std::string_view key, std::uint32_t day, std::int32_t amount) {
  out.Key(key);
  out.Writer().StartArray();
  out.Writer().Int(static_cast<std::int32_t>(day));
  out.Writer().Int(amount);
  out.Writer().EndArray();
}

void DayLimitToJson(ObjectWriter& out, std::string_view key, const schema18::NormalDeck::DayLimit* limit) {
  out.Key(key);
  if (limit == nullptr) {
    out.Writer().Null();
    return;
  }
  out.Writer().StartObject();
  out.Writer().Key("limit");
  out.Writer().Uint(limit->limit());
  out.Writer().Key("today");
  out.Writer().Uint(limit->today());
  out.Writer().EndObject();
}

void NormalDeckToJson(ObjectWriter& out, const schema18::NormalDeck& deck) {
  const auto number = [](bool has, std::int64_t value) { return has ? std::optional(value) : std::nullopt; };
  out.Int("conf", deck.config_id());
  out.Int("extendNew", static_cast<std::int32_t>(deck.extend_new()));
  out.Int("extendRev", static_cast<std::int32_t>(deck.extend_review()));
  out.IntOrNull("reviewLimit", number(deck.has_review_limit(), deck.review_limit()));
  out.IntOrNull("newLimit", number(deck.has_new_limit(), deck.new_limit()));
  DayLimitToJson(out, "reviewLimitToday",
                 deck.has_review_limit_today() ? &deck.review_limit_today() : nullptr);
  DayLimitToJson(out, "newLimitToday", deck.has_new_limit_today() ? &deck.new_limit_today() : nullptr);
  out.IntOrNull("desiredRetention", number(deck.has_desired_retention(),
                                           Truncated<std::uint32_t>(deck.desired_retention() * 100.0F)));
}

void FilteredDeckToJson(ObjectWriter& out, const schema18::FilteredDeck& deck) {
  out.Bool("resched", deck.reschedule());
  out.Key("terms");
  out.Writer().StartArray();
  for (const auto& term : deck.search_terms()) {
    out.Writer().StartArray();
    out.TextValue(term.search());
    out.Writer().Int(static_cast<std::int32_t>(term.limit()));
    out.Writer().Int(term.order());
    out.Writer().EndArray();
  }
  out.Writer().EndArray();
  out.Bool("separate", true);
  out.Key("delays");
  deck.delays().empty() ? static_cast<void>(out.Writer().Null()) : out.FloatsValue(deck.delays());
  out.Int("previewDelay", deck.preview_delay());
  out.Int("previewAgainSecs", deck.preview_again_secs());
  out.Int("previewHardSecs", deck.preview_hard_secs());
  out.Int("previewGoodSecs", deck.preview_good_secs());
}

}  // namespace

DeckRow DeckFromJson(std::string_view text) {
  const auto json = ParseObject(text);
  ObjectReader in(json, json.Root());
  DeckRow row;
  schema18::DeckCommon common;
  schema18::DeckKind kind;
  const bool filtered = IsFiltered(in);
  in.Take("return");  // obsolete
  row.id = in.NumberOrText("id", Rule::kStrict);
  row.mod = in.NumberOrText("mod", Rule::kOptional);
  row.name = NativeDeckName(in.Text("name", Rule::kStrict));
  row.usn = in.Number<Usn>("usn", Rule::kStrict);
  const auto learned = TodayOf(in, "lrnToday"), reviewed = TodayOf(in, "revToday"),
             added = TodayOf(in, "newToday"), time = TodayOf(in, "timeToday");
  // The row has only one day: drop amounts of earlier days. Custom study may change rev or new alone.
  const auto day = std::max({time.day, added.day, reviewed.day});
  common.set_last_day_studied(static_cast<std::uint32_t>(day));
  common.set_new_studied(added.day == day ? added.amount : 0);
  common.set_review_studied(reviewed.day == day ? reviewed.amount : 0);
  common.set_learning_studied(learned.day == day ? learned.amount : 0);
  common.set_milliseconds_studied(time.amount);
  common.set_study_collapsed(in.Bool("collapsed", Rule::kStrict));
  common.set_browser_collapsed(in.Bool("browserCollapsed", Rule::kOptional));
  auto description = in.Text("desc", Rule::kOptional);
  const bool markdown = in.Bool("md", Rule::kOptional);
  if (filtered) {
    FilteredDeckFromJson(in, *kind.mutable_filtered());
  } else {
    NormalDeckFromJson(in, std::move(description), markdown, *kind.mutable_normal());
  }
  common.set_other(OtherBytes(in));
  row.common = common.SerializeAsString();
  row.kind = kind.SerializeAsString();
  return row;
}

std::string DeckToJson(const DeckRow& row) {
  const auto common = Decode<schema18::DeckCommon>(row.common, "deck");
  const auto kind = Decode<schema18::DeckKind>(row.kind, "deck kind");
  const bool filtered = kind.has_filtered();
  if (!filtered && !kind.has_normal()) throw BadObject("deck without a kind");
  ObjectWriter out;
  out.Int("id", row.id);
  out.Int("mod", row.mod);
  out.Text("name", HumanDeckName(row.name));
  out.Int("usn", row.usn);
  TodayToJson(out, "lrnToday", common.last_day_studied(), common.learning_studied());
  TodayToJson(out, "revToday", common.last_day_studied(), common.review_studied());
  TodayToJson(out, "newToday", common.last_day_studied(), common.new_studied());
  TodayToJson(out, "timeToday", common.last_day_studied(), common.milliseconds_studied());
  out.Bool("collapsed", common.study_collapsed());
  out.Bool("browserCollapsed", common.browser_collapsed());
  out.Text("desc", filtered ? std::string() : kind.normal().description());
  if (!filtered && kind.normal().markdown_description()) out.Bool("md", true);
  out.Int("dyn", filtered ? 1 : 0);
  filtered ? FilteredDeckToJson(out, kind.filtered()) : NormalDeckToJson(out, kind.normal());
  // The keys of upstream's reserved list that can occur here: a normal deck has written them, a filtered deck
  // must not have them.
  out.Others(common.other(), {"newLimit", "reviewLimit", "reviewLimitToday", "newLimitToday", "extendNew",
                              "extendRev", "conf", "desiredRetention"});
  return out.Finish();
}

std::string NativeDeckName(std::string_view name) {
  std::string native;
  for (;;) {
    const auto separator = name.find("::");
    native += DeckNameComponent(name.substr(0, separator));
    if (separator == std::string_view::npos) return native;
    native += '\x1f';
    name.remove_prefix(separator + 2);
  }
}

std::string HumanDeckName(std::string_view native_name) {
  std::string name;
  for (const char c : native_name) {
    if (c == '\x1f') {
      name += "::";
    } else {
      name += c;
    }
  }
  return name;
}

}  // namespace syncline::anki
