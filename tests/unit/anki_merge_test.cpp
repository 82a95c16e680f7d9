// Which version of an object wins, which one keeps a name, and whether a client that applies our list one by
// one, as upstream's does, ends with our objects.
#include "handlers/anki/collection/merge_rules.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <map>
#include <random>

#include "handlers/anki/collection/messages_wire.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

constexpr MergeMoment kMoment{.server_usn = 9, .client_usn = 5, .now_s = 1000};
constexpr Usn kSeen = 4, kUnseen = 5;

Object DeckOf(std::int64_t id, const std::string& name, std::int64_t mod, Usn usn = 0, Usn name_usn = 0) {
  return {.id = id,
          .name = name,
          .mod = mod,
          .usn = usn,
          .json = "{\"id\":" + std::to_string(id) + ",\"name\":" + QuoteJson(name) +
                  ",\"mod\":" + std::to_string(mod) + ",\"usn\":0}",
          .name_usn = name_usn};
}

// The server's collection of one kind.
struct Server {
  std::map<std::int64_t, Object> objects;
  std::vector<std::int64_t> deleted;

  explicit Server(const std::vector<Object>& all) {
    for (const Object& object : all) objects.emplace(object.id, object);
  }
  MergedObjects Merge(const std::vector<Object>& incoming, ObjectKind kind = ObjectKind::kDeck,
                      const MergeMoment& moment = kMoment) const {
    std::vector<KnownObject> known;
    NameOwners names;
    for (const auto& [id, object] : objects) {
      const std::string key = UnicaseKey(object.name);
      const bool is_deleted = std::count(deleted.begin(), deleted.end(), id) > 0;
      if (!is_deleted) names.emplace(key, id);
      if (std::any_of(incoming.begin(), incoming.end(), [&, id = id](const Object& one) {
            return one.id == id || UnicaseKey(one.name) == key;
          })) {
        known.push_back({id, object.mod, object.usn, 0, 0, key, is_deleted});
      }
    }
    return MergeObjects(moment, kind, incoming, known, [&] { return names; });
  }
};

std::map<std::int64_t, std::string> NamesOf(const MergedObjects& merged) {
  std::map<std::int64_t, std::string> names;
  for (const TakenObject& item : merged.taken) names[item.object.id] = item.object.name;
  return names;
}

// Upstream's client, objects of one kind; or, if it is strict, one from before it took objects on a tie.
struct Client {
  struct Deck {
    std::string name;
    std::int64_t mod;
    bool operator==(const Deck&) const = default;
  };
  std::map<std::int64_t, Deck> decks;
  bool is_strict = false;

  void Apply(const std::vector<Object>& list) {
    for (const Object& object : list) {
      const auto existing = decks.find(object.id);
      if (existing != decks.end() && existing->second.mod > object.mod) continue;
      if (is_strict && existing != decks.end() && existing->second.mod == object.mod) continue;
      Deck deck{object.name, object.mod};
      while (std::any_of(decks.begin(), decks.end(), [&](const auto& other) {
        return other.first != object.id && UnicaseKey(other.second.name) == UnicaseKey(deck.name);
      })) {
        deck = {deck.name + "+", 1000};
      }
      decks[object.id] = deck;
    }
  }
};

using Names = std::map<std::int64_t, std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(an_edit_of_a_version_the_client_had_seen_wins_and_never_lowers_the_mod) {
  const Server server({DeckOf(1, "Deck", 100, kSeen)});
  struct Case {
    std::int64_t sent, stored;
    bool goes_back;
  };
  for (const Case& c : {Case{101, 101, false}, Case{100, 100, false}, Case{99, 101, true}}) {
    const MergedObjects merged = server.Merge({DeckOf(1, "Deck", c.sent)});
    BOOST_REQUIRE(merged.taken.size() == 1);
    BOOST_TEST(merged.taken[0].object.mod == c.stored);
    BOOST_TEST(merged.taken[0].goes_back == c.goes_back);
    BOOST_TEST(merged.added == 0);
    BOOST_TEST(merged.taken[0].object.json.find("\"mod\":" + std::to_string(c.stored)) != std::string::npos);
    BOOST_TEST(merged.taken[0].object.json.find("\"usn\":9") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(the_largest_mod_does_not_overflow) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  const Server server({DeckOf(1, "Deck", kLast, kSeen)});
  BOOST_TEST(server.Merge({DeckOf(1, "Deck", 5)}).taken[0].object.mod == kLast);
}

BOOST_AUTO_TEST_CASE(of_two_edits_the_newer_wins_and_on_a_tie_the_servers) {
  const Server server({DeckOf(1, "Deck", 100, kUnseen)});
  BOOST_TEST(server.Merge({DeckOf(1, "Deck", 101)}).taken.size() == 1);
  BOOST_TEST(server.Merge({DeckOf(1, "Deck", 100)}).taken.empty());
  BOOST_TEST(server.Merge({DeckOf(1, "Deck", 99)}).taken.empty());
}

BOOST_AUTO_TEST_CASE(a_deleted_object_never_wins) {
  Server server({DeckOf(1, "Deck", 100, kUnseen)});
  server.deleted = {1};
  const MergedObjects merged = server.Merge({DeckOf(1, "Deck", 1)});
  BOOST_REQUIRE(merged.taken.size() == 1);
  BOOST_TEST(merged.taken[0].object.mod == 1);
  BOOST_TEST(merged.added == 0);
}

BOOST_AUTO_TEST_CASE(names_of_replaced_and_deleted_objects_are_free) {
  Server server({DeckOf(1, "One", 10, kSeen), DeckOf(2, "Two", 10, kSeen), DeckOf(3, "Three", 10, kSeen),
                 DeckOf(4, "Four", 10, kSeen)});
  server.deleted = {4};
  const auto names = [&](const std::vector<Object>& incoming) { return NamesOf(server.Merge(incoming)); };
  // A swap, a shift with a new first one, a cycle, and the name of a deleted deck.
  BOOST_TEST((names({DeckOf(1, "Two", 20), DeckOf(2, "ONE", 20)}) == Names{{1, "Two"}, {2, "ONE"}}));
  BOOST_TEST((names({DeckOf(1, "Two", 20), DeckOf(2, "Three", 20), DeckOf(3, "Fifth", 20),
                     DeckOf(9, "One", 20)}) == Names{{1, "Two"}, {2, "Three"}, {3, "Fifth"}, {9, "One"}}));
  BOOST_TEST((names({DeckOf(3, "One", 20), DeckOf(1, "Two", 20), DeckOf(2, "Three", 20)}) ==
              Names{{1, "Two"}, {2, "Three"}, {3, "One"}}));
  BOOST_TEST((names({DeckOf(9, "FOUR", 20)}) == Names{{9, "FOUR"}}));
  // A name whose owner keeps it is not free.
  BOOST_TEST((names({DeckOf(9, "ONE", 20)}) == Names{{9, "ONE+"}}));
}

BOOST_AUTO_TEST_CASE(the_name_of_an_object_that_loses_stays_taken) {
  const Server server({DeckOf(1, "One", 100, kUnseen)});
  const MergedObjects merged = server.Merge({DeckOf(1, "Uno", 99), DeckOf(2, "one", 50)});
  BOOST_TEST((NamesOf(merged) == Names{{2, "one+"}}));
}

BOOST_AUTO_TEST_CASE(plus_signs_are_added_until_the_name_is_free_after_the_message) {
  const Server server({DeckOf(1, "A", 10, kSeen), DeckOf(2, "a+", 10, kSeen), DeckOf(3, "a++", 10, kSeen)});
  const MergedObjects merged =
      server.Merge({DeckOf(8, "a", 10), DeckOf(3, "moved away", 20), DeckOf(9, "a+++", 20)});
  // a++ is given up by 3; a+++ is taken by 9.
  BOOST_TEST((NamesOf(merged) == Names{{3, "moved away"}, {8, "a++"}, {9, "a+++"}}));
}

BOOST_AUTO_TEST_CASE(a_renamed_object_is_not_older_than_its_senders_version) {
  const Server server({DeckOf(1, "Bio", 10, kSeen)});
  BOOST_TEST(server.Merge({DeckOf(2, "bio", 1120)}).taken[0].object.mod == 1120);
  BOOST_TEST(server.Merge({DeckOf(2, "bio", 880)}).taken[0].object.mod == 1000);
}

BOOST_AUTO_TEST_CASE(too_many_objects_of_one_name_are_refused) {
  const Server server({DeckOf(1, "Deck", 10, kSeen)});
  std::vector<Object> incoming;
  for (std::int64_t id = 2; id < 2500; ++id) incoming.push_back(DeckOf(id, "Deck", 10));
  BOOST_CHECK_EXCEPTION(server.Merge(incoming), Error,
                        [](const Error& error) { return error.kind() == ErrorKind::kBadInput; });
}

BOOST_AUTO_TEST_CASE(an_object_that_was_renamed_is_sent_once) {
  const auto list = ListForClient(
      kMoment, ObjectKind::kDeck,
      {DeckOf(1, "One", 10, 7, 3), DeckOf(2, "Two", 10, 7, 7), DeckOf(3, "x", 10, 6, 0)}, {}, {});
  BOOST_TEST(list.size() == 3);
}

BOOST_AUTO_TEST_CASE(temporary_names_are_unused) {
  const auto list =
      ListForClient(kMoment, ObjectKind::kDeck,
                    {DeckOf(7, "syncing 9", 10, 7, 7), DeckOf(9, "syncing 7", 10, 7, 7)}, {}, {});
  BOOST_REQUIRE(list.size() == 4);
  Client client{{{7, {"P", 10}}, {9, {"Q", 10}}}};
  client.Apply(list);
  BOOST_TEST(
      (client.decks == std::map<std::int64_t, Client::Deck>{{7, {"syncing 9", 10}}, {9, {"syncing 7", 10}}}));
}

BOOST_AUTO_TEST_CASE(an_object_taken_unchanged_is_not_sent_back) {
  const Server server({DeckOf(1, "Deck", 100, kUnseen), DeckOf(2, "Name", 100, kUnseen, kUnseen)});
  const std::vector<Object> sent = {DeckOf(1, "Deck", 101), DeckOf(3, "name", 7)};
  const auto list =
      ListForClient(kMoment, ObjectKind::kDeck, {DeckOf(1, "Deck", 100), DeckOf(2, "Name", 100, 5, 5)}, sent,
                    server.Merge(sent).taken);
  BOOST_TEST(std::none_of(list.begin(), list.end(), [](const Object& object) { return object.id == 1; }));
  Client client{{{1, {"Deck", 101}}, {3, {"name", 7}}}};
  client.Apply(list);
  BOOST_TEST((client.decks == std::map<std::int64_t, Client::Deck>{
                                  {1, {"Deck", 101}}, {2, {"Name", 100}}, {3, {"name+", 1000}}}));
}

namespace {

// A client that has missed some syncs and has its own changes ends with the server's content. `step`: between two mods, of
// different seconds.
void SyncAtRandom(const MergeMoment& moment, bool is_strict, std::int64_t step) {
  // What an old client has of the same second it may keep, so ours is later.
  const std::int64_t unseen_mod = moment.may_keep_equal ? 101 : 100;
  std::mt19937 random(7);
  const auto below = [&](std::uint32_t n) { return static_cast<std::int64_t>(random() % n); };
  for (int round = 0; round < 3000; ++round) {
    // Both agree up to usn 4; then other devices rename and add, and so does the client.
    Server server({});
    Client client{{}, is_strict};
    const auto shuffled = [&](std::size_t count) {
      std::vector<std::string> names = {"a", "B", "c", "D", "e", "f", "a+", "b+", "A++"};
      std::shuffle(names.begin(), names.end(), random);
      names.resize(count);
      return names;
    };
    const auto first = shuffled(5), later = shuffled(7), own = shuffled(7);
    for (std::int64_t id = 0; id < 5; ++id) {
      server.objects[id] = DeckOf(id, first[static_cast<std::size_t>(id)], 100 * step, kSeen, kSeen);
      client.decks[id] = {first[static_cast<std::size_t>(id)], 100 * step};
    }
    for (std::int64_t id = 0; id < 7; ++id) {
      if (id >= 5 || below(2) == 0) continue;
      Object& object = server.objects[id];
      object = DeckOf(id, object.name, (unseen_mod + below(3)) * step, kUnseen + static_cast<Usn>(below(3)),
                      object.name_usn);
    }
    if (below(2) == 0) {  // all names on the server change hands
      for (auto& [id, object] : server.objects)
        object = DeckOf(id, later[static_cast<std::size_t>(id)], (unseen_mod + below(3)) * step, 6, 6);
      server.objects[5] = DeckOf(5, later[5], 100 * step, 7, 7);
    }
    std::vector<Object> sent;
    if (below(2) == 0) {
      for (auto& [id, deck] : client.decks)
        deck = {own[static_cast<std::size_t>(id)], (98 + below(6)) * step};
      client.decks[6] = {own[6], (98 + below(6)) * step};
      for (const auto& [id, deck] : client.decks) sent.push_back(DeckOf(id, deck.name, deck.mod));
      std::shuffle(sent.begin(), sent.end(), random);
    }
    std::vector<Object> unseen;
    for (const auto& [id, object] : server.objects) {
      if (object.usn >= moment.client_usn) unseen.push_back(object);
    }
    const MergedObjects merged = server.Merge(sent, ObjectKind::kDeck, moment);
    for (const TakenObject& item : merged.taken) server.objects[item.object.id] = item.object;
    client.Apply(ListForClient(moment, ObjectKind::kDeck, unseen, sent, merged.taken));

    std::map<std::int64_t, Client::Deck> expected;
    for (const auto& [id, object] : server.objects) expected[id] = {object.name, object.mod};
    BOOST_TEST_CONTEXT("round " << round) {
      BOOST_REQUIRE((client.decks == expected));
    }
  }
}

MergeMoment OfOldClient() {
  MergeMoment moment = kMoment;
  moment.may_keep_equal = true;
  return moment;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_client_that_applies_the_list_in_order_ends_with_our_names) {
  SyncAtRandom(kMoment, /*is_strict=*/false, 1);
}

BOOST_AUTO_TEST_CASE(an_old_client_ends_with_our_names_whether_or_not_it_takes_objects_on_a_tie) {
  SyncAtRandom(OfOldClient(), /*is_strict=*/false, 10);
  SyncAtRandom(OfOldClient(), /*is_strict=*/true, 10);
}

BOOST_AUTO_TEST_CASE(an_old_client_wins_a_tie_with_a_mod_above_ours) {
  const Server server({DeckOf(1, "Deck", 100, kUnseen)});
  BOOST_TEST(server.Merge({DeckOf(1, "Mine", 99)}, ObjectKind::kDeck, OfOldClient()).taken.empty());
  const MergedObjects merged = server.Merge({DeckOf(1, "Mine", 100)}, ObjectKind::kDeck, OfOldClient());
  BOOST_REQUIRE(merged.taken.size() == 1);
  BOOST_TEST(merged.taken[0].object.mod == 102);
  BOOST_TEST(merged.taken[0].goes_back);
}

BOOST_AUTO_TEST_CASE(a_renamed_object_has_a_mod_above_that_of_an_old_client) {
  const Server server({DeckOf(1, "Deck", 10, kSeen)});
  // Its clock is ahead of ours.
  const MergedObjects merged = server.Merge({DeckOf(2, "deck", 2000)}, ObjectKind::kDeck, OfOldClient());
  BOOST_REQUIRE(merged.taken.size() == 1);
  BOOST_TEST(merged.taken[0].object.name == "deck+");
  BOOST_TEST(merged.taken[0].object.mod == 2002);
}
