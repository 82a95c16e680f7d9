// What an administrator reads about reports.
#include <boost/test/unit_test.hpp>
#include <string>

#include "handlers/anki/collection/problem_rules.h"

using namespace syncline::anki;

namespace {

ProblemText Of(const std::string& kind, const std::string& details) {
  Problem problem;
  problem.kind = kind;
  problem.details = details;
  return Explain(problem);
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_report_says_what_happened_and_what_to_do) {
  const ProblemText sanity = Of("sanity", R"({"differ":["cards","notes"],"client":{}})");
  BOOST_TEST(Has(sanity.what, "different numbers of cards, notes."));
  BOOST_TEST(Has(sanity.advice, "Check Database"));
  const ProblemText upload =
      Of("upload", R"({"adjusted":{"cards.type":{"count":1},"notes.guid":{"count":2}}})");
  BOOST_TEST(Has(upload.what, "cards.type, notes.guid."));
  const ProblemText refused = Of("refused", R"({"request":"uploadChanges","code":"bad_media_name"})");
  BOOST_TEST(Has(refused.what, "refused the call uploadChanges (bad_media_name). A media file"));
  BOOST_TEST(Has(refused.advice, "rename this file"));
}

BOOST_AUTO_TEST_CASE(a_report_of_an_unknown_kind_of_refusal_still_reads) {
  const ProblemText text = Of("refused", R"({"request":"start","code":"something_new"})");
  BOOST_TEST(text.what == "The server refused the call start (something_new).");
  BOOST_TEST(!text.advice.empty());
  BOOST_TEST(!Of("refused", "{}").what.empty());
}
