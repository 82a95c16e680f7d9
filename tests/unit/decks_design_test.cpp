// How the note type of a shared deck and that of a subscriber become one, within what a normal sync can carry.
#include <boost/test/unit_test.hpp>

#include "handlers/decks/cards/note_type_wire.h"
#include "handlers/decks/delivery/design_rules.h"
#include "handlers/decks/files/packed_object_wire.h"

using namespace syncline;
using namespace syncline::decks;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;

std::string Definition(const std::string& front, const std::string& css, const std::string& more = "") {
  return R"({"templates":[{"name":"Card 1","qfmt":")" + front + R"(","afmt":"a"})" + more + R"(],"css":")" +
         css + R"("})";
}

// A type as it was delivered first, and as each side has changed it.
struct Case {
  Case() {
    deck.shown.id = "00000000-0000-8000-8000-000000000001";
    type.name = "Kind";
    type.fields = {"A", "B"};
    type.definition = Definition("{{A}}", "red");
    const PlannedType first = Plan();
    BOOST_REQUIRE(first.fate == DesignFate::kNew);
    Take(first);
  }
  PlannedType Plan(std::int64_t now = kNow) const {
    return PlanType({.deck = deck, .type = type, .delivered = delivered, .notetypes = own, .now_s = now});
  }
  // As the collection has it then.
  void Take(const PlannedType& plan) {
    if (plan.fate == DesignFate::kInPlace) own.pop_back();
    own.push_back(plan.target);
    if (!delivered.empty() && delivered.back().step == plan.row.step) delivered.pop_back();
    delivered.push_back(plan.row);
  }
  void Replace(const std::string& old_text, const std::string& text) {
    std::string& json = own.back().json;
    const std::size_t at = json.find(old_text);
    BOOST_REQUIRE(at != json.npos);
    json.replace(at, old_text.size(), text);
  }

  Deck deck{};
  NoteType type{};
  std::vector<DeliveredType> delivered{};
  std::vector<anki::Object> own{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_has_arrived_changes_nothing) {
  const PlannedType plan = Case().Plan();
  BOOST_TEST((plan.fate == DesignFate::kSame));
  BOOST_TEST(!plan.has_news);
}

BOOST_AUTO_TEST_CASE(texts_change_in_place_and_one_second_later_than_they_were) {
  Case one;
  one.type.definition = Definition("{{A}}!", "blue");
  const PlannedType plan = one.Plan();
  BOOST_TEST((plan.fate == DesignFate::kInPlace));
  BOOST_TEST(plan.target.id == one.own[0].id);
  BOOST_TEST(plan.target.mod == one.own[0].mod + 1);
  const OwnType shape = OwnTypeOf(plan.target);
  BOOST_TEST(shape.design.css == "blue");
  BOOST_TEST(shape.design.templates[0].front == "{{A}}!");
  one.Take(plan);
  BOOST_TEST((one.Plan().fate == DesignFate::kSame));
}

BOOST_AUTO_TEST_CASE(a_time_never_runs_ahead_of_the_clock) {
  Case one;
  one.type.definition = Definition("{{A}}", "blue");
  one.own[0].mod = kNow;
  BOOST_TEST((one.Plan().fate == DesignFate::kTooEarly));
  BOOST_TEST((one.Plan(kNow + 1).fate == DesignFate::kInPlace));
  one.own[0].mod = kNow + 3600;
  BOOST_TEST((one.Plan().fate == DesignFate::kSame), "a device with a wrong clock stops nothing");
}

BOOST_AUTO_TEST_CASE(a_text_of_the_subscriber_stays_and_the_others_follow) {
  Case one;
  one.Replace("red", "mine");
  one.type.definition = Definition("{{A}}!", "blue");
  const PlannedType plan = one.Plan();
  BOOST_TEST(OwnTypeOf(plan.target).design.css == "mine");
  BOOST_TEST(OwnTypeOf(plan.target).design.templates[0].front == "{{A}}!");
}

BOOST_AUTO_TEST_CASE(what_a_device_brings_back_is_no_edit) {
  Case one;
  const anki::Object old_type = one.own[0];
  one.type.definition = Definition("{{A}}", "blue");
  one.Take(one.Plan());
  one.own[0].json = old_type.json;
  const PlannedType plan = one.Plan();
  BOOST_TEST((plan.fate == DesignFate::kInPlace));
  BOOST_TEST(OwnTypeOf(plan.target).design.css == "blue");
}

BOOST_AUTO_TEST_CASE(a_field_or_template_more_makes_a_type_that_has_all) {
  Case one;
  one.type.fields = {"C", "A"};
  one.type.definition = Definition("{{A}}", "red", R"(,{"name":"Card 2","qfmt":"{{C}}","afmt":""})");
  const PlannedType plan = one.Plan();
  BOOST_TEST((plan.fate == DesignFate::kExtended));
  BOOST_TEST(plan.target.id != one.own[0].id);
  const OwnType shape = OwnTypeOf(plan.target);
  BOOST_TEST(shape.fields == (std::vector<std::string>{"A", "B", "C"}));
  BOOST_REQUIRE(shape.design.templates.size() == 2);
  BOOST_TEST(shape.design.templates[1].front == "{{C}}");
  BOOST_TEST(CanBecome(OwnTypeOf(one.own[0]), shape));
  BOOST_TEST(!CanBecome(shape, OwnTypeOf(one.own[0])));
  const std::int64_t first = one.own[0].id;
  one.Take(plan);
  const PlannedType later = one.Plan();
  BOOST_TEST((later.fate == DesignFate::kSame));
  BOOST_TEST(later.target.id == plan.target.id);
  BOOST_TEST(later.earlier == std::vector<std::int64_t>{first});
}

BOOST_AUTO_TEST_CASE(less_and_another_order_change_nothing) {
  Case one;
  one.type.fields = {"B"};
  one.type.definition = Definition("{{B}}", "red");
  BOOST_TEST(OwnTypeOf(one.Plan().target).fields == (std::vector<std::string>{"A", "B"}));
  one.type.fields = {"B", "A"};
  BOOST_TEST((one.Plan().fate != DesignFate::kExtended));
}

BOOST_AUTO_TEST_CASE(a_type_whose_fields_the_subscriber_has_changed_stays_theirs) {
  Case one;
  one.Replace("\"name\":\"B\"", "\"name\":\"Mine\"");
  one.type.fields = {"A", "B", "C"};
  one.type.definition = Definition("{{A}}!", "blue");
  const PlannedType plan = one.Plan();
  BOOST_TEST((plan.fate == DesignFate::kSame));
  BOOST_TEST(!plan.has_news);
  BOOST_TEST(plan.target.json == one.own[0].json);
}

BOOST_AUTO_TEST_CASE(a_type_of_which_nothing_is_known_stays_as_it_is) {
  Case one;
  one.delivered.clear();
  one.type.definition = Definition("{{A}}!", "blue");
  BOOST_TEST((one.Plan().fate == DesignFate::kSame));
}
