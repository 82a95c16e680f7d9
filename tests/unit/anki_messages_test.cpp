// The messages of a normal sync and the header around them: accepted, refused, printed.
#include "handlers/anki/collection/messages_wire.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "handlers/anki/envelope/envelope_wire.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

const std::string kCard =
    R"(1700000000001,1700000000000,1,0,1756112233,42,2,2,812,31,2500,7,1,0,0,0,0,"{\"s\":30.5}")";
const std::string kNote = R"(1,"g",2,3,4," a ","x\u001fy","","",0,"")";
const std::string kReview = R"(1,2,3,3,-60,10,2500,900,1)";
const std::string kDeck =
    R"("mod":1756112000,"usn":42,"lrnToday":[812,0],"revToday":[812,31],"newToday":[812,5],)"
    R"("timeToday":[812,64000],"collapsed":false,"desc":"","dyn":0,"conf":1)";

std::string Chunk(const std::string& kind, const std::string& row) {
  return "{\"chunk\":{\"done\":true,\"" + kind + "\":[[" + row + "]]}}";
}
std::string With(std::string row, std::size_t index, const std::string& value) {
  std::size_t begin = 0;
  while (index-- > 0) begin = row.find(',', begin) + 1;
  return row.replace(begin, std::min(row.find(',', begin), row.size()) - begin, value);
}
std::string ChangesOf(const std::string& models, const std::string& decks, const std::string& configs) {
  return "{\"changes\":{\"models\":[" + models + "],\"decks\":[[" + decks + "],[" + configs +
         "]],\"tags\":[]}}";
}
bool IsBadJson(const Error& error) {
  return error.kind() == ErrorKind::kBadInput && error.code() == kBadJson;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_header_of_a_real_client_is_accepted) {
  const Envelope envelope =
      ParseEnvelope(R"({"v":11,"k":"3f0c","c":"25.09,9a1b2c3d,linux","s":"q7Zt1b","new":[1]})");
  BOOST_TEST(envelope.version == 11);
  BOOST_TEST(envelope.key == "3f0c");
  BOOST_TEST(envelope.session == "q7Zt1b");
}

BOOST_DATA_TEST_CASE(an_invalid_header_is_refused, boost::unit_test::data::make({
                                                       "",
                                                       "[]",
                                                       "{}",
                                                       "x",
                                                       R"({"v":11,"k":"","c":""})",
                                                       R"({"v":"11","k":"","c":"","s":""})",
                                                       R"({"v":7,"k":"","c":"","s":""})",
                                                       R"({"v":12,"k":"","c":"","s":""})",
                                                       R"({"v":11.0,"k":"","c":"","s":""})",
                                                       R"({"v":-1,"k":"","c":"","s":""})",
                                                       R"({"v":99999999999999999999,"k":"","c":"","s":""})",
                                                       R"({"v":11,"k":1,"c":"","s":""})",
                                                       R"({"v":11,"k":"","c":"","s":"\u0000"})",
                                                       R"({"v":11,"k":"","k":"","c":""})",
                                                   })) {
  BOOST_CHECK_EXCEPTION(ParseEnvelope(sample), Error,
                        [](const Error& error) { return error.kind() == ErrorKind::kBadInput; });
}

// nginx counts requests by the key without parsing the header.
BOOST_AUTO_TEST_CASE(a_key_that_nginx_would_not_find_is_none) {
  const auto key = [](const char* header) { return ParseEnvelope(header).key; };
  BOOST_TEST(key(R"({"v":11,"k":"3f0c","c":"c","s":"s"})") == "3f0c");
  BOOST_TEST(key(R"({"v":11, "k" : "3f0c","c":"c","s":"s"})") == "3f0c");
  BOOST_TEST(key(R"({"v":11,"\u006b":"3f0c","c":"c","s":"s"})") == "");
  BOOST_TEST(key("{\"v\":11,\"k\"\t:\"3f0c\",\"c\":\"c\",\"s\":\"s\"}") == "");
  BOOST_TEST(key(R"({"\"k":"other","v":11,"k":"3f0c","c":"c","s":"s"})") == "");
  BOOST_TEST(key(R"({"v":11,"k":"3f0\u0063","c":"c","s":"s"})") == "");
}

BOOST_AUTO_TEST_CASE(rows_at_the_limits_are_accepted) {
  const auto card =
      ParseChunk(Chunk("cards", With(With(kCard, 0, "-9223372036854775808"), 15, "9223372036854775807")))
          .cards;
  BOOST_TEST(card.ids[0] == INT64_MIN);
  BOOST_TEST(card.original_deck_ids[0] == INT64_MAX);
  const auto numbers =
      ParseChunk(Chunk("cards", With(With(With(kCard, 4, "17.9"), 8, "1e300"), 9, "-5"))).cards;
  BOOST_TEST(numbers.mods[0] == 17);
  BOOST_TEST(numbers.dues[0] == INT32_MAX);
  BOOST_TEST(numbers.intervals[0] == 0);
  BOOST_TEST(ParseChunk(Chunk("notes", kNote)).notes.fields[0] == "x\x1fy");
  BOOST_TEST(ParseChunk(Chunk("revlog", With(kReview, 8, "77"))).revlog.types[0] == 0);
  BOOST_TEST(ParseChunk(Chunk("revlog", "1,2,3,3,-60,10,2500,900")).revlog.types[0] == 0);
  BOOST_TEST(ParseChunk("{\"chunk\":{}}").cards.ids.empty());
}

BOOST_AUTO_TEST_CASE(control_characters_are_removed_from_fields_and_nul_from_every_text) {
  const auto notes =
      ParseChunk(
          Chunk("notes", R"(1,"g\u0000",2,3,4,"\u0000t","a\u0000\u0001\tb\n\u001fc\u007f","","",0,"")"))
          .notes;
  BOOST_TEST(notes.fields[0] ==
             "a\tb\n\x1f"
             "c");
  BOOST_TEST(notes.guids[0] == "g");
  BOOST_TEST(notes.tags[0] == "t");
}

BOOST_AUTO_TEST_CASE(rows_with_wrong_types_or_out_of_range_are_refused) {
  const auto refused = [](const std::string& json) {
    BOOST_TEST_CONTEXT(json) BOOST_CHECK_EXCEPTION(ParseChunk(json), Error, IsBadJson);
  };
  for (const auto& [index, value] :
       std::vector<std::pair<std::size_t, const char*>>{{0, "1.0"},
                                                        {0, "\"1\""},
                                                        {0, "9223372036854775808"},
                                                        {3, "65536"},
                                                        {3, "-1"},
                                                        {4, "null"},
                                                        {5, "2147483648"},
                                                        {6, "4"},
                                                        {7, "5"},
                                                        {7, "-4"},
                                                        {10, "65536"},
                                                        {11, "-1"},
                                                        {12, "4294967296"},
                                                        {13, "1.5"},
                                                        {16, "256"},
                                                        {17, "1"}}) {
    refused(Chunk("cards", With(kCard, index, value)));
  }
  refused(Chunk("cards", kCard + ",1"));
  refused(Chunk("cards", kNote));
  refused(Chunk("notes", With(kNote, 6, "7")));
  refused(Chunk("notes", With(kNote, 1, "null")));
  refused(Chunk("revlog", With(kReview, 3, "256")));
  refused(Chunk("revlog", "1,2,3"));
  for (const char* json : {"", "null", "[]", "{}", "{\"chunk\":null}", "{\"chunk\":{\"cards\":{}}}",
                           "{\"chunk\":{\"done\":1}}", "{\"chunk\":{},\"chunk\":{}}", "{\"chunk\":{}} x",
                           "{\"chunk\":{\"notes\":[[1,\"\xff\",2,3,4,\"\",\"\",\"\",\"\",0,\"\"]]}}"}) {
    refused(json);
  }
}

BOOST_AUTO_TEST_CASE(the_private_text_says_where_a_message_is_malformed) {
  const auto told = [](const auto& parse, const std::string& json) -> std::string {
    try {
      parse(json);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  BOOST_TEST(told(ParseChunk, "{\"chunk\":{\"cards\":[[" + kCard + "],[" + With(kCard, 3, "-1") + "]]}}") ==
             "cards[1][3]: not an integer in range");
  BOOST_TEST(told(ParseChunk, Chunk("revlog", "1,2,3")) == "revlog[0]: too short");
  BOOST_TEST(told(ParseChunk, "{\"chunk\":{\"notes\":{}}}") == "notes: not a list");
  BOOST_TEST(told(ParseGraves, R"({"chunk":{"cards":[1,"x"],"notes":[],"decks":[]}})") ==
             "cards[1]: not an id");
  BOOST_TEST(told(ParseMeta, R"({"v":11})") == "message: missing key cv");
  BOOST_TEST(told(ParseChanges, ChangesOf("", R"({"id":1,"dyn":0})", "")) ==
             "decks[0][0]: key missing: name");
}

BOOST_AUTO_TEST_CASE(graves_are_numbers_or_strings_or_absent) {
  BOOST_TEST(ParseStart(R"({"minUsn":1,"lnewer":false})").graves.empty());
  BOOST_TEST(ParseStart(R"({"minUsn":1,"lnewer":false,"graves":null})").graves.empty());
  const auto graves =
      ParseStart(R"({"minUsn":1,"lnewer":true,"graves":{"cards":["7",8],"notes":["-9"],"decks":[]}})").graves;
  BOOST_TEST((graves.cards == std::vector<std::int64_t>{7, 8}));
  BOOST_TEST(graves.notes[0] == -9);
  for (const char* json : {R"({"minUsn":1})", R"({"minUsn":1,"lnewer":0})", R"({"minUsn":"1","lnewer":true})",
                           R"({"minUsn":1,"lnewer":true,"graves":{"cards":[]}})",
                           R"({"minUsn":1,"lnewer":true,"graves":{"cards":["x"],"notes":[],"decks":[]}})"}) {
    BOOST_CHECK_EXCEPTION(ParseStart(json), Error, IsBadJson);
  }
}

BOOST_AUTO_TEST_CASE(an_object_is_kept_unchanged) {
  const std::string deck =
      R"({ "id":"7", "name":"A::B" ,)" + kDeck + R"(,"x":[1.50,1e3,"\u00e9"],"big":12345678901234567890})";
  const Changes changes = ParseChanges(ChangesOf("", deck, ""));
  BOOST_REQUIRE(changes.decks.size() == 1);
  BOOST_TEST(changes.decks[0].id == 7);
  BOOST_TEST(changes.decks[0].json == deck);
  BOOST_TEST(Print(changes) == "{\"models\":[],\"decks\":[[" + deck + "],[]],\"tags\":[]}");
}

// Clients use the normalised name of a deck; two spellings of one name must not become two decks.
BOOST_AUTO_TEST_CASE(a_deck_has_its_normalised_name) {
  const Changes changes =
      ParseChanges(ChangesOf("", "{\"id\":7,\"name\":\" e\u0301 :: \"," + kDeck + "}", ""));
  BOOST_TEST(changes.decks[0].name == "\u00e9::blank");
}

// Other clients could not read such an object, and could not sync until it is removed.
BOOST_AUTO_TEST_CASE(an_object_that_clients_cannot_read_is_refused) {
  const auto refused = [](const std::string& json) {
    BOOST_TEST_CONTEXT(json) BOOST_CHECK_EXCEPTION(ParseChanges(json), Error, IsBadJson);
  };
  refused(ChangesOf("", R"({"id":7,"name":"A","mod":1,"usn":1})", ""));
  refused(ChangesOf("", R"({"id":7,"name":5,)" + kDeck + "}", ""));
  refused(ChangesOf("", R"({"id":7.5,"name":"A",)" + kDeck + "}", ""));
  refused(ChangesOf("", "7", ""));
  refused(ChangesOf(R"({"id":1,"name":"N","type":0,"mod":1,"usn":1,"flds":[],"tmpls":[]})", "", ""));
  refused(ChangesOf("", "", R"({"id":1,"name":"C","mod":1,"usn":1})"));
  refused(R"({"changes":{"models":[],"decks":[[]],"tags":[]}})");
  refused(R"({"changes":{"models":[],"decks":[[],[],[]],"tags":[]}})");
  refused(R"({"changes":{"models":[],"decks":[[],[]]}})");
  refused(R"({"changes":{"models":[],"decks":[[],[]],"tags":[1]}})");
  refused(R"({"changes":{"models":[],"decks":[[],[]],"tags":[],"conf":[]}})");
  refused(R"({"changes":{"models":[],"decks":[[],[]],"tags":[],"crt":1.5}})");
}

BOOST_AUTO_TEST_CASE(an_object_without_an_id_is_refused) {
  BOOST_CHECK_THROW(ParseChanges(ChangesOf("", R"({"id":0,"name":"A",)" + kDeck + "}", "")), Error);
  BOOST_CHECK_THROW(ParseChanges(ChangesOf("", R"({"id":"0","name":"A",)" + kDeck + "}", "")), Error);
}

BOOST_AUTO_TEST_CASE(of_a_duplicate_object_the_last_one_counts) {
  const auto deck = [](const char* name) {
    return "{\"id\":7,\"name\":\"" + std::string(name) + "\"," + kDeck + "}";
  };
  const Changes changes = ParseChanges(ChangesOf("", deck("A") + "," + deck("B"), ""));
  BOOST_REQUIRE(changes.decks.size() == 1);
  BOOST_TEST(changes.decks[0].name == "B");
}

BOOST_AUTO_TEST_CASE(six_counts_are_compared_and_the_reply_repeats_what_the_client_sent) {
  const SanityMessage message = ParseSanity(R"({"client":[[1,2,3],1200,800,9500,14,6,11,2]})");
  BOOST_TEST((message.counts == CollectionCounts{1200, 800, 9500, 6, 11, 2}));
  BOOST_TEST(SanityReply(false, message.client_json, {1, 2, 3, 4, 5, 6}) ==
             R"({"status":"bad","c":[[1,2,3],1200,800,9500,14,6,11,2],"s":[[0,0,0],1,2,3,0,4,5,6]})");
  for (const char* json :
       {R"({"client":[]})", R"({"client":[[0,0,0],1,1,1,1,1,1]})", R"({"client":[0,1,1,1,1,1,1,1]})",
        R"({"client":[[0,0,0],-1,1,1,1,1,1,1]})", R"({"client":[[0,0,0],1.0,1,1,1,1,1,1]})"}) {
    BOOST_CHECK_EXCEPTION(ParseSanity(json), Error, IsBadJson);
  }
}

BOOST_AUTO_TEST_CASE(members_are_replaced_in_place_and_added_at_the_end) {
  BOOST_TEST(WithMembers(R"({"a": 1 , "b":{"a":2}})", {{"a", "9"}}) == R"({"a": 9 , "b":{"a":2}})");
  BOOST_TEST(WithMembers("{}", {{"a", "9"}, {"b", "8"}}) == R"({"a":9,"b":8})");
  BOOST_TEST(WithMembers(R"({"x":"}"})", {{"a", "9"}}) == R"({"x":"}","a":9})");
}

BOOST_AUTO_TEST_CASE(numbers_in_an_answer_are_exact) {
  ChunkPrinter chunk;
  Card card{};
  card.id = INT64_MIN;
  card.data = "{\"a\":\"\n\x01\"}";
  chunk.Add(card);
  BOOST_TEST(
      chunk.Finish(true) ==
      R"({"done":true,"cards":[[-9223372036854775808,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"{\"a\":\"\n\u0001\"}"]]})");
}

BOOST_AUTO_TEST_CASE(names_of_all_objects_together_are_bounded) {
  const auto decks = [](int count, std::size_t size) {
    std::string list;
    for (int n = 1; n <= count; ++n) {
      list += (n > 1 ? "," : "") + ("{\"id\":" + std::to_string(n)) + ",\"name\":\"" +
              std::string(size, 'a') + "\"," + kDeck + "}";
    }
    return ChangesOf("", list, "");
  };
  BOOST_TEST(ParseChanges(decks(10, 100'000)).decks.size() == 10u);
  BOOST_CHECK_EXCEPTION(ParseChanges(decks(50, 100'000)), Error, IsBadJson);
}
