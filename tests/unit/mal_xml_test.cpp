// handlers/anime/mal_xml_wire, xml_repair_wire, list_import_rules: lists as MyAnimeList exports and imports them.
#include "handlers/anime/mal_xml_wire.h"

#define ZLIB_CONST
#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "handlers/anime/list_import_rules.h"
#include "handlers/anime/xml_repair_wire.h"
#include "handlers/base/detail_errors.h"
#include "tests/support/inputs.h"

using namespace syncline;
using namespace syncline::anime;
using tests::PieceBody;

namespace {

using What = Imported::What;

std::vector<MalEntry> Read(const std::string& file, std::size_t piece = 1 << 20, MalLimits limits = {}) {
  PieceBody body(file, piece);
  std::vector<MalEntry> entries;
  const std::int64_t count = ReadMalXml(
      body, [&](MalEntry&& entry) { entries.push_back(std::move(entry)); }, limits);
  BOOST_TEST(count == static_cast<std::int64_t>(entries.size()));
  return entries;
}

std::string CodeOf(const std::string& file, MalLimits limits = {}) {
  return tests::CodeOf([&] { Read(file, 1 << 20, limits); });
}

std::string File(const std::string& entries) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<!-- from - - somewhere & else "
         "-->\n<myanimelist><myinfo>"
         "<user_export_type>1</user_export_type></myinfo>" +
         entries + "</myanimelist>";
}

// An `anime` with an id, a title and a status, unless `fields` has others.
std::string Anime(const std::string& fields) {
  std::string out = "<anime>";
  for (const auto& [name, value] : {std::pair("series_animedb_id", "7"), std::pair("series_title", "A title"),
                                    std::pair("my_status", "Watching")}) {
    if (fields.find(name) == std::string::npos) {
      out += std::string("<") + name + ">" + value + "</" + name + ">";
    }
  }
  return out + fields + "</anime>";
}

MalEntry One(const std::string& fields) {
  const auto entries = Read(File(Anime(fields)));
  BOOST_REQUIRE(entries.size() == 1);
  return entries[0];
}

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 100, '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Repaired(const std::string& text, std::size_t piece = 1000) {
  XmlRepair repair;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece)
    out += repair.Take(std::string_view(text).substr(at, piece));
  return out + repair.Finish();
}

bool IsSame(const MalEntry& a, const MalEntry& b) {
  return a.mal_id == b.mal_id && a.title == b.title && a.type == b.type && a.episodes == b.episodes &&
         a.status == b.status && a.score == b.score && a.progress == b.progress &&
         a.started_on == b.started_on && a.finished_on == b.finished_on && a.rewatches == b.rewatches &&
         a.rewatching == b.rewatching && a.notes == b.notes && a.priority == b.priority && a.tags == b.tags &&
         a.failure == b.failure && a.problems == b.problems;
}

class Random {
 public:
  explicit Random(unsigned seed) : random_(seed) {}
  std::int64_t Below(std::int64_t end) {
    return static_cast<std::int64_t>(random_() % static_cast<unsigned>(end));
  }
  bool Coin() { return Below(2) == 0; }
  std::string Text(std::int64_t longest) {
    static const std::string kPieces[] = {"a",
                                          "B",
                                          " ",
                                          "  ",
                                          "&",
                                          "<",
                                          ">",
                                          "]]>",
                                          "]]",
                                          "\n",
                                          "\r",
                                          "\r\n",
                                          ",",
                                          ", ",
                                          "&amp;",
                                          "\"",
                                          "\x01",
                                          "\x7f",
                                          "<b>",
                                          "<!--",
                                          "-->",
                                          "?>",
                                          "<![CDATA[",
                                          "\xc3\xa9",
                                          "\xf0\x9f\x8e\x8f",
                                          "\xef\xbf\xbe",
                                          "\xe6\x97\xa5",
                                          "&#0;",
                                          "\t"};
    std::string text;
    for (std::int64_t left = Below(longest + 1); left > 0; --left)
      text += kPieces[Below(static_cast<std::int64_t>(std::size(kPieces)))];
    return text;
  }
  std::string Day() {
    return std::to_string(2000 + Below(30)) + "-0" + std::to_string(1 + Below(9)) + "-" +
           std::to_string(10 + Below(19));
  }
  EntryFields Fields() {
    EntryFields fields;
    fields.status = kWatchStatuses[Below(5)];
    if (Coin()) fields.score = static_cast<double>(Below(101)) / 10;
    if (Coin()) fields.progress = Below(40);
    if (Coin()) fields.started_on = Day();
    if (Coin()) fields.finished_on = Day();
    if (fields.started_on && fields.finished_on && *fields.finished_on < *fields.started_on)
      std::swap(*fields.started_on, *fields.finished_on);
    fields.rewatches = Below(4) == 0 ? 250 + Below(10) : Below(3);
    fields.rewatching = Coin();
    if (Coin()) fields.notes = Text(20);
    fields.priority = Below(3);
    for (std::int64_t left = Below(5); left > 0; --left) fields.tags.push_back(Text(6));
    fields.is_private = Coin();
    return fields;
  }

 private:
  std::mt19937 random_;
};

std::string Exported(const EntryFields& fields, std::int64_t mal_id, const std::string& title) {
  MalEntry entry = AsMal(fields);
  entry.mal_id = mal_id;
  entry.title = MalText(title);
  return MalXmlEntry(entry);
}

EntryFields Stored() {
  EntryFields fields;
  fields.status = "completed";
  fields.score = 7.5;
  fields.progress = 12;
  fields.started_on = "2020-01-01";
  fields.finished_on = "2020-02-01";
  fields.rewatches = 2;
  fields.notes = "good";
  fields.priority = 1;
  fields.tags = {"a", "b"};
  return fields;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_entry_says_what_its_elements_say) {
  const MalEntry entry =
      One("<series_animedb_id>90321</series_animedb_id><series_title><![CDATA[Harbour & "
          "<Cranes>]]></series_title>"
          "<series_type>TV</series_type><series_episodes>12</series_episodes><my_id>0</my_id>"
          "<my_watched_episodes>3</my_watched_episodes><my_start_date>2019-04-06</my_start_date>"
          "<my_finish_date>0000-00-00</my_finish_date><my_score>8</my_score><my_status>On-Hold</my_status>"
          "<my_comments><![CDATA[ a\nb ]]></my_comments><my_times_watched>2</my_times_watched>"
          "<my_priority>MEDIUM</my_priority><my_tags><![CDATA[slow, sad,,slow ]]></my_tags>"
          "<my_rewatching>1</my_rewatching><update_on_import>0</update_on_import>");
  BOOST_TEST((entry.mal_id == 90321));
  BOOST_TEST(entry.title == "Harbour & <Cranes>");
  BOOST_TEST((entry.type == "TV" && entry.episodes == 12));
  BOOST_TEST((entry.status == "on_hold" && entry.score == 8 && entry.progress == 3));
  BOOST_TEST((entry.started_on == "2019-04-06" && entry.finished_on == ""));
  BOOST_TEST((entry.rewatches == 2 && entry.rewatching == true && entry.priority == 1));
  BOOST_TEST((entry.notes == "a\nb"));
  BOOST_TEST((entry.tags == std::vector<std::string>{"slow", "sad"}));
  BOOST_TEST((!entry.failure && entry.problems.empty()));
  BOOST_TEST(entry.position == 1);
}

BOOST_AUTO_TEST_CASE(what_a_file_does_not_say_is_not_made_up) {
  const MalEntry entry = One("<my_score></my_score>");
  BOOST_TEST((!entry.score && !entry.progress && !entry.notes && !entry.tags && !entry.started_on &&
              !entry.rewatches && !entry.rewatching && !entry.priority && !entry.type && !entry.episodes));
}

BOOST_AUTO_TEST_CASE(statuses_are_words_in_any_spelling_or_the_old_numbers) {
  const std::pair<const char*, const char*> kCases[] = {{"Watching", "watching"},
                                                        {"1", "watching"},
                                                        {"Completed", "completed"},
                                                        {"2", "completed"},
                                                        {"On-Hold", "on_hold"},
                                                        {"3", "on_hold"},
                                                        {"on hold", "on_hold"},
                                                        {"Dropped", "dropped"},
                                                        {"4", "dropped"},
                                                        {"6", "plan_to_watch"},
                                                        {"Plan to Watch", "plan_to_watch"},
                                                        {"plantowatch", "plan_to_watch"},
                                                        {"Rewatching", "completed"}};
  for (const auto& [said, meant] : kCases) {
    const MalEntry entry = One("<my_status>" + std::string(said) + "</my_status>");
    BOOST_TEST((entry.status == meant), said);
    BOOST_TEST(
        (entry.rewatching == (std::string(said) == "Rewatching" ? std::optional(true) : std::nullopt)));
  }
}

BOOST_AUTO_TEST_CASE(entries_without_a_usable_id_or_status_fail_with_their_title_and_the_others_do_not) {
  const auto entries = Read(File(
      Anime("<series_animedb_id>0</series_animedb_id>") +
      Anime("<series_animedb_id>abc</series_animedb_id>") + Anime("<series_animedb_id></series_animedb_id>") +
      Anime("<series_animedb_id>2147483648</series_animedb_id>") + Anime("<my_status></my_status>") +
      Anime("<my_status>5</my_status>") + Anime("")));
  BOOST_REQUIRE(entries.size() == 7);
  for (int i = 0; i < 6; ++i) {
    BOOST_TEST(entries[i].failure.has_value());
    BOOST_TEST(entries[i].title == "A title");
    BOOST_TEST(entries[i].position == i + 1);
  }
  BOOST_TEST(!entries[6].failure);
}

BOOST_AUTO_TEST_CASE(a_bad_value_costs_the_value_and_a_warning) {
  const std::pair<const char*, const char*> kCases[] = {{"my_start_date", "2019-00-00"},
                                                        {"my_start_date", "2019-02-30"},
                                                        {"my_start_date", "03-29-19"},
                                                        {"my_start_date",
                                                         "2019-04-06 "
                                                         "x"},
                                                        {"my_start_date", "-019-04-06"},
                                                        {"my_score", "11"},
                                                        {"my_score", "nan"},
                                                        {"my_score", "good"},
                                                        {"my_watched_episodes", "-1"},
                                                        {"my_watched_episodes", "99999999999999999999"},
                                                        {"my_times_watched", "1001"},
                                                        {"my_priority", "urgent"},
                                                        {"my_rewatching", "2"}};
  for (const auto& [field, value] : kCases) {
    const std::string name = field;
    const MalEntry entry = One("<" + name + ">" + value + "</" + name + ">");
    BOOST_TEST(!entry.failure);
    BOOST_REQUIRE_MESSAGE(entry.problems.size() == 1, name << " " << value);
    BOOST_TEST(entry.problems[0].field == name);
    BOOST_TEST((!entry.started_on && !entry.score && !entry.progress && !entry.rewatches && !entry.priority &&
                !entry.rewatching));
  }
  BOOST_TEST(One("<my_start_date>2019-04-00</my_start_date>").problems.at(0).reason == "an incomplete date");
  BOOST_TEST(!One("<my_start_date>1899-01-01</my_start_date>").started_on);
  const MalEntry reversed =
      One("<my_start_date>2019-05-04</my_start_date><my_finish_date>2019-05-03</my_finish_date>");
  BOOST_TEST((reversed.started_on == "2019-05-04" && !reversed.finished_on));
  BOOST_TEST(reversed.problems.size() == 1U);
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut_at_whole_characters) {
  std::string notes, tags;
  for (int i = 0; i < 6000; ++i) notes += "\xc3\xa9";
  for (int i = 0; i < 40; ++i) tags += "tag" + std::to_string(i) + std::string(60, 'x') + ",";
  const MalEntry entry = One("<my_comments>" + notes + "</my_comments><my_tags>" + tags +
                             "</my_tags><series_title>" + std::string(100'000, 'a') + "</series_title>");
  BOOST_TEST(entry.notes->size() == 10'000U);
  BOOST_TEST(entry.tags->size() == 32U);
  for (const std::string& tag : *entry.tags) BOOST_TEST(tag.size() == 50U);
  BOOST_TEST(entry.problems.size() == 2U);
  BOOST_TEST(entry.title.size() == 1000U);
}

BOOST_AUTO_TEST_CASE(files_are_read_alike_however_they_arrive) {
  const std::string file =
      File(Anime("<my_comments><![CDATA[a & b ]] > \xc3\xa9 <i>]]></my_comments>") +
           Anime("<my_comments>Tom & Jerry &amp; &nbsp; &#65; \xf0\x9f\x8e\x8f</my_comments>"));
  for (const std::string& form : {file, "\xef\xbb\xbf" + file, Gzip(file)}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
      const auto entries = Read(form, piece);
      BOOST_REQUIRE(entries.size() == 2);
      BOOST_TEST((entries[0].notes == "a & b ]] > \xc3\xa9 <i>"));
      BOOST_TEST((entries[1].notes == "Tom & Jerry & &nbsp; A \xf0\x9f\x8e\x8f"));
    }
  }
}

BOOST_AUTO_TEST_CASE(broken_texts_are_repaired) {
  BOOST_TEST(Repaired("<a>x & y &amp; &#38; &#x26; &lt; &nbsp; &#0; &#x110000; &;</a>") ==
             "<a>x &amp; y &amp; &#38; &#x26; &lt; &amp;nbsp; &amp;#0; &amp;#x110000; &amp;;</a>");
  BOOST_TEST(Repaired("<![CDATA[a & b]]> & <!-- & --> & <?x & ?> &") ==
             "<![CDATA[a & b]]> &amp; <!-- & --> &amp; <?x & ?> &amp;");
  BOOST_TEST(Repaired("<a b=\"x&y\">") == "<a b=\"x&amp;y\">");
  BOOST_TEST(Repaired("I <3 this ]]> <") == "I &lt;3 this ]]&gt; &lt;");
  BOOST_TEST(Repaired("a\xff\x62\xc3") ==
             "a\xef\xbf\xbd"
             "b\xef\xbf\xbd");
  BOOST_TEST(Repaired(std::string("a\0b\x01\t\n\x1f\xef\xbf\xbf", 10)) == "ab\t\n");
  for (const std::size_t piece : {1, 2, 3, 9, 17}) {
    const std::string text =
        "<a>x & y &nbsp; <![CDATA[ ]] & ]]> <!-- -- & --> \xf0\x9f\x8e\x8f \xf0\x9f <3</a>";
    BOOST_TEST(Repaired(text, piece) == Repaired(text));
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_list_of_anime_is_refused) {
  for (const char* text :
       {"", "hello", "<myanimelist>", "<myanimelist><anime></myanimelist>", "{\"a\": 1}",
        "<myanimelist></myanimelist><more/>", "<myanimelist><anime></b></anime></myanimelist>"})
    BOOST_TEST(CodeOf(text) == "list_not_xml", text);
  BOOST_TEST(CodeOf("<html><body/></html>") == "not_an_anime_list");
  BOOST_TEST(CodeOf("<myanimelist><manga></manga></myanimelist>") == "manga_list");
  BOOST_TEST(CodeOf("<myanimelist><myinfo><user_export_type>2</user_export_type></myinfo></myanimelist>") ==
             "manga_list");
  BOOST_TEST(CodeOf("\x1f\x8b hello") == "bad_gzip");
  BOOST_TEST(CodeOf(Gzip(File("")).substr(0, 60)) == "bad_gzip");
  BOOST_TEST(CodeOf("<myanimelist/>") == "");
}

BOOST_AUTO_TEST_CASE(the_line_of_an_error_is_told) {
  try {
    Read("<myanimelist>\n\n</other>");
    BOOST_FAIL("accepted");
  } catch (const ErrorAbout& error) {
    BOOST_TEST(error.subject() == "3");
  }
}

BOOST_AUTO_TEST_CASE(a_document_type_ends_the_reading_before_its_entities_are_seen) {
  std::string bomb = "<?xml version=\"1.0\"?><!DOCTYPE myanimelist [<!ENTITY a \"aaaaaaaaaa\">";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string before = "&" + std::string(1, static_cast<char>(c - 1)) + ";";
    bomb += "<!ENTITY " + std::string(1, c) + " \"";
    for (int i = 0; i < 10; ++i) bomb += before;
    bomb += "\">";
  }
  BOOST_TEST(CodeOf(bomb + "]><myanimelist><anime><my_comments>&j;</my_comments></anime></myanimelist>") ==
             "list_has_dtd");
  BOOST_TEST(CodeOf("<!DOCTYPE myanimelist SYSTEM \"file:///etc/passwd\"><myanimelist/>") == "list_has_dtd");
  BOOST_TEST((One("<my_comments>&x;</my_comments>").notes == "&x;"));
}

BOOST_AUTO_TEST_CASE(everything_is_bounded) {
  const std::string file = File(Anime("") + Anime("") + Anime(""));
  BOOST_TEST(CodeOf(file, {.entries = 3}) == "");
  BOOST_TEST(CodeOf(file, {.entries = 2}) == "list_too_long");
  BOOST_TEST(CodeOf(file, {.bytes = file.size()}) == "");
  BOOST_TEST(CodeOf(file, {.bytes = file.size() - 1}) == "list_too_large");
  BOOST_TEST(CodeOf(Gzip(file), {.bytes = file.size()}) == "");
  BOOST_TEST(CodeOf(Gzip(file), {.bytes = file.size() - 1}) == "list_too_large");
  BOOST_TEST(CodeOf(Gzip(File(std::string(100 << 20, ' ')))) == "list_too_large");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  BOOST_TEST(CodeOf("<myanimelist>" + deep) == "list_too_deep");
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "<f" + std::to_string(i) + ">x</f" + std::to_string(i) + ">";
  BOOST_TEST((One(many).status == "watching"));
}

// The parser's time for a tag grows with the square of its attributes, and it holds a whole tag, comment or instruction.
BOOST_AUTO_TEST_CASE(markup_that_no_list_needs_is_refused_before_the_parser_sees_it) {
  std::string attributes;
  for (int i = 0; i < 40'000; ++i) attributes += " a" + std::to_string(i) + "=''";
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string& file :
       {"<myanimelist" + attributes + "/>", "<myanimelist><anime" + attributes,
        "<myanimelist><x y='" + std::string(5'000, '>') + "'/></myanimelist>",
        "<myanimelist>" + std::string(5'000, '<') + "b" + std::string(5'000, 'b') + "></myanimelist>",
        "<myanimelist></myanimelist" + std::string(5'000, ' ') + ">",
        "<?xml version='1.0'" + std::string(5'000, ' ') + "?><myanimelist/>",
        "<!DOCTYPE myanimelist [" + std::string(5'000, ' ') + "]><myanimelist/>",
        "<!--" + std::string(70'000, ' ') + "--><myanimelist/>"}) {
    BOOST_TEST(CodeOf(file) == "list_markup_too_long", file.substr(0, 30));
    BOOST_TEST(tests::CodeOf([&] { Read(file, 1'000); }) == "list_markup_too_long", file.substr(0, 30));
  }
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
  // What fits is read.
  BOOST_TEST(CodeOf("<!--" + std::string(60'000, ' ') + "--><myanimelist a='" + std::string(900, 'x') +
                    "'/>") == "");
  // A long text is cut; it is no tag.
  BOOST_TEST(One("<my_comments><![CDATA[" + std::string(300'000, 'x') + "]]></my_comments>").notes->size() ==
             5'000U);
  BOOST_TEST(One("<my_comments>" + std::string(300'000, 'x') + "</my_comments>").notes->size() == 5'000U);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_as_it_was) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    MalEntry entry = AsMal(random.Fields());
    entry.mal_id = 1 + random.Below(1'000'000);
    entry.title = MalText(random.Text(10));
    if (random.Coin()) entry.episodes = 1 + random.Below(50);
    if (random.Coin()) entry.type = "TV";
    const auto read = Read(MalXmlHead(1, {}) + MalXmlEntry(entry) + std::string(kMalXmlEnd));
    BOOST_REQUIRE(read.size() == 1);
    BOOST_REQUIRE_MESSAGE(IsSame(read[0], entry), MalXmlEntry(entry));
  }
}

BOOST_AUTO_TEST_CASE(texts_are_written_as_xml_can_hold_them) {
  BOOST_TEST(MalText(" a\r\nb\rc\x01 \xff\n") == "a\nb\nc \xef\xbf\xbd");
  BOOST_TEST((MalTags({"a, b", " c ", ",", "a"}) == std::vector<std::string>{"a", "b", "c"}));
}

BOOST_AUTO_TEST_CASE(an_export_changes_nothing_when_it_is_imported) {
  Random random(2);
  for (int i = 0; i < 2000; ++i) {
    const EntryFields fields = random.Fields();
    const std::string file = MalXmlHead(1, {}) + Exported(fields, 7, "a") + std::string(kMalXmlEnd);
    for (const auto strategy : {ImportStrategy::kKeep, ImportStrategy::kNewer, ImportStrategy::kOverwrite}) {
      const Imported result = Import(fields, Read(file).at(0), strategy);
      BOOST_REQUIRE((result.what == What::kUnchanged));
      BOOST_REQUIRE(result.problems.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_second_import_of_a_file_changes_nothing) {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    MalEntry file = AsMal(random.Fields());
    if (random.Coin()) file.finished_on.reset();
    if (random.Coin()) file.started_on.reset();
    for (const auto strategy : {ImportStrategy::kNewer, ImportStrategy::kOverwrite}) {
      const std::optional<EntryFields> stored = random.Coin() ? std::optional(random.Fields()) : std::nullopt;
      const EntryFields first = Import(stored, file, strategy).fields;
      const Imported second = Import(first, file, strategy);
      BOOST_REQUIRE((second.what == What::kUnchanged));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_new_entry_is_what_the_file_says) {
  const Imported result =
      Import(std::nullopt,
             One("<my_status>Completed</my_status><my_watched_episodes>0</my_watched_episodes>"
                 "<my_rewatching>1</my_rewatching><my_times_watched>255</my_times_watched>"
                 "<my_score>0</my_score>"),
             ImportStrategy::kNewer);
  BOOST_TEST((result.what == What::kAdded));
  BOOST_TEST(result.fields.status == "completed");
  BOOST_TEST((result.fields.progress == 0 && !result.fields.score && result.fields.rewatching));
  BOOST_TEST(result.fields.rewatches == 0);
  BOOST_TEST(result.problems.size() == 1U);
}

BOOST_AUTO_TEST_CASE(keep_keeps_what_is_there_and_says_so) {
  MalEntry file = AsMal(Stored());
  file.progress = 3;
  const Imported result = Import(Stored(), file, ImportStrategy::kKeep);
  BOOST_TEST((result.what == What::kKept));
  BOOST_TEST((result.fields == Stored()));
}

BOOST_AUTO_TEST_CASE(newer_never_lowers_goes_back_or_unsets) {
  MalEntry file;
  file.status = "watching";
  file.score = 0;
  file.progress = 3;
  file.started_on = file.finished_on = file.notes = "";
  file.rewatches = 1;
  file.rewatching = false;
  file.priority = 0;
  file.tags = std::vector<std::string>();
  EntryFields rewatching = Stored();
  rewatching.rewatching = true;
  for (const EntryFields& stored : {Stored(), rewatching}) {
    BOOST_TEST((Import(stored, file, ImportStrategy::kNewer).what == What::kUnchanged));
  }
  file = {};
  file.status = "dropped";
  file.progress = 13;
  file.score = 9;
  file.rewatches = 3;
  file.rewatching = false;
  file.notes = "better";
  file.tags = std::vector<std::string>{"c"};
  file.priority = 2;
  file.finished_on = "2021-01-01";
  const EntryFields newer = Import(rewatching, file, ImportStrategy::kNewer).fields;
  BOOST_TEST(
      (newer.status == "completed" && newer.progress == 13 && newer.score == 9 && newer.rewatches == 3));
  BOOST_TEST((!newer.rewatching && newer.notes == "better" && newer.tags.size() == 1 && newer.priority == 2));
  BOOST_TEST((newer.finished_on == "2021-01-01" && newer.started_on == "2020-01-01"));
}

BOOST_AUTO_TEST_CASE(overwrite_takes_all_that_the_file_says_and_leaves_the_rest) {
  MalEntry file;
  file.status = "watching";
  file.score = 0;
  file.progress = 3;
  file.notes = "";
  EntryFields stored = Stored();
  stored.is_private = true;
  const EntryFields fields = Import(stored, file, ImportStrategy::kOverwrite).fields;
  BOOST_TEST((fields.status == "watching" && !fields.score && fields.progress == 3 && !fields.notes));
  BOOST_TEST((fields.rewatches == 2 && fields.started_on == "2020-01-01" && fields.tags.size() == 2 &&
              fields.is_private));
}

BOOST_AUTO_TEST_CASE(a_whole_score_leaves_the_stored_one_that_rounds_to_it) {
  for (const auto strategy : {ImportStrategy::kNewer, ImportStrategy::kOverwrite}) {
    MalEntry file = AsMal(Stored());
    BOOST_TEST((file.score == 8));
    BOOST_TEST((Import(Stored(), file, strategy).fields.score == 7.5));
    file.score = 7;
    BOOST_TEST((Import(Stored(), file, strategy).fields.score == 7));
  }
}

BOOST_AUTO_TEST_CASE(dates_that_contradict_the_list_are_not_taken) {
  EntryFields stored = Stored();
  MalEntry file;
  file.started_on = "2020-03-01";
  const Imported result = Import(stored, file, ImportStrategy::kOverwrite);
  BOOST_TEST((result.fields == stored));
  BOOST_TEST(result.problems.size() == 1U);
}
