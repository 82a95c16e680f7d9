// Versions, ids, cards, merges, tags, note types, cursors and error texts of the decks service.
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

#include "handlers/base/header_values.h"
#include "handlers/base/json.h"
#include "handlers/decks/cards/card_rules.h"
#include "handlers/decks/cards/merge_rules.h"
#include "handlers/decks/cards/note_type_wire.h"
#include "handlers/decks/dialect/cursor_rules.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/dialect/id_wire.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/dialect/version_rules.h"
#include "handlers/decks/files/media_rules.h"
#include "handlers/decks/files/note_rules.h"

using namespace syncline;
using namespace syncline::decks;

namespace {

std::string Printed(std::string_view text) {
  const auto version = ParseVersion(text);
  return version ? PrintVersion(*version) : "none";
}

PushedCard Pushed(const Fields& fields) {
  return {"g", "Basic", fields, std::nullopt, std::nullopt};
}

CardContent Stored(const Fields& fields) {
  return {"Basic", PrintFields(fields), "a b", "Part"};
}

PushedCard ReadCard(const std::string& json) {
  return ReadJson(json, ReadPushedCard, {.takes_last_key = true});
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_error_text_has_a_word_that_misleads_the_add_on) {
  std::set<std::string_view> codes;
  for (const auto& [code, text] : ErrorTexts()) {
    BOOST_TEST_CONTEXT(code) {
      BOOST_TEST(codes.insert(code).second);
      BOOST_TEST(text.ends_with('.'));
      const std::string lower = LoweredAscii(text);
      for (const std::string_view trap : kTrapWords) BOOST_TEST(lower.find(trap) == lower.npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_says_the_same_twice) {
  const Response answer = RenderError(Forbidden("no_access"), {});
  BOOST_TEST(answer.status == 403);
  BOOST_TEST(std::get<std::string>(answer.body) ==
             R"({"success":false,"code":"NO_ACCESS","message":"You have no access to this deck.",)"
             R"("error":"You have no access to this deck.","details":{}})");
  // The add-on would forget its login for a 403.
  BOOST_TEST(RenderError(Forbidden("account_inactive"), {}).status == 401);
}

BOOST_AUTO_TEST_CASE(versions_have_up_to_three_numbers) {
  for (const auto& [text, printed] :
       std::vector<std::pair<std::string, std::string>>{{"1", "1.0.0"},
                                                        {"1.2", "1.2.0"},
                                                        {"v1.2.3", "1.2.3"},
                                                        {" V2 ", "2.0.0"},
                                                        {"0.0.1", "0.0.1"},
                                                        {"999999.999999.999999", "999999.999999.999999"},
                                                        {"1.02", "1.2.0"}})
    BOOST_TEST(Printed(text) == printed, text);
  for (const char* const text :
       {"", "v", "1.", "1.2.3.4", "1.2.x", "-1", "1000000", "0", "0.0.0", "1 2", "banana", "+1", "1..2"})
    BOOST_TEST(Printed(text) == "none", text);
  BOOST_TEST((*ParseVersion("1.0.10") > *ParseVersion("1.0.9")));
  BOOST_TEST(PrintVersion(NextPatch(*ParseVersion("1.0.9"))) == "1.0.10");
  BOOST_TEST(KindOfUpdate(*ParseVersion("1.2.3"), *ParseVersion("1.3.0")) == "minor");
}

BOOST_AUTO_TEST_CASE(ids_of_other_kinds_and_changed_ones_are_none) {
  const NumberedId id{DeckId{7}, 1234567};
  const std::string text = PrintId(IdKind::kChange, id);
  BOOST_TEST(IsUuid(text));
  const auto parsed = ParseId(IdKind::kChange, text);
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST((parsed->deck == id.deck && parsed->number == id.number));
  BOOST_TEST(!ParseId(IdKind::kSuggestion, text).has_value());
  int others = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    if (changed[i] == '-') continue;
    changed[i] = changed[i] == '0' ? '1' : '0';
    if (ParseId(IdKind::kChange, changed)) ++others;
  }
  BOOST_TEST(others == 0);
  for (const char* const bad :
       {"", "abc", "0d1f6b1e-0000-4000-8000-00000000000", "0d1f6b1e00000-4000-8000-000000000000"})
    BOOST_TEST(!IsUuid(bad));
}

BOOST_AUTO_TEST_CASE(fields_keep_their_order_and_their_bytes) {
  const PushedCard card = ReadCard(
      R"({"guid":"k{2Z!q","fields":{"Z":"\u0000 \ud83d\ude00<b>","A":5,"M":null,"T":true,"Z2":"caf\u00e9"}})");
  BOOST_TEST(card.guid == "k{2Z!q");
  BOOST_TEST(card.note_type == "Basic");
  BOOST_TEST(!card.tags.has_value());
  const std::string json = PrintFields(card.fields);
  const Fields again = ParseFields(json);
  BOOST_TEST((again == card.fields));
  BOOST_TEST(card.fields.front().name == "Z");
  BOOST_TEST(FindField(card.fields, "A")->json == "\"5\"");
  BOOST_TEST(FindField(card.fields, "M")->json == "\"\"");
  // Two spellings of one value are one.
  BOOST_TEST(FindField(card.fields, "Z2")->json ==
             ReadCard("{\"guid\":\"g\",\"fields\":{\"F\":\"caf\u00e9\"}}").fields.front().json);
}

BOOST_AUTO_TEST_CASE(a_push_is_compared_field_by_field) {
  const CardContent stored = Stored({{"Front", "\"f\""}, {"Back", "\"b\""}});
  BOOST_TEST(Compare(stored, Pushed({{"Back", "\"b\""}, {"Front", "\"f\""}})).IsEmpty());
  const CardChange change =
      Compare(stored, Pushed({{"Front", "\"f\""}, {"Back", "\"c\""}, {"More", "\"m\""}}));
  BOOST_REQUIRE(change.fields.size() == 2u);
  BOOST_TEST((change.fields[0].name == "Back" && change.fields[0].old_json == "\"b\""));
  BOOST_TEST((change.fields[1].name == "More" && change.fields[1].old_json == "\"\""));
  BOOST_TEST(change.next.tags == "a b");
  PushedCard cleared = Pushed({{"Front", "\"f\""}, {"Back", "\"b\""}});
  cleared.tags = "";
  BOOST_TEST((Compare(stored, cleared).old_tags == "a b"));
  // A field that goes is a change.
  BOOST_TEST(Compare(stored, Pushed({{"Front", "\"f\""}})).fields.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_edit_of_what_somebody_else_changed_is_a_conflict) {
  BOOST_TEST((MergeField("a", "a", "b") == Merge::kApply));
  BOOST_TEST((MergeField("a", "b", "b") == Merge::kSame));
  BOOST_TEST((MergeField("a", "c", "b") == Merge::kConflict));
  BOOST_TEST((MergeField(std::nullopt, "c", "b") == Merge::kApply));
}

BOOST_AUTO_TEST_CASE(the_hash_of_a_deck_does_not_depend_on_the_order_of_its_cards) {
  std::mt19937 random(7);
  const std::string nothing(32, '\0');
  std::vector<std::string> hashes;
  for (int i = 0; i < 50; ++i)
    hashes.push_back(HashOfCard("g" + std::to_string(i), Stored({{"F", QuoteJson(std::to_string(i))}})));
  std::string sum = nothing;
  for (const auto& hash : hashes) sum = AddHash(sum, hash);
  std::shuffle(hashes.begin(), hashes.end(), random);
  std::string other = nothing;
  for (const auto& hash : hashes) other = AddHash(other, hash);
  BOOST_TEST((sum == other));
  for (const auto& hash : hashes) other = TakeHash(other, hash);
  BOOST_TEST((other == nothing));
  // Parts do not run into each other.
  BOOST_TEST((HashOfCard("ab", Stored({})) != HashOfCard("a", Stored({}))));
}

BOOST_AUTO_TEST_CASE(copies_of_note_types_are_known_by_their_names) {
  BOOST_TEST(OriginalName("Portuguese-f26ed") == "Portuguese");
  for (const char* const name : {"Basic", "Basic-xyz12", "-f26ed", "Basic-f26e", "Cloze-f26edd"})
    BOOST_TEST(OriginalName(name) == name);
}

BOOST_AUTO_TEST_CASE(tags_differ_without_regard_to_case) {
  BOOST_TEST(JoinedTags({"b", "", "A", "a", "B::c"}) == "b A B::c");
  const auto difference = CompareTags("a b", "A c d");
  BOOST_TEST(difference.added == 2);
  BOOST_TEST(difference.removed == 1);
  BOOST_TEST(!IsTag("a b"));
  BOOST_TEST(!IsTag("a\u3000b"));
  BOOST_TEST(IsTag("Stra\u00dfe::2"));
}

BOOST_AUTO_TEST_CASE(a_template_must_show_a_field) {
  const std::vector<std::string> fields{"Front", "Back side"};
  for (const char* const front :
       {"{{Front}}", "<b>{{ Back side }}", "{{text:Front}}", "{{#Front}}{{cloze:Back side}}{{/Front}}"})
    BOOST_TEST(ShowsField(front, fields), front);
  for (const char* const front :
       {"", "Front", "{{front}}", "{{#Front}}x{{/Front}}", "{{FrontSide}}", "{{Front"})
    BOOST_TEST(!ShowsField(front, fields), front);
}

BOOST_AUTO_TEST_CASE(times_with_and_without_a_zone) {
  using namespace std::chrono;
  const sql::Time noon = sys_days(year(2026) / 3 / 2) + hours(12);
  for (const char* const text : {"2026-03-02T12:00:00Z", "2026-03-02T20:00:00+08:00",
                                 "2026-03-02 07:00:00.000-0500", "2026-03-02T12:00Z"}) {
    const auto time = ParseTime(text);
    BOOST_REQUIRE_MESSAGE(time.has_value(), text);
    BOOST_TEST((time->time == noon && time->has_zone), text);
  }
  const auto local = ParseTime("2026-03-02T12:00:00.123456");
  BOOST_REQUIRE(local.has_value());
  BOOST_TEST((local->time == noon + microseconds(123456) && !local->has_zone));
  for (const char* const text :
       {"", "2026", "2026-13-01", "2026-02-30T00:00:00", "2026-03-02T25:00:00", "2026-03-02T12:00:00+", "x",
        "2026-03-02T12:00:00.", "1900-01-01", "2026-03-02T12:00:00Zx"})
    BOOST_TEST(!ParseTime(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(since_may_be_a_change_a_time_or_nothing) {
  const std::string id = PrintId(IdKind::kChange, {DeckId{1}, 1});
  BOOST_TEST(std::holds_alternative<SeenChange>(ReadCursor(std::nullopt, id)));
  BOOST_TEST(std::holds_alternative<SeenChange>(ReadCursor(id, "2026-03-02T12:00:00Z")));
  BOOST_TEST(std::holds_alternative<SeenTime>(ReadCursor("", "2026-03-02T12:00:00")));
  BOOST_TEST(std::get<NoCursor>(ReadCursor(std::nullopt, "banana")).is_unreadable);
  BOOST_TEST(!std::get<NoCursor>(ReadCursor(std::nullopt, std::nullopt)).is_unreadable);
}

BOOST_AUTO_TEST_CASE(names_that_anki_would_change_are_refused) {
  for (const char* const name : {"x.png", "_font.woff2", "\u00e9.png", "a b (1).jpg", "R&D 100%.jpg"})
    BOOST_TEST(IsMediaName(name), name);
  for (const char* const name : {"", "../x.png", "a/b", "a:b.png", "x.jpg ", "x.", ".x", "con", "COM1.txt",
                                 "e\u0301.png", "a\u00a0b", "a\nb", "\xff"})
    BOOST_TEST(!IsMediaName(name), name);
  BOOST_TEST((ProposedName("e\u0301.png") == "\u00e9.png"));
  BOOST_TEST((ProposedName("a:b.png ") == "ab.png"));
  BOOST_TEST((ProposedName("con") == "_con"));
  BOOST_TEST(!ProposedName("...").has_value());
  BOOST_TEST(MediaType("a.PNG") == "image/png");
  BOOST_TEST(MediaType("a") == "application/octet-stream");
  BOOST_TEST(!ParseSha256("00").has_value());
}

BOOST_AUTO_TEST_CASE(a_note_has_the_cards_that_anki_makes_of_it) {
  using Cards = std::vector<std::int32_t>;
  const auto cards = [](const std::vector<std::string>& fronts, const std::vector<NoteField>& fields,
                        bool is_cloze = false) {
    CardDesign design{.is_cloze = is_cloze};
    for (const std::string& front : fronts) design.templates.push_back({"Card", front, ""});
    return CardsOf(design, fields);
  };
  const std::vector<NoteField> both{{"Front", "a"}, {"Back", "b"}},
      one{{"Front", "a"}, {"Back", "<br> </div>"}};
  BOOST_TEST((cards({"{{Front}}", "{{Back}}"}, both) == Cards{0, 1}));
  BOOST_TEST((cards({"{{Front}}", "{{Back}}"}, one) == Cards{0}));
  BOOST_TEST((cards({"{{text:Front}}", "x{{#Back}}{{Front}}{{/Back}}"}, one) == Cards{0}));
  BOOST_TEST((cards({"{{#Back}}{{Front}}{{/Back}}{{Front}}"}, one) == Cards{0}));
  BOOST_TEST((cards({"{{Back}}", "{{^Back}}{{Front}}{{/Back}}"}, one) == Cards{1}));
  BOOST_TEST(
      (cards({"{{Back}}", "no field"}, one) == Cards{0}));  // none shows anything: one card all the same
  BOOST_TEST((cards({"{{Front"}, both) == Cards{0}));
  BOOST_TEST(
      (cards({"{{cloze:Front}}"}, {{"Front", "{{c2::x}} {{c1::y {{c11::z}}}} {{c0::}} {{c501::}} {{c3:no}}"}},
             true) == Cards{0, 1, 10}));
  BOOST_TEST((cards({"{{cloze:Front}}"}, both, true) == Cards{0}));
}

BOOST_AUTO_TEST_CASE(fields_are_joined_as_a_row_of_a_note_has_them) {
  BOOST_TEST(JoinedFields({{"Front", "a"}, {"Back", ""}}) == "a\x1f");
  BOOST_TEST(JoinedFields({{"Front", "a"}}) == "a");
  BOOST_TEST(JoinedFields({}) == "");  // of a broken note type
}

BOOST_AUTO_TEST_CASE(a_design_is_read_or_made_up) {
  const CardDesign made_up = DesignOf({.name = "Basic", .fields = {"Front", "Back"}});
  BOOST_TEST(made_up.templates.size() == 1U);
  BOOST_TEST(made_up.templates[0].front == "{{Front}}");
  BOOST_TEST(!made_up.is_cloze);
  const NoteType sent = ReadJson(
      R"({"name":"C","fields":["Text"],"templates":[{"name":"T","qfmt":"{{cloze:Text}}","afmt":"x"}],"css":"c"})",
      ReadNoteType);
  BOOST_TEST(DesignOf(sent).is_cloze);
  BOOST_TEST(DesignOf(sent).css == "c");
}

BOOST_AUTO_TEST_CASE(a_pushed_copy_keeps_what_its_pusher_has_not_seen) {
  const CardContent now{"Cloze", R"({"Front":"new","Back":"b","Extra":"x"})", "a b", "Two"};
  const std::vector<UnseenChange> changes{{"modify", "Front", R"("old")"},
                                          {"modify", "Front", R"("older")"},
                                          {"modify", "Extra", R"("")"},
                                          {"modify", "Gone", R"("g")"},
                                          {"tags", "", "a c"},
                                          {"type", "", "Basic"},
                                          {"path", "", "One"}};
  const auto merged = [&](Fields fields, std::optional<std::string> tags) {
    PushedCard pushed{"g", "basic-1a2b3", std::move(fields), std::move(tags), "One"};
    const std::int64_t kept = KeepUnseen(now, changes, pushed);
    return std::pair(pushed, kept);
  };
  for (const char* const value : {R"("old")", R"("older")"}) {
    const auto [pushed, kept] = merged({{"Front", value}, {"Back", R"("b")"}, {"Gone", R"("g")"}}, "a c");
    BOOST_TEST(PrintFields(pushed.fields) == now.fields);
    BOOST_TEST(*pushed.tags == now.tags);
    BOOST_TEST(pushed.note_type == "Cloze");
    BOOST_TEST(*pushed.subdeck_path == "Two");
    BOOST_TEST(kept == 6);
  }
  // What the pusher has changed is theirs; of tags, what they have added and removed.
  const auto [pushed, kept] = merged(
      {{"Front", R"("mine")"}, {"Back", R"("mine")"}, {"Extra", R"("mine")"}, {"Gone", R"("mine")"}}, "c D");
  BOOST_TEST(PrintFields(pushed.fields) == R"({"Front":"mine","Back":"mine","Extra":"mine","Gone":"mine"})");
  BOOST_TEST(*pushed.tags == "b D");
  BOOST_TEST(kept == 3);
}

BOOST_AUTO_TEST_CASE(what_a_pusher_has_changed_itself_is_a_decision) {
  const CardContent now{"Basic", R"({"Front":"c"})", "a theirs mine", "Three"};
  const std::vector<UnseenChange> changes{{"modify", "Front", R"("a")"},
                                          {"modify", "Front", R"("b")", true},
                                          {"tags", "", "a"},
                                          {"tags", "", "a theirs", true},
                                          {"path", "", "One"},
                                          {"path", "", "Two", true}};
  const auto pushed_as = [&](const char* front, const char* tags, const char* path) {
    PushedCard pushed{"g", "Basic", {{"Front", front}}, tags, path};
    KeepUnseen(now, changes, pushed);
    return pushed;
  };
  // Back to what was there before those of others.
  const PushedCard back = pushed_as(R"("a")", "a", "One");
  BOOST_TEST(PrintFields(back.fields) == R"({"Front":"a"})");
  BOOST_TEST(*back.tags == "a theirs");
  BOOST_TEST(*back.subdeck_path == "One");
  BOOST_TEST(*pushed_as(R"("c")", "a mine", "Three").tags == now.tags);
  BOOST_TEST(*pushed_as(R"("c")", "mine", "Three").tags == "theirs mine");
}
