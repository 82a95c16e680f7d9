// Legacy JSON to protobuf rows and back.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>

#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/base/json.h"
#include "schema18.pb.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

const std::string kNotetype =
    R"({"id":1690000000001,"name":"Vocab","type":0,"mod":1756112000,"usn":42,"sortf":1,"did":null,"tmpls":[{"name":)"
    R"("Card 1","ord":0,"qfmt":"{{Word}}","afmt":"{{FrontSide}}","bqfmt":"","bafmt":"","did":null,"bfont":"","bsize":0,)"
    R"("id":-812345678901234567,"t_addon":[1.50]}],"flds":[{"name":"Word","ord":0,"sticky":false,"rtl":false,"font":)"
    R"("Arial","size":20,"description":"","plainText":false,"collapsed":false,"excludeFromSearch":false,"id":)"
    R"(9223372036854775807,"tag":null,"preventDeletion":false,"media":[]}],"css":".card{}","latexPre":"","latexPost":"",)"
    R"("latexsvg":false,"req":[[0,"any",[0]]],"x_addon":{"keep":1.0,"big":12345678901234567890,"f":1e-7}})";

const std::string kDeck =
    R"({"id":1690000000777,"mod":1756112000,"name":"Lang::ES","usn":42,"lrnToday":[812,0],"revToday":[812,31],"newToday":)"
    R"([812,5],"timeToday":[812,64000],"collapsed":false,"browserCollapsed":true,"desc":"","dyn":0,"conf":1,"extendNew":0,)"
    R"("extendRev":0,"reviewLimit":null,"newLimit":10,"reviewLimitToday":null,"newLimitToday":{"limit":3,"today":9},)"
    R"("desiredRetention":92})";

const std::string kFiltered =
    R"({"id":5,"mod":1,"name":"F","usn":0,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],"timeToday":[0,0],)"
    R"("collapsed":false,"browserCollapsed":false,"desc":"","dyn":1,"resched":true,"terms":[["deck:\"A\"",100,6]],)"
    R"("separate":true,"delays":[1.5,10.0],"previewDelay":1,"previewAgainSecs":60,"previewHardSecs":600,)"
    R"("previewGoodSecs":5})";

const std::string kConfig =
    R"({"id":1690000000888,"mod":1756112000,"name":"Lang","usn":42,"maxTaken":60,"autoplay":true,"timer":0,"replayq":true,)"
    R"("new":{"bury":false,"delays":[1.0,10.0],"initialFactor":2500,"ints":[1,4,0],"order":1,"perDay":15,"separate":true},)"
    R"("rev":{"bury":false,"ease4":1.3,"ivlFct":1.0,"maxIvl":36500,"perDay":150,"hardFactor":1.2},"lapse":{"delays":[10.0],)"
    R"("leechAction":1,"leechFails":8,"minInt":1,"mult":0.0},"dyn":false,"newMix":0,"newPerDayMinimum":0,)"
    R"("interdayLearningMix":0,"reviewOrder":0,"newSortOrder":0,"newGatherPriority":0,"buryInterdayLearning":false,)"
    R"("fsrsWeights":[],"fsrsParams5":[],"fsrsParams6":[0.1,33.3333],"desiredRetention":0.9,"ignoreRevlogsBeforeDate":"",)"
    R"("easyDaysPercentages":[1.0,0.5],"stopTimerOnAnswer":false,"secondsToShowQuestion":0.0,"secondsToShowAnswer":0.0,)"
    R"("questionAction":0,"answerAction":0,"waitForAudio":true,"sm2Retention":0.9,"weightSearch":"","zz":"kept"})";

std::string Replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, what);
  return text.replace(at, what.size(), with);
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Twice(const std::string& json) {
  return DeckConfigToJson(DeckConfigFromJson(json));
}

schema18::DeckConfig ConfigOf(const std::string& json) {
  schema18::DeckConfig config;
  BOOST_REQUIRE(config.ParseFromString(DeckConfigFromJson(json).config));
  return config;
}

}  // namespace

BOOST_AUTO_TEST_CASE(json_of_upstream_round_trips_byte_for_byte) {
  BOOST_TEST(NotetypeToJson(NotetypeFromJson(kNotetype)) == kNotetype);
  BOOST_TEST(DeckToJson(DeckFromJson(kDeck)) == kDeck);
  BOOST_TEST(DeckToJson(DeckFromJson(kFiltered)) == kFiltered);
  BOOST_TEST(Twice(kConfig) == kConfig);
}

BOOST_AUTO_TEST_CASE(rows_have_the_columns) {
  const auto notetype = NotetypeFromJson(kNotetype);
  BOOST_TEST(notetype.id == 1690000000001);
  BOOST_TEST(notetype.name == "Vocab");
  BOOST_TEST(notetype.mod == 1756112000);
  BOOST_TEST(notetype.usn == 42);
  BOOST_TEST(notetype.fields.size() == 1u);
  BOOST_TEST(notetype.templates.size() == 1u);
  BOOST_TEST(SortField(notetype) == 1u);
  BOOST_TEST(DeckFromJson(kDeck).name ==
             "Lang\x1f"
             "ES");
}

BOOST_AUTO_TEST_CASE(a_required_key_that_is_missing_is_refused) {
  for (const auto* key : {"id", "name", "type", "mod", "usn", "sortf", "did", "tmpls", "flds", "css"})
    BOOST_CHECK_THROW(NotetypeFromJson(Replaced(kNotetype, "\"" + std::string(key) + "\"", "\"_x\"")),
                      BadObject);
  for (const auto* key :
       {"id", "name", "usn", "lrnToday", "revToday", "newToday", "timeToday", "collapsed", "dyn", "conf"})
    BOOST_CHECK_THROW(DeckFromJson(Replaced(kDeck, "\"" + std::string(key) + "\"", "\"_x\"")), BadObject);
  for (const auto* key : {"id", "mod", "name", "usn", "maxTaken", "autoplay", "timer", "new", "rev", "lapse"})
    BOOST_CHECK_THROW(DeckConfigFromJson(Replaced(kConfig, "\"" + std::string(key) + "\"", "\"_x\"")),
                      BadObject);
}

BOOST_AUTO_TEST_CASE(integers_must_be_written_as_integers) {
  BOOST_CHECK_THROW(NotetypeFromJson(Replaced(kNotetype, "\"mod\":1756112000", "\"mod\":1756112000.0")),
                    BadObject);
  BOOST_CHECK_THROW(NotetypeFromJson(Replaced(kNotetype, "\"usn\":42", "\"usn\":4e1")), BadObject);
  BOOST_CHECK_THROW(NotetypeFromJson(Replaced(kNotetype, "\"usn\":42", "\"usn\":4294967296")), BadObject);
  BOOST_CHECK_THROW(NotetypeFromJson(Replaced(kNotetype, "\"sortf\":1", "\"sortf\":65536")), BadObject);
  BOOST_CHECK_THROW(NotetypeFromJson(Replaced(kNotetype, "\"type\":0", "\"type\":2")), BadObject);
  BOOST_CHECK_THROW(NotetypeFromJson(Replaced(kNotetype, "\"type\":0", "\"type\":null")), BadObject);
}

BOOST_AUTO_TEST_CASE(ids_and_times_may_be_numeric_strings) {
  BOOST_TEST(NotetypeFromJson(Replaced(kNotetype, ":1690000000001", ":\"1690000000001\"")).id ==
             1690000000001);
  BOOST_TEST(DeckFromJson(Replaced(kDeck, "\"mod\":1756112000", "\"mod\":\"-7\"")).mod == -7);
  BOOST_CHECK_THROW(DeckFromJson(Replaced(kDeck, "\"mod\":1756112000", "\"mod\":\"x\"")), BadObject);
}

BOOST_AUTO_TEST_CASE(lenient_keys_fall_back_when_invalid) {
  BOOST_TEST(
      Contains(NotetypeToJson(NotetypeFromJson(Replaced(kNotetype, "\"css\":\".card{}\"", "\"css\":7"))),
               "\"css\":\"\""));
  BOOST_TEST(Contains(
      NotetypeToJson(NotetypeFromJson(Replaced(kNotetype, "[[0,\"any\",[0]]]", "[[0,\"most\",[0]]]"))),
      "\"req\":[]"));
  BOOST_TEST(Contains(DeckToJson(DeckFromJson(Replaced(kDeck, "\"newLimit\":10", "\"newLimit\":-1"))),
                      "\"newLimit\":null"));
}

BOOST_AUTO_TEST_CASE(booleans_of_fields_may_be_numbers_or_strings) {
  for (const auto* yes : {"true", "1", "1.0", "\"true\"", "\"True\"", "\"1\""})
    BOOST_TEST(Contains(NotetypeToJson(NotetypeFromJson(
                            Replaced(kNotetype, "\"sticky\":false", "\"sticky\":" + std::string(yes)))),
                        "\"sticky\":true"));
  for (const auto* odd : {"2", "null", "\"yes\"", "[]"})
    BOOST_CHECK_THROW(
        NotetypeFromJson(Replaced(kNotetype, "\"sticky\":false", "\"sticky\":" + std::string(odd))),
        BadObject);
}

BOOST_AUTO_TEST_CASE(a_block_with_one_bad_value_becomes_default) {
  const auto broken = Twice(Replaced(kConfig, "\"initialFactor\":2500", "\"initialFactor\":2500.0"));
  BOOST_TEST(Contains(
      broken,
      R"("new":{"bury":false,"delays":[1.0,10.0],"initialFactor":2500,"ints":[1,4,0],"order":1,"perDay":20})"));
  const auto rev = Twice(Replaced(kConfig, "\"ease4\":1.3,", ""));
  BOOST_TEST(Contains(rev, "\"perDay\":200"));
  const auto lapse = Twice(Replaced(kConfig, "\"leechFails\":8", "\"leechFails\":-8"));
  BOOST_TEST(
      Contains(lapse, R"("lapse":{"delays":[10.0],"leechAction":1,"leechFails":8,"minInt":1,"mult":0.0})"));
}

BOOST_AUTO_TEST_CASE(new_card_order_is_inverted_in_protobuf) {
  BOOST_TEST(ConfigOf(kConfig).new_insert_order() == 0);
  BOOST_TEST(ConfigOf(Replaced(kConfig, "\"order\":1", "\"order\":0")).new_insert_order() == 1);
  BOOST_TEST(ConfigOf(Replaced(kConfig, "\"order\":1", "\"order\":9")).new_insert_order() == 0);
}

BOOST_AUTO_TEST_CASE(preview_seconds_have_their_odd_field_numbers) {
  schema18::DeckKind kind;
  BOOST_REQUIRE(kind.ParseFromString(DeckFromJson(kFiltered).kind));
  BOOST_TEST(kind.filtered().preview_again_secs() == 60u);
  BOOST_TEST(kind.filtered().preview_hard_secs() == 600u);
  BOOST_TEST(kind.filtered().preview_good_secs() == 5u);
  // by field number: again is 7, hard 5, good 6
  BOOST_TEST(Contains(DeckFromJson(kFiltered).kind, "\x28\xD8\x04\x30\x05\x38\x3C"));
}

BOOST_AUTO_TEST_CASE(ease_and_retention_are_truncated_not_rounded) {
  BOOST_TEST(Contains(Twice(Replaced(kConfig, "\"initialFactor\":2500", "\"initialFactor\":2001")),
                      "\"initialFactor\":2000"));
  BOOST_TEST(Contains(Twice(Replaced(kConfig, "\"initialFactor\":2500", "\"initialFactor\":1310")),
                      "\"initialFactor\":1310"));
  for (const auto& [in, out] : {std::pair(53, 52), {59, 58}, {90, 90}, {100, 100}, {0, 0}})
    BOOST_TEST(Contains(
        DeckToJson(DeckFromJson(Replaced(kDeck, "Retention\":92", "Retention\":" + std::to_string(in)))),
        "Retention\":" + std::to_string(out) + "}"));
}

BOOST_AUTO_TEST_CASE(floats_are_printed_in_their_shortest_form) {
  BOOST_TEST(Contains(Twice(kConfig), "[0.1,33.3333]"));
  BOOST_TEST(Contains(Twice(Replaced(kConfig, "[0.1,33.3333]", "[1,1e10,1e-7,100000,3.4e38,-0.5]")),
                      "[1.0,10000000000.0,1e-07,100000.0,3.4e+38,-0.5]"));
}

BOOST_AUTO_TEST_CASE(numbers_out_of_bounds_become_defaults) {
  const auto json =
      Twice(Replaced(Replaced(kConfig, "\"maxIvl\":36500", "\"maxIvl\":0"), "\"ease4\":1.3", "\"ease4\":9"));
  BOOST_TEST(Contains(json, "\"maxIvl\":36500"));
  BOOST_TEST(Contains(json, "\"ease4\":1.3"));
}

BOOST_AUTO_TEST_CASE(nan_and_infinity_do_not_reach_other_clients) {
  schema18::DeckConfig config = ConfigOf(kConfig);
  config.set_seconds_to_show_answer(std::nanf(""));
  config.set_fsrs_params_6(0, INFINITY);
  config.set_easy_multiplier(std::nanf(""));
  DeckConfigRow row = DeckConfigFromJson(kConfig);
  row.config = config.SerializeAsString();
  const auto json = DeckConfigToJson(row);
  BOOST_TEST(Contains(json, "\"secondsToShowAnswer\":0.0"));
  BOOST_TEST(Contains(json, "\"fsrsParams6\":[]"));
  BOOST_TEST(Contains(json, "\"ease4\":1.3"));
  BOOST_CHECK_NO_THROW(DeckConfigFromJson(json));
}

BOOST_AUTO_TEST_CASE(amounts_of_an_earlier_day_are_dropped) {
  const auto json =
      DeckToJson(DeckFromJson(Replaced(kDeck, "\"revToday\":[812,31]", "\"revToday\":[811,31]")));
  BOOST_TEST(Contains(json, "\"revToday\":[812,0]"));
  BOOST_TEST(Contains(json, "\"timeToday\":[812,64000]"));
  BOOST_TEST(
      Contains(DeckToJson(DeckFromJson(Replaced(kDeck, "[812,31]", "[\"x\"]"))), "\"revToday\":[812,0]"));
}

BOOST_AUTO_TEST_CASE(deck_names_are_cleaned_by_component) {
  BOOST_TEST(NativeDeckName("A::B") ==
             "A\x1f"
             "B");
  BOOST_TEST(NativeDeckName(" A :: : B\n:") ==
             "A\x1f"
             "B");
  BOOST_TEST(NativeDeckName("") == "blank");
  BOOST_TEST(NativeDeckName("A::") ==
             "A\x1f"
             "blank");
  BOOST_TEST(NativeDeckName("e\u0301\u3000") == "é");
  BOOST_TEST(HumanDeckName("A\x1f"
                           "B") == "A::B");
}

BOOST_AUTO_TEST_CASE(the_last_of_two_equal_keys_wins) {
  BOOST_TEST(NotetypeFromJson(Replaced(kNotetype, "{\"id\":", "{\"name\":\"first\",\"id\":")).name ==
             "Vocab");
}

BOOST_AUTO_TEST_CASE(keys_that_have_become_known_are_removed_from_other) {
  auto row = NotetypeFromJson(kNotetype);
  schema18::NotetypeConfig config;
  BOOST_REQUIRE(config.ParseFromString(row.config));
  config.set_other(R"({"css":"old","new_key":1,"originalId":7})");
  row.config = config.SerializeAsString();
  const auto json = NotetypeToJson(row);
  BOOST_TEST(!Contains(json, "old"));
  BOOST_TEST(!Contains(json, "originalId"));
  BOOST_TEST(Contains(json, "\"new_key\":1"));
  config.set_other("not json");
  row.config = config.SerializeAsString();
  BOOST_CHECK_NO_THROW(NotetypeToJson(row));
}

BOOST_AUTO_TEST_CASE(a_deck_without_a_kind_and_invalid_protobuf_are_refused) {
  auto row = DeckFromJson(kDeck);
  row.kind.clear();
  BOOST_CHECK_THROW(DeckToJson(row), BadObject);
  row.kind = "\xFF\xFF";
  BOOST_CHECK_THROW(DeckToJson(row), BadObject);
}
