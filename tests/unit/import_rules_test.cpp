// What an imported package changes (handlers/anki/package/import_rules.h).
#include "handlers/anki/package/import_rules.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <regex>

#include "handlers/anki/collection/messages_wire.h"
#include "handlers/anki/file/file_wire_stock.h"
#include "handlers/anki/package/container_wire.h"

using namespace syncline::anki;

namespace {

const ImportMoment kMoment{7, 1'790'000'000'000, 100, 130};

// Once: the ids of fields and templates are random.
const SmallObjects& Stock() {
  static const SmallObjects stock = StockObjects(1);
  return stock;
}

Object Renamed(const Object& object, std::int64_t id, const std::string& name, std::int64_t mod) {
  Object changed = object;
  changed.id = id;
  changed.name = name;
  changed.mod = mod;
  changed.json = WithMembers(
      object.json, {{"id", std::to_string(id)}, {"name", "\"" + name + "\""}, {"mod", std::to_string(mod)}});
  return changed;
}

Object Basic(std::int64_t id, const std::string& name = "Basic", std::int64_t mod = 50) {
  return Renamed(Stock().notetypes.at(0), id, name, mod);
}

Object WithoutIds(Object notetype) {
  notetype.json =
      std::regex_replace(notetype.json, std::regex("\"id\":-?[0-9]{6,},|,\"id\":-?[0-9]{6,}"), "");
  return notetype;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_notetype_of_a_taken_name_is_added_once_whatever_is_updated) {
  ImportOptions options;
  options.update_notetypes = UpdateWhen::kAlways;
  const std::vector<Object> incoming{Basic(10)};
  std::vector<Object> ours{Basic(5)};
  const NotetypeImport first = ImportNotetypes(incoming, ours, options, kMoment);
  BOOST_REQUIRE_EQUAL(first.taken.size(), 1u);
  BOOST_TEST(first.added == 1);
  BOOST_TEST(first.taken[0].object.name == "Basic+");
  BOOST_TEST(first.ids.at(10) == 10);
  ours.push_back(first.taken[0].object);
  const NotetypeImport second = ImportNotetypes(incoming, ours, options, kMoment);
  BOOST_TEST(second.taken.empty());
  if (!second.taken.empty()) BOOST_TEST(second.taken[0].object.json == ours[1].json);
  BOOST_TEST(second.outcomes.at(0).what == "unchanged");
}

BOOST_AUTO_TEST_CASE(a_notetype_with_other_fields_is_added_as_a_copy_and_found_again) {
  Object wider = Stock().notetypes.at(2);  // an optional reversed card: three fields
  wider = Renamed(wider, 5, "Basic", 50);
  const std::vector<Object> incoming{wider};
  std::vector<Object> ours{Basic(5)};
  const NotetypeImport first = ImportNotetypes(incoming, ours, {}, kMoment);
  BOOST_REQUIRE_EQUAL(first.taken.size(), 1u);
  BOOST_TEST(first.outcomes[0].what == "added_as_copy");
  const std::int64_t copy = first.ids.at(5);
  BOOST_TEST(copy >= kMoment.now_ms);
  BOOST_TEST(first.field_counts.at(copy) == 3);
  BOOST_TEST(first.field_counts.at(5) == 2);
  ours.push_back(first.taken[0].object);
  const NotetypeImport second = ImportNotetypes(incoming, ours, {}, kMoment);
  BOOST_TEST(second.taken.empty());
  BOOST_TEST(second.ids.at(5) == copy);
  BOOST_TEST(second.outcomes[0].what == "matched_copy");
}

BOOST_AUTO_TEST_CASE(a_merge_brings_notes_into_our_order_and_adds_nothing_to_our_notetype) {
  ImportOptions options;
  options.merge_notetypes = true;
  // Front, Back, Add Reverse; two templates. Without ids, the names of fields and templates are compared.
  const Object wider = WithoutIds(Renamed(Stock().notetypes.at(2), 5, "Basic", 50));
  const NotetypeImport narrow =
      ImportNotetypes({WithoutIds(Basic(5, "Basic", 90))}, {wider}, options, kMoment);
  BOOST_TEST(narrow.ids.at(5) == 5);
  const NotetypeMerge& merge = narrow.merges.at(5);
  BOOST_TEST(MergedFields("a\x1f"
                          "b",
                          merge) ==
             "a\x1f"
             "b\x1f");
  BOOST_TEST(merge.templates.size() == 1u);
  for (const TakenObject& taken : narrow.taken) BOOST_TEST(taken.object.field_count == 3);
  BOOST_CHECK_EXCEPTION(ImportNotetypes({wider}, {Basic(5)}, options, kMoment), PackageRefused,
                        [](const PackageRefused& e) { return e.code() == "merge_needs_full_sync"; });
  BOOST_TEST(MergedFields("a\x1f\x1f"
                          "c",
                          {{2, NotetypeMerge::kNone, 0, 1}, {}, 3}) ==
             "c\x1f\x1f"
             "a\x1f");
}

BOOST_AUTO_TEST_CASE(an_update_gets_a_time_that_clients_do_not_ignore) {
  Object incoming = Renamed(Basic(5), 5, "Basic", 40);
  incoming.json = WithMembers(incoming.json, {{"css", "\"new\""}});
  const std::vector<Object> ours{Basic(5)};
  BOOST_TEST(ImportNotetypes({incoming}, ours, {}, kMoment).taken.empty());  // ours is newer
  ImportOptions always;
  always.update_notetypes = UpdateWhen::kAlways;
  const NotetypeImport updated = ImportNotetypes({incoming}, ours, always, kMoment);
  BOOST_REQUIRE_EQUAL(updated.taken.size(), 1u);
  BOOST_TEST(updated.added == 0);
  BOOST_TEST(updated.taken[0].object.mod == kMoment.now_ms / 1000);
  BOOST_TEST(updated.taken[0].object.usn == kMoment.usn);
}

BOOST_AUTO_TEST_CASE(the_sort_field_of_ours_stays) {
  Object incoming = Renamed(Basic(5), 5, "Basic", 90);
  incoming.json = WithMembers(incoming.json, {{"sortf", "1"}});
  BOOST_TEST(ImportNotetypes({incoming}, {Basic(5)}, {}, kMoment).taken.empty() == false);
  const auto taken = ImportNotetypes({incoming}, {Basic(5)}, {}, kMoment).taken.at(0);
  BOOST_TEST(taken.object.json.find("\"sortf\":0") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(merging_what_differs_is_refused) {
  const Object wider = Renamed(Stock().notetypes.at(2), 5, "Basic", 50);
  const Object cloze = Renamed(Stock().notetypes.at(4), 5, "Cloze", 50);
  ImportOptions merge;
  merge.merge_notetypes = true;
  const auto refusal = [&](const std::vector<Object>& incoming,
                           const std::vector<Object>& ours) -> std::string {
    try {
      ImportNotetypes(incoming, ours, merge, kMoment);
      return "";
    } catch (const PackageRefused& refused) {
      return refused.code();
    }
  };
  BOOST_TEST(refusal({wider}, {Basic(5)}) == "merge_needs_full_sync");
  BOOST_TEST(refusal({cloze}, {Basic(5)}) == "notetype_kinds_differ");
  BOOST_TEST(refusal({Basic(5)}, {Basic(5)}) == "");
  Object clone = Renamed(wider, 6, "My Basic", 50);
  clone.json = WithMembers(clone.json, {{"originalId", "5"}});
  BOOST_TEST(refusal({Basic(5)}, {Basic(5), clone}) == "merge_needs_full_sync");
  merge.merge_notetypes = false;
  BOOST_TEST(refusal({Basic(5)}, {Basic(5), clone}) == "");
}

namespace {

Object DeckOf(std::int64_t id, const std::string& name, std::int64_t config = 1, bool is_filtered = false) {
  const std::string head =
      "{\"id\":" + std::to_string(id) + ",\"name\":\"" + name +
      "\",\"mod\":5,\"usn\":0,\"lrnToday\":[0,0],\"revToday\":[0,0],\"newToday\":[0,0],"
      "\"timeToday\":[0,0],\"collapsed\":false,\"browserCollapsed\":false,\"desc\":\"\",";
  const std::string tail = is_filtered
                               ? "\"dyn\":1,\"resched\":true,\"terms\":[[\"x\",5,0]],\"separate\":true}"
                               : "\"dyn\":0,\"conf\":" + std::to_string(config) + "}";
  return {id, name, 5, 0, head + tail, 0, 0, 0};
}

std::map<std::string, std::string> DecksOf(const DeckImport& import) {
  std::map<std::string, std::string> found;
  for (const ObjectOutcome& outcome : import.outcomes) found[outcome.name] = outcome.what;
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(decks_meet_by_their_names_and_new_ones_get_new_ids) {
  SmallObjects ours;
  ours.decks = {DeckOf(1, "Default"), DeckOf(10, "Lang")};
  ours.deck_configs = Stock().deck_configs;
  PackageDecks package;
  package.decks = {DeckOf(20, "lang::FR::Verbs"), DeckOf(21, "LANG"), DeckOf(10, "Other")};
  const DeckImport import = ImportDecks(package, ours, kMoment);
  const std::map<std::string, std::string> expected{
      {"Lang", "unchanged"}, {"Lang::FR", "added"}, {"Lang::FR::Verbs", "added"}, {"Other", "added"}};
  BOOST_TEST((DecksOf(import) == expected));
  BOOST_TEST(import.added == 3);
  BOOST_TEST(import.ids.at(21) == 10);
  BOOST_TEST(import.ids.at(10) != 10);
  BOOST_TEST(import.ids.at(20) >= kMoment.now_ms);
}

BOOST_AUTO_TEST_CASE(a_deck_of_another_kind_is_renamed_and_takes_its_children_along) {
  SmallObjects ours;
  ours.decks = {DeckOf(1, "Default"), DeckOf(10, "Lang", 1, /*is_filtered=*/true)};
  ours.deck_configs = Stock().deck_configs;
  PackageDecks package;
  package.decks = {DeckOf(20, "Lang"), DeckOf(21, "Lang::FR")};
  const std::string renamed = "Lang " + std::to_string(kMoment.now_ms / 1000);
  const std::map<std::string, std::string> expected{{renamed, "added"}, {renamed + "::FR", "added"}};
  BOOST_TEST((DecksOf(ImportDecks(package, ours, kMoment)) == expected));
  // Only the child: the filtered deck gets a substitute.
  package.decks = {DeckOf(21, "Lang::FR")};
  const DeckImport child = ImportDecks(package, ours, kMoment);
  BOOST_TEST((DecksOf(child) == expected));
  // Once: the next import finds both.
  for (const TakenObject& taken : child.taken) ours.decks.push_back(taken.object);
  const ImportMoment later{8, kMoment.now_ms + 60'000, 100, 130};
  BOOST_TEST(ImportDecks(package, ours, later).taken.empty());
  package.decks = {DeckOf(20, "Lang"), DeckOf(21, "Lang::FR")};
  BOOST_TEST(ImportDecks(package, ours, later).taken.empty());
}

BOOST_AUTO_TEST_CASE(options_groups_are_added_and_never_updated) {
  const std::vector<Object> ours = Stock().deck_configs;
  Object other = ours.at(0);
  other = Renamed(other, 77, "Other", 9);
  const auto taken = ImportDeckConfigs({ours.at(0), other}, ours, kMoment);
  BOOST_REQUIRE_EQUAL(taken.size(), 1u);
  BOOST_TEST(taken[0].object.id == 77);
  BOOST_TEST(ImportDeckConfigs({other}, {ours.at(0), taken[0].object}, kMoment).empty());
}

BOOST_AUTO_TEST_CASE(tags_take_our_spelling_and_are_registered_once) {
  ImportedTags tags({{"Verb", 1}, {"a::B", 1}});
  BOOST_TEST(tags.Canonical(" verb VERB new ", true) == " new Verb ");
  BOOST_TEST(tags.Canonical("A::b::c\xE3\x80\x80marked", true) == " a::B::c marked ");
  BOOST_TEST(tags.Canonical(" marked Leech NEW", false) == " new ");
  BOOST_TEST(tags.Canonical("", false) == "");
  std::vector<std::string> added;
  for (const auto& [key, name] : tags.added()) added.push_back(name);
  const std::vector<std::string> expected{"new", "a::B::c", "marked"};
  BOOST_TEST(added == expected, boost::test_tools::per_element());
  BOOST_TEST(tags.Canonical("x:: ::y", true) == " blank::y x::blank ");
}

BOOST_AUTO_TEST_CASE(a_note_is_matched_by_its_guid_only_if_it_has_the_notetype) {
  const KnownNote ours{3, 50, 7};
  ImportOptions options;
  const auto fate = [&](std::int64_t mod, std::int64_t notetype) {
    return FateOf(ours, mod, notetype, options);
  };
  BOOST_TEST((FateOf(std::nullopt, 1, 7, options) == NoteFate::kAdded));
  BOOST_TEST((fate(51, 7) == NoteFate::kUpdated));
  BOOST_TEST((fate(50, 7) == NoteFate::kDuplicate));
  BOOST_TEST((fate(51, 8) == NoteFate::kConflicting));
  options.changes_notetypes = true;
  BOOST_TEST((fate(51, 8) == NoteFate::kUpdated));
  options.changes_notetypes = false;
  options.update_notes = UpdateWhen::kAlways;
  BOOST_TEST((fate(49, 7) == NoteFate::kUpdated));
  BOOST_TEST((fate(50, 7) == NoteFate::kDuplicate));
  options.update_notes = UpdateWhen::kNever;
  BOOST_TEST((fate(51, 7) == NoteFate::kDuplicate));
}

BOOST_AUTO_TEST_CASE(a_package_with_endless_notetypes_of_one_name_is_refused_soon) {
  std::vector<Object> incoming;
  for (int i = 0; i < 5000; ++i) incoming.push_back(Basic(1000 + i));
  // A hundredth of the work, so that it takes no minutes with sanitizers.
  ImportMoment moment = kMoment;
  moment.most_work /= 100;
  BOOST_CHECK_EXCEPTION(ImportNotetypes(incoming, {}, {}, moment), PackageRefused,
                        [](const PackageRefused& e) { return e.code() == "package_too_large"; });
  incoming.resize(200);
  BOOST_TEST(ImportNotetypes(incoming, {}, {}, moment).added == 200);
}

BOOST_AUTO_TEST_CASE(a_deck_below_endless_parents_is_refused_soon) {
  ImportMoment moment = kMoment;
  moment.most_work /= 100;
  const auto import = [&](int levels) {
    std::string name = "a";
    for (int i = 1; i < levels; ++i) name += "::a";
    PackageDecks decks;
    decks.decks.push_back(Renamed(Stock().decks.at(0), 20, name, 50));
    return ImportDecks(decks, Stock(), moment).added;
  };
  BOOST_TEST(import(100) == 100);
  BOOST_CHECK_EXCEPTION(import(3'000), PackageRefused,
                        [](const PackageRefused& e) { return e.code() == "package_too_large"; });
}

BOOST_AUTO_TEST_CASE(ids_that_all_clash_take_little_time) {
  // Each of them would take a hundred steps, and then one.
  std::vector<std::int64_t> used;
  for (std::int64_t i = 0; i < 100'000; ++i) used.push_back(i);
  FreeIds ids(used, 10'000);
  std::int64_t last = 99'999;
  for (std::int64_t i = 0; i < 90'000; ++i) {
    const std::int64_t id = ids.Take(i);
    if (id <= 99'999) BOOST_FAIL("in use");
    last = id;
  }
  BOOST_TEST(last > 99'999);
}

BOOST_AUTO_TEST_CASE(a_taken_id_moves_in_steps_of_999) {
  FreeIds ids({105, 1104});
  BOOST_TEST(ids.Take(1) == 1);
  BOOST_TEST(ids.Take(105) == 2103);
  BOOST_TEST(ids.Take(1104) == 3102);
  BOOST_TEST(ids.Take(2103) == 4101);
}

BOOST_AUTO_TEST_CASE(a_card_without_scheduling_is_new_and_keeps_its_position) {
  CardPreparation preparation({}, false, true, {}, 40);
  Card card{};
  card.type = 2;
  card.queue = 2;
  card.due = 800;
  card.reps = 5;
  card.flags = 3;
  card.data = R"({"pos":7,"s":30.5,"d":5.1,"dr":0.9})";
  preparation.Prepare(card);
  BOOST_TEST(card.type == 0);
  BOOST_TEST(card.due == 7);
  BOOST_TEST(card.reps == 0);
  BOOST_TEST(card.flags == 0);
  BOOST_TEST(card.data == R"({"dr":0.9})");
  card.type = 2;
  card.data = "";
  preparation.Prepare(card);
  BOOST_TEST(card.due == 40);
  BOOST_TEST(card.data == "{}");
}

BOOST_AUTO_TEST_CASE(due_days_move_from_one_calendar_to_the_other) {
  Card card{};
  card.type = card.queue = 2;
  card.due = 110;
  card.original_due = 3;
  ShiftDays(card, kMoment);  // day 100 there is day 130 here
  BOOST_TEST(card.due == 140);
  BOOST_TEST(card.original_due == 33);
  card.type = 1;
  card.queue = 1;
  card.due = 1'790'000'000;
  ShiftDays(card, kMoment);
  BOOST_TEST(card.due == 1'790'000'000);
}

BOOST_AUTO_TEST_CASE(an_old_scheduler_is_upgraded) {
  ImportOptions with;
  with.with_scheduling = true;
  CardPreparation preparation({}, true, true, with, 0);
  Card card{};
  card.type = 2;
  card.queue = 1;
  preparation.Prepare(card);
  BOOST_TEST(card.type == 3);
  Review review{};
  review.ease = 2;
  review.type = 0;
  preparation.Prepare(review);
  BOOST_TEST(review.ease == 3);
}
