// sfld and csum. The expected values come from a real client.
#include <boost/test/unit_test.hpp>
#include <string>

#include "handlers/anki/file/field_text_wire.h"
#include "tests/support/linear_time.h"

using namespace syncline::anki;

BOOST_AUTO_TEST_CASE(tags_are_removed_and_text_is_kept) {
  BOOST_TEST(StripHtml("plain") == "plain");
  BOOST_TEST(StripHtml("") == "");
  BOOST_TEST(StripHtml("<b>bold</b> and <I>it</I>") == "bold and it");
  BOOST_TEST(StripHtml("a<br>b") == "ab");
  BOOST_TEST(StripHtml("line\n<b\n>x</b\n>") == "line\nx");
  BOOST_TEST(StripHtml("a < b") == "a < b");
  BOOST_TEST(StripHtml("a < b > c") == "a  c");
  BOOST_TEST(StripHtml("<>") == "");
  BOOST_TEST(StripHtml("<") == "<");
}

BOOST_AUTO_TEST_CASE(comments_styles_and_scripts_are_removed_with_their_content) {
  BOOST_TEST(StripHtml("<!-- a > b -->x") == "x");
  BOOST_TEST(StripHtml("<STYLE a=b>p{}</StYle>y") == "y");
  BOOST_TEST(StripHtml("<script>if (1<2) {}</script>z") == "z");
  BOOST_TEST(StripHtml("<style>unclosed") == "unclosed");
  BOOST_TEST(StripHtml("<!-- unclosed") == "<!-- unclosed");
}

BOOST_AUTO_TEST_CASE(media_tags_are_replaced_by_their_file_name) {
  BOOST_TEST(StripHtml("<img src=\"a b.jpg\">") == " a b.jpg ");
  BOOST_TEST(StripHtml("<IMG SRC='q.png' alt=x>") == " q.png ");
  BOOST_TEST(StripHtml("<img src=plain.gif class=x>") == " plain.gif ");
  BOOST_TEST(StripHtml("<object data=\"o.swf\"></object>") == " o.swf ");
  BOOST_TEST(StripHtml("<video><source src=v.webm></video>") == " v.webm ");
  BOOST_TEST(StripHtml("<img class=\"x>y\" src=\"in.png\">") == " in.png ");
  BOOST_TEST(StripHtml("<imgx src=a.png>") == "");
  BOOST_TEST(StripHtml("<img>") == "");
  BOOST_TEST(StripHtml("<img src=\"a&amp;b.jpg\">") == " a&b.jpg ");
  // Peculiarities of upstream's regular expression.
  BOOST_TEST(StripHtml("<img data-src=\"d.png\">") == " d.png ");
  BOOST_TEST(StripHtml("<img src= x>") == "  x ");
  BOOST_TEST(StripHtml("<img src=\"\">") == " \"\" ");
}

BOOST_AUTO_TEST_CASE(entities_are_decoded_all_or_none) {
  BOOST_TEST(StripHtml("a&amp;b&lt;c&gt;&#65;&#x42;&hearts;") == "a&b<c>AB\u2665");
  BOOST_TEST(StripHtml("a &amp; b & c") == "a &amp; b & c");
  BOOST_TEST(StripHtml("&apos;&amp;") == "&apos;&amp;");
  BOOST_TEST(StripHtml("&#xD800;&amp;") == "&#xD800;&amp;");
  BOOST_TEST(StripHtml("&;&amp;") == "&;&amp;");
  BOOST_TEST(StripHtml("&#x;&amp;") == "&#x;&amp;");
  BOOST_TEST(StripHtml("&#99999999999;") == "&#99999999999;");
}

BOOST_AUTO_TEST_CASE(hard_spaces_become_spaces_only_where_entities_are_decoded) {
  BOOST_TEST(StripHtml("a&nbsp;b\u00A0c") == "a b c");
  BOOST_TEST(StripHtml("a\u00A0b") == "a\u00A0b");
}

BOOST_AUTO_TEST_CASE(the_checksum_is_that_of_clients) {
  BOOST_TEST(FieldChecksum("") == 0xDA39A3EEu);
  BOOST_TEST(FieldChecksum("abc") == 0xA9993E36u);
}

BOOST_AUTO_TEST_CASE(fields_are_found_by_position) {
  BOOST_TEST(FieldAt("a\x1f"
                     "b\x1f",
                     0) == "a");
  BOOST_TEST(FieldAt("a\x1f"
                     "b\x1f",
                     1) == "b");
  BOOST_TEST(FieldAt("a\x1f"
                     "b\x1f",
                     2) == "");
  BOOST_TEST(FieldAt("a\x1f"
                     "b\x1f",
                     9) == "");
}

BOOST_AUTO_TEST_CASE(the_time_is_linear_in_the_length) {
  // Each of these makes a backtracking matcher start over at every tag.
  for (const std::string part :
       {"<img ", "<img src=\"", "<img '\"", "<!-- ", "<style>", "<script x", "<img a\"", "&"}) {
    BOOST_TEST(syncline::tests::IsLinear(100'000,
                                         [&](std::size_t size) {
                                           std::string text;
                                           while (text.size() < size) text += part;
                                           StripHtml(text);
                                           StripHtml(text + ">");
                                         }),
               part);
  }
}

BOOST_AUTO_TEST_CASE(references_to_media_are_renamed_wherever_they_stand) {
  std::vector<std::string> seen;
  const auto rename = [&](const std::string& name) -> std::optional<std::string> {
    seen.push_back(name);
    if (name == "a.png") return "b.png";
    if (name == "R&D.jpg") return "x & \"y\".jpg";
    return std::nullopt;
  };
  BOOST_TEST(ReplaceMediaReferences("<img src='a.png'> a.png [sound:a.png][sound:c.mp3]", rename) ==
             "<img src='b.png'> a.png [sound:b.png][sound:c.mp3]");
  BOOST_TEST(ReplaceMediaReferences("[sound:R&amp;D.jpg]", rename) == "[sound:x &amp; &quot;y&quot;.jpg]");
  BOOST_TEST(ReplaceMediaReferences("<img src=a.png alt=\"a.png\">", rename) ==
             "<img src=b.png alt=\"b.png\">");
  BOOST_TEST(ReplaceMediaReferences("[sound:]x] [sound:", rename) == "[sound:]x] [sound:");
  BOOST_TEST(ReplaceMediaReferences("<b>plain</b>", rename) == "<b>plain</b>");
  const std::vector<std::string> expected{"a.png", "a.png", "c.mp3", "R&D.jpg", "a.png", "]x"};
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

// As upstream's own test (rslib/src/latex.rs).
BOOST_AUTO_TEST_CASE(pictures_of_latex_are_named_by_its_text) {
  const std::vector<std::string> images = LatexImages("a[latex]one<br>and<div>two[/latex]b [latex]open");
  BOOST_REQUIRE_EQUAL(images.size(), 1u);
  BOOST_TEST(images[0] == "latex-ef30b3f4141c33a5bf7044b0d1961d3399c05d50");
  BOOST_TEST(LatexImages("[$]x[/$] [$$]y[/$$]").size() == 2u);
}

BOOST_AUTO_TEST_CASE(latex_that_is_never_closed_takes_linear_time) {
  std::string open;
  for (int i = 0; i < 300'000; ++i) open += "[latex][$][$$]";
  BOOST_TEST(LatexImages(open).empty());
  BOOST_TEST(LatexImages("[$]a[/$] [$$]b [$]c[/$]").size() == 2u);
}
