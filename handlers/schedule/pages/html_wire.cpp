#include "handlers/schedule/pages/html_wire.h"

#include <iconv.h>
#include <libxml/HTMLparser.h>
#include <libxml/uri.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "handlers/base/header_values.h"
#include "handlers/base/utf8.h"
#include "handlers/schedule/lessons/name_rules.h"

namespace syncline::schedule {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// Where browsers look for a <meta> with a charset.
constexpr std::size_t kMetaBytes = 1024;
// Real pages are not deeper. Elements below this depth are ignored.
constexpr int kMaxDepth = 200;
constexpr std::size_t kMaxUrl = 1'000;
// Bytes of the text of an element, which is cut to kMaxName characters in the end.
constexpr std::size_t kMaxText = 16'384;
// Comments of a server may follow the end.
constexpr std::size_t kMaxAfterEnd = 4'096;

// Spellings on web sites, and iconv's names.
constexpr std::pair<std::string_view, const char*> kCharsets[] = {
    {"utf-8", "UTF-8"},     {"utf8", "UTF-8"},     {"windows-1251", "CP1251"},   {"cp1251", "CP1251"},
    {"win-1251", "CP1251"}, {"koi8-r", "KOI8-R"},  {"iso-8859-5", "ISO-8859-5"}, {"cp866", "CP866"},
    {"ibm866", "CP866"},    {"us-ascii", "UTF-8"},
};

// The value behind "charset=", without quotes.
std::string CharsetIn(std::string_view text) {
  const std::string lowered = LoweredAscii(std::string(text));
  const auto at = lowered.find("charset");
  if (at == std::string::npos) return {};
  std::string_view rest = std::string_view(lowered).substr(at + 7);
  while (!rest.empty() && (rest[0] == ' ' || rest[0] == '=')) rest.remove_prefix(1);
  if (!rest.empty() && (rest[0] == '"' || rest[0] == '\'')) rest.remove_prefix(1);
  return std::string(rest.substr(0, rest.find_first_of("\"' ;,/>")));
}

// The charset of a <meta> near the beginning.
std::string MetaCharset(std::string_view bytes) {
  std::string head = LoweredAscii(std::string(bytes.substr(0, kMetaBytes)));
  for (auto at = head.find("<meta"); at != std::string::npos; at = head.find("<meta", at + 1)) {
    std::string charset = CharsetIn(std::string_view(head).substr(at, head.find('>', at) - at));
    if (!charset.empty()) return charset;
  }
  return {};
}

struct Decoded {
  std::string text;
  std::size_t characters = 0, invalid = 0;
};

Decoded FromUtf8(std::string_view bytes) {
  Decoded decoded;
  decoded.text = ReplacedInvalid(bytes);
  decoded.characters = CountCharacters(decoded.text);
  for (auto at = decoded.text.find(kReplacement); at != std::string::npos;
       at = decoded.text.find(kReplacement, at + kReplacement.size()))
    ++decoded.invalid;
  return decoded;
}

// Nearly all of what is not ASCII is valid.
bool IsSurelyUtf8(std::string_view bytes, const Decoded& decoded) {
  const auto beyond_ascii = static_cast<std::size_t>(std::count_if(
      bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }));
  return beyond_ascii > 20 * decoded.invalid;
}

Decoded FromCharset(std::string_view bytes, const char* charset) {
  const std::unique_ptr<void, void (*)(void*)> converter(iconv_open("UTF-8", charset),
                                                         [](void* open) { iconv_close(open); });
  if (converter.get() == reinterpret_cast<void*>(-1)) {
    throw PageRefused("charset", std::string("this machine does not know ") + charset);
  }
  Decoded decoded;
  std::string input(bytes);
  char* in = input.data();
  std::size_t in_left = input.size();
  char buffer[4096];
  while (in_left > 0) {
    char* out = buffer;
    std::size_t out_left = sizeof buffer;
    const std::size_t done = iconv(converter.get(), &in, &in_left, &out, &out_left);
    decoded.text.append(buffer, sizeof buffer - out_left);
    if (done == static_cast<std::size_t>(-1) && errno != E2BIG && in_left > 0) {
      decoded.text += kReplacement;
      ++decoded.invalid;
      ++in;
      --in_left;
    }
  }
  decoded.characters = CountCharacters(decoded.text);
  return decoded;
}

bool IsInline(std::string_view name) {
  constexpr std::string_view kInline[] = {"a",      "abbr", "b",   "em", "font", "i",    "small", "span",
                                          "strong", "sub",  "sup", "u",  "wbr",  "nobr", "s",     "mark"};
  return std::find(std::begin(kInline), std::end(kInline), name) != std::end(kInline);
}

std::string_view ViewOf(const xmlChar* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

// Without the many blanks between tags. May cut a character.
void AppendShown(std::string_view content, std::string& text) {
  if (content.find_first_not_of(" \t\r\n") == std::string_view::npos) content = content.substr(0, 1);
  text += content.substr(0, kMaxText);
}

void AppendText(const xmlNode* node, std::string& text, int depth) {
  if (depth > kMaxDepth) return;
  for (const xmlNode* child = node->children; child != nullptr && text.size() < kMaxText;
       child = child->next) {
    if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) {
      AppendShown(ViewOf(child->content), text);
    } else if (child->type == XML_ELEMENT_NODE) {
      const std::string_view name = ViewOf(child->name);
      if (name == "script" || name == "style") continue;
      const bool is_inline = IsInline(name);
      if (!is_inline) text += ' ';
      AppendText(child, text, depth + 1);
      if (!is_inline) text += ' ';
    }
  }
}

// `is_outer`: not what is inside of one that matches.
void Collect(xmlNode* node, const std::function<bool(const HtmlElement&)>& matches,
             std::vector<HtmlElement>& found, int depth, bool is_outer) {
  if (depth > kMaxDepth) return;
  for (xmlNode* child = node->children; child != nullptr; child = child->next) {
    if (child->type != XML_ELEMENT_NODE) continue;
    const HtmlElement element(child);
    const bool is_match = matches(element);
    if (is_match) found.push_back(element);
    if (!is_match || !is_outer) Collect(child, matches, found, depth + 1, is_outer);
  }
}

bool EndsWithItsClosingTag(const std::string& text) {
  const std::string end =
      LoweredAscii(text.substr(text.size() > kMaxAfterEnd ? text.size() - kMaxAfterEnd : 0));
  const auto at = end.rfind("</html");
  return at != std::string::npos && end.find('>', at) != std::string::npos &&
         end.find("<div", at) == std::string::npos;
}

}  // namespace

std::string DecodedPage(std::string_view bytes, std::string_view content_type) {
  std::string charset = CharsetIn(content_type);
  if (bytes.starts_with(kByteOrderMark)) {
    charset = "utf-8";
    bytes.remove_prefix(kByteOrderMark.size());
  }
  if (charset.empty()) charset = MetaCharset(bytes);
  if (charset.empty()) charset = "utf-8";
  const auto known = std::find_if(std::begin(kCharsets), std::end(kCharsets),
                                  [&](const auto& row) { return row.first == charset; });
  if (known == std::end(kCharsets)) throw PageRefused("charset", "unknown charset " + charset.substr(0, 40));
  // Any bytes are text in a charset of one byte a character, but only UTF-8 happens to be UTF-8.
  Decoded decoded = FromUtf8(bytes);
  if (std::string_view(known->second) != "UTF-8" && !IsSurelyUtf8(bytes, decoded))
    decoded = FromCharset(bytes, known->second);
  if (decoded.invalid * 1000 > decoded.characters)
    throw PageRefused("charset", std::to_string(decoded.invalid) + " characters are not " + charset);
  std::erase(decoded.text, '\0');
  return std::move(decoded.text);
}

std::string_view HtmlElement::Name() const {
  return ViewOf(node_->name);
}

std::string HtmlElement::Attribute(const char* name) const {
  const std::unique_ptr<xmlChar, void (*)(xmlChar*)> value(
      xmlGetNoNsProp(node_, reinterpret_cast<const xmlChar*>(name)), [](xmlChar* text) { xmlFree(text); });
  return std::string(ViewOf(value.get()));
}

bool HtmlElement::HasAttribute(const char* name) const {
  return xmlHasProp(node_, reinterpret_cast<const xmlChar*>(name)) != nullptr;
}

bool HtmlElement::HasClass(std::string_view name) const {
  const std::string classes = Attribute("class");
  constexpr std::string_view kBlanks = " \t\r\n\f";
  std::string_view rest = classes;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(kBlanks), rest.size());
    if (rest.substr(0, end) == name) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

std::string HtmlElement::Text() const {
  std::string text;
  AppendText(node_, text, 0);
  return ShownText(text);
}

HtmlElement HtmlElement::Parent() const {
  xmlNode* parent = node_->parent;
  return HtmlElement(parent != nullptr && parent->type == XML_ELEMENT_NODE ? parent : nullptr);
}

std::vector<HtmlElement> HtmlElement::Children() const {
  std::vector<HtmlElement> children;
  for (xmlNode* child = node_->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) children.emplace_back(child);
  }
  return children;
}

std::vector<HtmlElement> HtmlElement::All(const std::function<bool(const HtmlElement&)>& matches) const {
  std::vector<HtmlElement> found;
  if (node_ != nullptr) Collect(node_, matches, found, 0, false);
  return found;
}

std::vector<HtmlElement> HtmlElement::Outer(const std::function<bool(const HtmlElement&)>& matches) const {
  std::vector<HtmlElement> found;
  if (node_ != nullptr) Collect(node_, matches, found, 0, true);
  return found;
}

std::vector<HtmlElement> HtmlElement::AllOfClass(std::string_view name) const {
  return All([&](const HtmlElement& element) { return element.HasClass(name); });
}

HtmlElement HtmlElement::FirstOfClass(std::string_view name) const {
  const auto found = AllOfClass(name);
  return found.empty() ? HtmlElement() : found.front();
}

HtmlPage::HtmlPage(const std::string& text)
    : document_(nullptr, [](_xmlDoc* document) { xmlFreeDoc(document); }) {
  if (!EndsWithItsClosingTag(text)) throw PageRefused("truncated", "the document does not end with </html>");
  document_.reset(htmlReadMemory(text.data(), static_cast<int>(text.size()), nullptr, "UTF-8",
                                 HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                     HTML_PARSE_NONET | HTML_PARSE_COMPACT));
  if (document_ == nullptr || xmlDocGetRootElement(document_.get()) == nullptr)
    throw PageRefused("layout_unknown", "no HTML");
}

HtmlElement HtmlPage::Root() const {
  return HtmlElement(xmlDocGetRootElement(document_.get()));
}

HtmlElement HtmlPage::ById(std::string_view id) const {
  const auto found = Root().All([&](const HtmlElement& element) { return element.Attribute("id") == id; });
  return found.empty() ? HtmlElement() : found.front();
}

std::string ResolvedUrl(const std::string& base, const std::string& reference) {
  if (reference.empty() || reference.size() > kMaxUrl) return {};
  const std::unique_ptr<xmlChar, void (*)(xmlChar*)> url(
      xmlBuildURI(reinterpret_cast<const xmlChar*>(reference.c_str()),
                  reinterpret_cast<const xmlChar*>(base.c_str())),
      [](xmlChar* text) { xmlFree(text); });
  std::string text(ViewOf(url.get()));
  const bool is_clean = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '<' && c != '>' && c != '\x7f';
  });
  const bool is_web = text.starts_with("http://") || text.starts_with("https://");
  return is_clean && is_web && text.size() <= kMaxUrl && IsStorableText(text) ? text : std::string();
}

}  // namespace syncline::schedule
