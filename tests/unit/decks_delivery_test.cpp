// How a shared card and a subscriber's note become one.
#include <boost/test/unit_test.hpp>

#include "handlers/base/json.h"
#include "handlers/decks/delivery/delivery_package_flow.h"
#include "handlers/decks/delivery/delivery_rules.h"

using namespace syncline;
using namespace syncline::decks;

namespace {

const std::vector<std::string> kFields = {"Front", "Back"};

// A note of two fields.
struct Case {
  std::vector<std::string> mine{"f1", "b1"};
  std::string my_tags{};
  ShownCardTexts card{{{"Front", "f2"}, {"Back", "b1"}}, ""};
  DeliveredNote base{.guid = "g", .hash = "", .fields = R"({"Front":"f1","Back":"b1"})"};
  bool has_base = true, is_same_card = false;
  std::map<std::string, std::set<std::string>> earlier{};
  std::vector<std::string> earlier_tags{};
  std::set<std::string> protected_fields{};

  MergedNote Merged() const { return Merge(In()); }
  NoteMerge In() const {
    return {.fields = kFields,
            .mine = mine,
            .my_tags = my_tags,
            .card = card,
            .base = has_base ? &base : nullptr,
            .is_same_card = is_same_card,
            .earlier = earlier,
            .earlier_tags = earlier_tags,
            .protected_fields = protected_fields};
  }
};

std::vector<std::string> Texts(const Case& one) {
  return one.Merged().texts;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_field_that_nobody_else_has_changed_follows) {
  const MergedNote merged = Case().Merged();
  BOOST_TEST(merged.texts == (std::vector<std::string>{"f2", "b1"}));
  BOOST_TEST(merged.is_changed);
  BOOST_TEST(PrintTexts(merged.base) == R"({"Back":"b1","Front":"f2"})");
}

BOOST_AUTO_TEST_CASE(an_edit_of_the_subscriber_stays) {
  Case one{.mine = {"mine", "b1"}};
  BOOST_TEST(Texts(one) == (std::vector<std::string>{"mine", "b1"}));
  BOOST_TEST(!one.Merged().is_changed);
  const auto edits = EditsOf(one.In());
  BOOST_REQUIRE(edits.size() == 1);
  BOOST_TEST(edits[0].field == "Front");
  BOOST_TEST(edits[0].text == "mine");
}

BOOST_AUTO_TEST_CASE(a_protected_field_stays_and_goes_on_later) {
  Case one{.protected_fields = {"Front"}};
  const MergedNote merged = one.Merged();
  BOOST_TEST(merged.texts[0] == "f1");
  BOOST_TEST(merged.base.at("Front") == "f1");
  BOOST_TEST(EditsOf(one.In()).empty());
}

BOOST_AUTO_TEST_CASE(a_value_that_the_publisher_once_had_is_no_edit) {
  Case one{.mine = {"f0", "b1"}, .earlier = {{"Front", {"f0"}}}};
  BOOST_TEST(Texts(one)[0] == "f2");
  one.is_same_card = true;
  BOOST_TEST(Texts(one)[0] == "f2");
}

BOOST_AUTO_TEST_CASE(a_former_value_is_known_by_the_names_that_its_files_have_in_the_deck) {
  const std::string hash = "09b6f3c3ba7c8f36211dfd0b2b7c7c5548be9b2b";
  BOOST_TEST(WithDeckNames("a-b <img src='x-" + hash + ".png'> -" + hash) ==
             "a-b <img src='x.png'> -" + hash);
  Case one{.mine = {"<img src=x-" + hash + ".png>", "b1"}, .earlier = {{"Front", {"<img src=x.png>"}}}};
  BOOST_TEST(Texts(one)[0] == "f2");
}

BOOST_AUTO_TEST_CASE(what_is_stored_otherwise_than_the_card_says_is_not_written_again) {
  // The file of the card has another name in this collection.
  Case one{.mine = {"stored", "b1"}, .is_same_card = true};
  one.base.fields = R"({"Front":"stored","Back":"b1"})";
  BOOST_TEST(!one.Merged().is_changed);
  BOOST_TEST(one.Merged().base.at("Front") == "stored");
}

BOOST_AUTO_TEST_CASE(a_note_that_was_there_before_keeps_its_texts_and_gets_what_is_empty) {
  Case one{.mine = {"mine", ""}, .my_tags = "own", .has_base = false};
  one.card.tags = "ch1";
  BOOST_TEST(Texts(one) == (std::vector<std::string>{"mine", "b1"}));
  BOOST_TEST(one.Merged().tags == "ch1 own");
}

BOOST_AUTO_TEST_CASE(fields_that_the_card_does_not_have_are_left_alone) {
  Case one;
  one.card.fields.erase("Back");
  one.mine[1] = "own";
  BOOST_TEST(Texts(one) == (std::vector<std::string>{"f2", "own"}));
  BOOST_TEST(one.Merged().base.contains("Back") == false);
}

BOOST_AUTO_TEST_CASE(only_the_difference_of_tags_is_applied) {
  Case one{.my_tags = "old Leech mine::todo"};
  one.base.tags = one.base.older_tags = "old kept";
  one.card.tags = "kept ch1";
  // "kept" was removed by the subscriber.
  BOOST_TEST(one.Merged().tags == "ch1 Leech mine::todo");
  BOOST_TEST(one.Merged().older_tags == "old kept");
}

BOOST_AUTO_TEST_CASE(a_change_of_tags_that_a_device_has_undone_comes_again_once) {
  Case one{.my_tags = "own", .is_same_card = true};
  one.base.tags = one.card.tags = "ch1";
  one.base.older_tags = "";
  BOOST_TEST(one.Merged().tags == "ch1 own");
  BOOST_TEST(one.Merged().older_tags == "ch1");
  one.base.older_tags = "other";
  one.earlier_tags = {"x", ""};
  BOOST_TEST(one.Merged().tags == "ch1 own", "by two changes at once");
  one.base.older_tags = "ch1";
  BOOST_TEST(one.Merged().tags == "own");
}

BOOST_AUTO_TEST_CASE(tags_of_whoever_studies_are_not_shared) {
  const ShownCardTexts texts =
      TextsOf({"Basic", R"({"Front":"a\u0000b"})", "Marked leech x", ""}, kFields, true);
  BOOST_TEST(texts.tags == "x");
  BOOST_TEST(texts.fields.at("Front") == "ab");
  BOOST_TEST(texts.fields.at("Back") == "");
}

BOOST_AUTO_TEST_CASE(a_note_type_is_known_by_the_names_of_its_fields) {
  anki::Object object{};
  object.json =
      R"({"type":1,"flds":[{"ord":0,"name":"A"},{"name":"B"}],"tmpls":[{"name":"T","qfmt":"{{A}}","afmt":"x"}]})";
  const OwnType type = OwnTypeOf(object);
  BOOST_TEST(type.fields == (std::vector<std::string>{"A", "B"}));
  BOOST_TEST(type.design.is_cloze);
  BOOST_TEST(type.design.templates.at(0).front == "{{A}}");
}

BOOST_AUTO_TEST_CASE(cards_go_where_the_subscriber_has_moved_their_decks) {
  const std::string title = "Torts";
  const auto deck = [](std::int64_t id, const std::string& name, bool is_filtered = false) {
    anki::Object object{};
    object.id = id;
    object.name = name;
    object.json = is_filtered ? R"({"dyn":1})" : R"({"dyn":0})";
    return object;
  };
  DeliveryHomes homes(title, {{"", 7}, {"ch1", 8}, {"ch2", 9}, {"ch3", 99}},
                      {deck(7, "Study::Torts"), deck(8, "Elsewhere"), deck(9, "Cram", true)});
  BOOST_TEST(homes.NameOf("") == "Study::Torts");
  BOOST_TEST(homes.NameOf("Ch1") == "Elsewhere");
  BOOST_TEST(homes.NameOf("Ch1::Sub") == "Elsewhere::Sub");
  BOOST_TEST(homes.NameOf("Ch2") == "Study::Torts::Ch2");
  BOOST_TEST(homes.NameOf("Ch3::x") == "Study::Torts::Ch3::x");
  homes.Note(11, "Study::Torts::Ch3");
  homes.Note(12, "Elsewhere");
  BOOST_TEST(homes.known().at("ch3") == 11);
  BOOST_TEST(homes.known().at("") == 7);
  BOOST_TEST(DeliveryHomes(title, {}, {}).NameOf("A:: B ::") == "Torts::A::B::blank");
}
