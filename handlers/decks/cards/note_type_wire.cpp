#include "handlers/decks/cards/note_type_wire.h"

#include <algorithm>
#include <unordered_set>

#include "handlers/base/header_values.h"
#include "handlers/decks/cards/card_wire.h"

namespace syncline::decks {
namespace {

// The member under the name of this protocol or under Anki's own.
JsonValue Either(const JsonObject& in, std::string_view name, std::string_view of_anki) {
  const auto other = in.Find(of_anki);
  return other && !in.Find(name) ? *other : in[name];
}

std::string ReadFieldName(const JsonValue& value) {
  return value.Raw().starts_with('{') ? value.Object().Text("name", kMaxNameCharacters, 1)
                                      : value.Text(kMaxNameCharacters, 1);
}

CardTemplate ReadTemplate(const JsonValue& value) {
  const JsonObject in = value.Object();
  return {in.Text("name", kMaxNameCharacters, 1), in.Text("qfmt", kMaxTemplateCharacters),
          in.Maybe("afmt").Text(kMaxTemplateCharacters).value_or("")};
}

std::string PrintDefinition(const std::vector<CardTemplate>& templates, const std::optional<std::string>& css,
                            std::string_view type) {
  JsonWriter json;
  json.Object().Array("templates");
  for (const CardTemplate& one : templates)
    json.Object().Add("name", one.name).Add("qfmt", one.front).Add("afmt", one.back).End();
  json.End();
  if (css) json.Add("css", *css);
  if (!type.empty()) json.Add("type", RawJson{type});
  return json.Finish();
}

// What a card looks like whose note type nobody has sent: the first field in front, then all others.
std::string MadeUpDefinition(const std::vector<std::string>& fields) {
  std::string back = "{{FrontSide}}\n\n<hr id=answer>\n\n";
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (i > 1) back += "<br>\n";
    back += "{{" + fields[i] + "}}";
  }
  return PrintDefinition({{"Card 1", "{{" + fields.front() + "}}", back}},
                         ".card { font-family: arial; font-size: 20px; text-align: center; color: black; "
                         "background-color: white; }",
                         "");
}

std::string DefinitionOf(const NoteType& type) {
  return type.definition ? *type.definition : MadeUpDefinition(type.fields);
}

}  // namespace

CardDesign DesignOf(const NoteType& type) {
  CardDesign design = ReadJson(DefinitionOf(type), [](const JsonObject& in) {
    CardDesign read{.templates = in["templates"].List(kMaxTemplates, ReadTemplate)};
    read.css = in.Maybe("css").Text(kMaxTemplateCharacters).value_or("");
    const auto kind = in.Find("type");
    read.is_cloze = kind && (kind->Raw() == "1" || kind->Raw() == "\"cloze\"");
    return read;
  });
  for (const CardTemplate& one : design.templates)
    design.is_cloze = design.is_cloze || one.front.find("{{cloze:") != one.front.npos;
  return design;
}

NoteType ReadNoteType(const JsonObject& in) {
  NoteType type;
  const JsonValue name = in["name"];
  type.name = name.Text(kMaxNameCharacters, 1);
  const JsonValue fields = Either(in, "fields", "flds");
  type.fields = fields.List(kMaxFields, ReadFieldName);
  if (type.fields.empty()) fields.Refuse("too_short", "A note type has at least one field");
  if (Union({}, type.fields).size() != type.fields.size())
    fields.Refuse("value_error", "Names of fields must differ");
  const JsonValue templates = Either(in, "templates", "tmpls");
  const auto list = templates.List(kMaxTemplates, ReadTemplate);
  if (list.empty()) templates.Refuse("too_short", "A note type has at least one template");
  for (const CardTemplate& one : list) {
    if (!ShowsField(one.front, type.fields))
      templates.Refuse("value_error", "The front of a template must show a field");
  }
  const auto css = in.Maybe("css").Text(kMaxTemplateCharacters);
  const auto kind = in.Find("type");
  const bool has_kind = kind && !kind->IsNull() && kind->Raw().size() < kMaxNameCharacters;
  type.definition = PrintDefinition(list, css, has_kind ? kind->Raw() : std::string_view());
  return type;
}

void WriteNoteType(JsonWriter& json, const NoteType& type) {
  const std::string definition = DefinitionOf(type);
  json.Object().Add("name", type.name).Add("fields", type.fields);
  const JsonSpans spans(definition, /*record_depth=*/1);
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
    json.Add(spans.Key(member), RawJson{spans.Raw(member)});
  });
  json.End();
}

bool ShowsField(std::string_view front, const std::vector<std::string>& fields) {
  for (std::size_t at = front.find("{{"); at != front.npos; at = front.find("{{", at)) {
    const std::size_t end = front.find("}}", at);
    if (end == front.npos) return false;
    std::string_view name = TrimmedBlanks(front.substr(at + 2, end - at - 2));
    at = end;
    // Conditions show nothing. Filters precede the name.
    if (name.starts_with('#') || name.starts_with('^') || name.starts_with('/')) continue;
    if (const std::size_t colon = name.rfind(':'); colon != name.npos)
      name = TrimmedBlanks(name.substr(colon + 1));
    if (std::find(fields.begin(), fields.end(), name) != fields.end()) return true;
  }
  return false;
}

std::vector<std::string> Union(std::vector<std::string> fields, const std::vector<std::string>& more) {
  // Most cards bring what is known.
  if (fields == more) return fields;
  std::unordered_set<std::string_view> known(fields.begin(), fields.end());
  std::vector<std::string_view> added;
  for (const std::string& name : more) {
    if (known.insert(name).second) added.push_back(name);
  }
  fields.insert(fields.end(), added.begin(), added.end());
  return fields;
}

}  // namespace syncline::decks
