// Notetypes with their fields and templates.
#include "handlers/anki/objects/schema18_wire.h"

#include "handlers/anki/objects/schema18_wire_serde.h"
#include "handlers/base/json.h"
#include "schema18.pb.h"

namespace syncline::anki {
namespace {

using namespace serde;

// A cache of the fields each template needs. One invalid entry drops the whole cache.
std::vector<schema18::NotetypeConfig::CardRequirement> Requirements(ObjectReader& in) {
  const auto& json = in.Json();
  const auto* list = in.Take("req");
  std::vector<schema18::NotetypeConfig::CardRequirement> requirements;
  if (list == nullptr || list->kind != Kind::kArray) return requirements;
  bool valid = true;
  json.EachIn(*list, [&](const Value& entry) {
    std::vector<const Value*> parts;
    if (entry.kind == Kind::kArray) json.EachIn(entry, [&](const Value& part) { parts.push_back(&part); });
    if (parts.size() != 3 || parts[1]->kind != Kind::kString || parts[2]->kind != Kind::kArray) {
      valid = false;
      return;
    }
    schema18::NotetypeConfig::CardRequirement requirement;
    const auto ord = IntOf(json, *parts[0], 0, 0xFFFF);
    const auto kind = json.Text(*parts[1]);
    valid = valid && ord && (kind == "none" || kind == "any" || kind == "all");
    requirement.set_card_ord(static_cast<std::uint32_t>(ord.value_or(0)));
    requirement.set_kind(kind == "any" ? 1 : kind == "all" ? 2 : 0);
    json.EachIn(*parts[2], [&](const Value& field) {
      const auto field_ord = IntOf(json, field, 0, 0xFFFF);
      valid = valid && field_ord;
      requirement.add_field_ords(static_cast<std::uint32_t>(field_ord.value_or(0)));
    });
    requirements.push_back(std::move(requirement));
  });
  if (!valid) requirements.clear();
  return requirements;
}

// Reads a field or template; `own` reads the keys that only one of them has. The list position is the ord.
template <typename Config, typename Row, typename Own>
Row PartFromJson(const JsonSpans& json, const Value& value, Own own) {
  ObjectReader in(json, value);
  Row row;
  Config config;
  row.name = in.Text("name", Rule::kStrict);
  in.NumberOrNull<std::uint16_t>("ord", Rule::kOptional);
  own(in, config);
  if (const auto id = in.NumberOrNull<std::int64_t>("id", Rule::kOptionalLenient)) config.set_id(*id);
  config.set_other(OtherBytes(in));
  row.config = config.SerializeAsString();
  return row;
}

FieldRow FieldFromJson(const JsonSpans& json, const Value& value) {
  using Config = schema18::FieldConfig;
  return PartFromJson<Config, FieldRow>(json, value, [](ObjectReader& in, Config& config) {
    config.set_sticky(in.BoolOfAnything("sticky"));
    config.set_rtl(in.BoolOfAnything("rtl"));
    config.set_font_name(in.Text("font", Rule::kStrict));
    config.set_font_size(in.Number<std::uint16_t>("size", Rule::kStrict));
    config.set_description(in.Text("description", Rule::kOptionalLenient));
    config.set_plain_text(in.Bool("plainText", Rule::kOptionalLenient));
    config.set_collapsed(in.Bool("collapsed", Rule::kOptionalLenient));
    config.set_exclude_from_search(in.Bool("excludeFromSearch", Rule::kOptionalLenient));
    if (const auto tag = in.NumberOrNull<std::uint32_t>("tag", Rule::kOptionalLenient)) config.set_tag(*tag);
    config.set_prevent_deletion(in.Bool("preventDeletion", Rule::kOptionalLenient));
  });
}

TemplateRow TemplateFromJson(const JsonSpans& json, const Value& value) {
  using Config = schema18::TemplateConfig;
  return PartFromJson<Config, TemplateRow>(json, value, [](ObjectReader& in, Config& config) {
    config.set_question(in.Text("qfmt", Rule::kStrict));
    config.set_answer(in.Text("afmt", Rule::kOptional));
    config.set_browser_question(in.Text("bqfmt", Rule::kOptional));
    config.set_browser_answer(in.Text("bafmt", Rule::kOptional));
    config.set_target_deck_id(in.NumberOrNull<std::int64_t>("did", Rule::kOptionalLenient).value_or(0));
    config.set_browser_font_name(in.Text("bfont", Rule::kOptionalLenient));
    config.set_browser_font_size(in.Number<std::uint8_t>("bsize", Rule::kOptionalLenient));
  });
}

// Prints a field or template; the inverse of PartFromJson.
template <typename Config, typename Row, typename Own>
std::string PartToJson(const Row& row, std::size_t ord, const char* what, Own own) {
  const auto config = Decode<Config>(row.config, what);
  ObjectWriter out;
  out.Text("name", row.name);
  out.Int("ord", static_cast<std::int64_t>(ord));
  own(out, config);
  out.Others(config.other());
  return out.Finish();
}

template <typename Config>
std::optional<std::int64_t> IdOf(const Config& config) {
  return config.has_id() ? std::optional(config.id()) : std::nullopt;
}

std::string FieldToJson(const FieldRow& row, std::size_t ord) {
  using Config = schema18::FieldConfig;
  return PartToJson<Config>(row, ord, "field", [](ObjectWriter& out, const Config& config) {
    out.Bool("sticky", config.sticky());
    out.Bool("rtl", config.rtl());
    out.Text("font", config.font_name());
    out.Int("size", static_cast<std::uint16_t>(config.font_size()));
    out.Text("description", config.description());
    out.Bool("plainText", config.plain_text());
    out.Bool("collapsed", config.collapsed());
    out.Bool("excludeFromSearch", config.exclude_from_search());
    out.IntOrNull("id", IdOf(config));
    out.IntOrNull("tag", config.has_tag() ? std::optional<std::int64_t>(config.tag()) : std::nullopt);
    out.Bool("preventDeletion", config.prevent_deletion());
  });
}

std::string TemplateToJson(const TemplateRow& row, std::size_t ord) {
  using Config = schema18::TemplateConfig;
  return PartToJson<Config>(row, ord, "template", [](ObjectWriter& out, const Config& config) {
    out.Text("qfmt", config.question());
    out.Text("afmt", config.answer());
    out.Text("bqfmt", config.browser_question());
    out.Text("bafmt", config.browser_answer());
    out.IntOrNull("did", config.target_deck_id() > 0 ? std::optional(config.target_deck_id()) : std::nullopt);
    out.Text("bfont", config.browser_font_name());
    out.Int("bsize", static_cast<std::uint8_t>(config.browser_font_size()));
    out.IntOrNull("id", IdOf(config));
  });
}

}  // namespace

NotetypeRow NotetypeFromJson(std::string_view text) {
  const auto json = ParseObject(text);
  ObjectReader in(json, json.Root());
  NotetypeRow row;
  schema18::NotetypeConfig config;
  row.id = in.NumberOrText("id", Rule::kStrict);
  row.name = in.Text("name", Rule::kStrict);
  config.set_kind(in.Need("type").kind == Kind::kNumber ? StrictEnum(in, "type", 1)
                                                        : throw BadObject("type"));
  row.mod = in.Number<std::int64_t>("mod", Rule::kStrict);
  row.usn = in.Number<Usn>("usn", Rule::kStrict);
  config.set_sort_field(in.Number<std::uint16_t>("sortf", Rule::kStrict));
  config.set_target_deck_id(in.NumberOrNull<std::int64_t>("did", Rule::kLenient).value_or(0));
  for (const auto* value : in.Elements("tmpls")) row.templates.push_back(TemplateFromJson(json, *value));
  for (const auto* value : in.Elements("flds")) row.fields.push_back(FieldFromJson(json, *value));
  config.set_css(in.Text("css", Rule::kLenient));
  config.set_latex_pre(in.Text("latexPre", Rule::kOptional));
  config.set_latex_post(in.Text("latexPost", Rule::kOptional));
  config.set_latex_svg(in.Bool("latexsvg", Rule::kOptionalLenient));
  for (auto& requirement : Requirements(in)) *config.add_requirements() = std::move(requirement);
  config.set_original_stock_kind(in.Number<std::int32_t>("originalStockKind", Rule::kOptional));
  if (const auto id = in.NumberOrNull<std::int64_t>("originalId", Rule::kOptional))
    config.set_original_id(*id);
  config.set_other(OtherBytes(in));
  row.config = config.SerializeAsString();
  return row;
}

std::string NotetypeToJson(const NotetypeRow& row) {
  static constexpr const char* kRequirementKinds[] = {"none", "any", "all"};
  const auto config = Decode<schema18::NotetypeConfig>(row.config, "notetype");
  ObjectWriter out;
  out.Int("id", row.id);
  out.Text("name", row.name);
  out.Int("type", config.kind() == 1 ? 1 : 0);
  out.Int("mod", row.mod);
  out.Int("usn", row.usn);
  out.Int("sortf", static_cast<std::uint16_t>(config.sort_field()));
  out.IntOrNull("did", config.target_deck_id() != 0 ? std::optional(config.target_deck_id()) : std::nullopt);
  out.Key("tmpls");
  out.Writer().StartArray();
  for (std::size_t ord = 0; ord < row.templates.size(); ++ord)
    out.Raw(TemplateToJson(row.templates[ord], ord));
  out.Writer().EndArray();
  out.Key("flds");
  out.Writer().StartArray();
  for (std::size_t ord = 0; ord < row.fields.size(); ++ord) out.Raw(FieldToJson(row.fields[ord], ord));
  out.Writer().EndArray();
  out.Text("css", config.css());
  out.Text("latexPre", config.latex_pre());
  out.Text("latexPost", config.latex_post());
  out.Bool("latexsvg", config.latex_svg());
  out.Key("req");
  out.Writer().StartArray();
  for (const auto& requirement : config.requirements()) {
    const auto kind = requirement.kind() >= 0 && requirement.kind() <= 2 ? requirement.kind() : 0;
    out.Writer().StartArray();
    out.Writer().Uint(static_cast<std::uint16_t>(requirement.card_ord()));
    out.Writer().String(kRequirementKinds[kind]);
    out.Writer().StartArray();
    for (const auto ord : requirement.field_ords()) out.Writer().Uint(static_cast<std::uint16_t>(ord));
    out.Writer().EndArray();
    out.Writer().EndArray();
  }
  out.Writer().EndArray();
  if (config.original_stock_kind() != 0) out.Int("originalStockKind", config.original_stock_kind());
  if (config.has_original_id()) out.Int("originalId", config.original_id());
  out.Others(config.other(), {"originalStockKind", "originalId"});
  return out.Finish();
}

std::uint32_t SortField(const NotetypeRow& row) {
  return Decode<schema18::NotetypeConfig>(row.config, "notetype").sort_field();
}

}  // namespace syncline::anki
