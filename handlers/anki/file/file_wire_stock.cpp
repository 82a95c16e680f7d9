#include "handlers/anki/file/file_wire_stock.h"

#include <random>
#include <string>
#include <vector>

#include "handlers/anki/objects/schema18_wire.h"
#include "schema18.pb.h"

namespace syncline::anki {
namespace {

constexpr char kLatexPre[] =
    "\\documentclass[12pt]{article}\n"
    "\\usepackage[utf8]{inputenc}\n"
    "\\usepackage{amsmath,amssymb}\n"
    "\\special{papersize=3in,5in}\n"
    "\\setlength{\\parindent}{0in}\n"
    "\\pagestyle{empty}\n"
    "\\begin{document}\n";
constexpr char kLatexPost[] = "\\end{document}";

constexpr char kCardCss[] =
    ".card {\n"
    "    background-color: white;\n"
    "    color: black;\n"
    "    font: 20px/1.5 arial, sans-serif;\n"
    "    text-align: center;\n"
    "}\n";
constexpr char kClozeCss[] =
    ".cloze {\n"
    "    color: blue;\n"
    "    font-weight: bold;\n"
    "}\n"
    ".nightMode .cloze {\n"
    "    color: lightblue;\n"
    "}\n";
// Anki's image occlusion script reads its colors from these variables.
constexpr char kOcclusionCss[] =
    "#image-occlusion-canvas {\n"
    "    --active-shape-color: #ff8e8e;\n"
    "    --active-shape-border: 1px #212121;\n"
    "    --inactive-shape-color: #ffeba2;\n"
    "    --inactive-shape-border: 1px #212121;\n"
    "    --highlight-shape-color: #ff8e8e00;\n"
    "    --highlight-shape-border: 1px #ff8e8e;\n"
    "}\n";
// Anki's script looks for these ids.
constexpr char kOcclusionQuestion[] =
    "{{#Header}}<div>{{Header}}</div>{{/Header}}\n"
    "<div style=\"display: none\">{{cloze:Occlusion}}</div>\n"
    "<div id=\"err\"></div>\n"
    "<div id=\"image-occlusion-container\">\n"
    "    {{Image}}\n"
    "    <canvas id=\"image-occlusion-canvas\"></canvas>\n"
    "</div>\n"
    "<script>\n"
    "try {\n"
    "    anki.imageOcclusion.setup();\n"
    "} catch (problem) {\n"
    "    document.getElementById(\"err\").textContent =\n"
    "        `This card needs a newer version of Anki. (${problem})`;\n"
    "}\n"
    "</script>\n";
constexpr char kOcclusionAnswerRest[] =
    "<div><button id=\"toggle\">Show or hide masks</button></div>\n"
    "{{#Back Extra}}<div>{{Back Extra}}</div>{{/Back Extra}}\n";

struct Field {
  const char* name;
  int tag = -1;  // the role of a field in a cloze notetype, as Anki numbers it; -1: none
  bool kept = false;
};

struct Template {
  const char* name;
  std::string question, answer;
};

struct Requirement {
  int kind;  // 1 any, 2 all
  std::vector<std::uint32_t> fields;
};

struct Stock {
  const char* name;
  bool cloze;
  std::string css;
  std::vector<Field> fields;
  std::vector<Template> templates;
  std::vector<Requirement> requirements;
};

// Anki identifies fields and templates by a random number when an import merges notetypes.
std::int64_t RandomId() {
  std::random_device source;
  return static_cast<std::int64_t>(std::uint64_t{source()} << 32 | source());
}

Object NotetypeObject(const Stock& stock, std::int64_t id, int original_kind) {
  schema18::NotetypeConfig config;
  config.set_kind(stock.cloze ? 1 : 0);
  config.set_css(stock.css);
  config.set_latex_pre(kLatexPre);
  config.set_latex_post(kLatexPost);
  config.set_original_stock_kind(original_kind);
  NotetypeRow row{id, stock.name, 0, 0, {}, {}, {}};
  for (std::size_t ord = 0; ord < stock.requirements.size(); ++ord) {
    auto* requirement = config.add_requirements();
    requirement->set_card_ord(static_cast<std::uint32_t>(ord));
    requirement->set_kind(stock.requirements[ord].kind);
    for (const auto field : stock.requirements[ord].fields) requirement->add_field_ords(field);
  }
  row.config = config.SerializeAsString();
  for (const auto& field : stock.fields) {
    schema18::FieldConfig field_config;
    field_config.set_font_name("Arial");
    field_config.set_font_size(20);
    field_config.set_id(RandomId());
    if (field.tag >= 0) field_config.set_tag(static_cast<std::uint32_t>(field.tag));
    field_config.set_prevent_deletion(field.kept);
    row.fields.push_back({field.name, field_config.SerializeAsString()});
  }
  for (const auto& card : stock.templates) {
    schema18::TemplateConfig template_config;
    template_config.set_question(card.question);
    template_config.set_answer(card.answer);
    template_config.set_id(RandomId());
    row.templates.push_back({card.name, 0, 0, template_config.SerializeAsString()});
  }
  return {id,
          row.name,
          0,
          0,
          NotetypeToJson(row),
          static_cast<std::int32_t>(row.fields.size()),
          static_cast<std::int32_t>(row.templates.size())};
}

std::vector<Stock> StockNotetypes() {
  const Template forward{"Card 1", "{{Front}}", "{{FrontSide}}\n<hr id=answer>\n{{Back}}"};
  const Template backward{"Card 2", "{{Back}}", "{{FrontSide}}\n<hr id=answer>\n{{Front}}"};
  const Template optional{"Card 2", "{{#Add Reverse}}{{Back}}{{/Add Reverse}}", backward.answer};
  const Template typing{"Card 1", "{{Front}}\n{{type:Back}}", "{{Front}}\n<hr id=answer>\n{{type:Back}}"};
  const Template cloze{"Cloze", "{{cloze:Text}}", "{{cloze:Text}}<br>\n{{Back Extra}}"};
  const Template occlusion{"Image Occlusion", kOcclusionQuestion,
                           std::string(kOcclusionQuestion) + kOcclusionAnswerRest};
  const std::string card_css = kCardCss;
  return {
      {"Basic", false, card_css, {{"Front"}, {"Back"}}, {forward}, {{1, {0}}}},
      {"Basic (and reversed card)",
       false,
       card_css,
       {{"Front"}, {"Back"}},
       {forward, backward},
       {{1, {0}}, {1, {1}}}},
      {"Basic (optional reversed card)",
       false,
       card_css,
       {{"Front"}, {"Back"}, {"Add Reverse"}},
       {forward, optional},
       {{1, {0}}, {2, {1, 2}}}},
      {"Basic (type in the answer)", false, card_css, {{"Front"}, {"Back"}}, {typing}, {{1, {0, 1}}}},
      {"Cloze",
       true,
       card_css + kClozeCss,
       {{"Text", 0, true}, {"Back Extra", 1, false}},
       {cloze},
       {{1, {0}}}},
      {"Image Occlusion",
       true,
       kOcclusionCss + card_css,
       {{"Occlusion", 0, true},
        {"Image", 1, true},
        {"Header", 2, true},
        {"Back Extra", 3, true},
        {"Comments", 4, false}},
       {occlusion},
       {{1, {0, 1, 2}}}},
  };
}

constexpr char kDefaultDeck[] =
    R"({"id":1,"mod":0,"name":"Default","usn":0,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],"timeToday":[0,0],)"
    R"("collapsed":true,"browserCollapsed":true,"desc":"","dyn":0,"conf":1,"extendNew":0,"extendRev":0,)"
    R"("reviewLimit":null,"newLimit":null,"reviewLimitToday":null,"newLimitToday":null,"desiredRetention":null})";

constexpr char kDefaultDeckConfig[] =
    R"({"id":1,"mod":0,"name":"Default","usn":0,"maxTaken":60,"autoplay":true,"timer":0,"replayq":true,)"
    R"("new":{"bury":false,"delays":[1.0,10.0],"initialFactor":2500,"ints":[1,4,0],"order":1,"perDay":20},)"
    R"("rev":{"bury":false,"ease4":1.3,"ivlFct":1.0,"maxIvl":36500,"perDay":200,"hardFactor":1.2},)"
    R"("lapse":{"delays":[10.0],"leechAction":1,"leechFails":8,"minInt":1,"mult":0.0},"dyn":false,)"
    R"("newMix":0,"newPerDayMinimum":0,"interdayLearningMix":0,"reviewOrder":0,"newSortOrder":0,)"
    R"("newGatherPriority":0,"buryInterdayLearning":false,"fsrsWeights":[],"fsrsParams5":[],"fsrsParams6":[],)"
    R"("desiredRetention":0.9,"ignoreRevlogsBeforeDate":"","easyDaysPercentages":[1.0,1.0,1.0,1.0,1.0,1.0,1.0],)"
    R"("stopTimerOnAnswer":false,"secondsToShowQuestion":0.0,"secondsToShowAnswer":0.0,"questionAction":0,)"
    R"("answerAction":0,"waitForAudio":true,"sm2Retention":0.9,"weightSearch":""})";

}  // namespace

SmallObjects StockObjects(std::int64_t first_notetype_id) {
  SmallObjects objects;
  int kind = 0;
  for (const auto& stock : StockNotetypes()) {
    objects.notetypes.push_back(NotetypeObject(stock, first_notetype_id + kind, kind + 1));
    ++kind;
  }
  objects.decks.push_back({1, "Default", 0, 0, kDefaultDeck});
  objects.deck_configs.push_back({1, "Default", 0, 0, kDefaultDeckConfig});
  // creationOffset is null: the first client to sync sets its own.
  objects.config_json =
      R"({"activeDecks":[1],"addToCur":true,"collapseTime":1200,"creationOffset":null,"curDeck":1,)"
      R"("curModel":)" +
      std::to_string(first_notetype_id) +
      R"(,"dayLearnFirst":false,"dueCounts":true,"estTimes":true,"newSpread":0,"nextPos":1,)"
      R"("sched2021":true,"schedVer":2,"sortBackwards":false,"sortType":"noteFld","timeLim":0})";
  return objects;
}

}  // namespace syncline::anki
