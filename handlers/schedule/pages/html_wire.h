#pragma once
// HTML as a tree: decoded to UTF-8, parsed with libxml2, with the few queries that the timetable's pages
// need. Pure; no network, no external entities, bounded in depth.
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct _xmlDoc;
struct _xmlNode;

namespace syncline::schedule {

/// A page that must be rejected. `code`: "charset", "truncated", "layout_unknown", "wrong_group".
class PageRefused : public std::runtime_error {
 public:
  PageRefused(std::string code, const std::string& detail)
      : std::runtime_error(detail), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

/// The text in UTF-8. It is UTF-8 if there is a byte order mark, or if what is not ASCII is valid; else the charset is that of
/// `content_type` (the header), else of a <meta>, else UTF-8. Throws PageRefused "charset" if it is unknown, or more than one in a thousand characters are invalid.
std::string DecodedPage(std::string_view bytes, std::string_view content_type);

class HtmlElement {
 public:
  explicit HtmlElement(_xmlNode* node = nullptr) : node_(node) {}
  explicit operator bool() const { return node_ != nullptr; }
  bool operator==(const HtmlElement& other) const { return node_ == other.node_; }

  std::string_view Name() const;  ///< in lower case
  /// "" if there is none.
  std::string Attribute(const char* name) const;
  bool HasAttribute(const char* name) const;
  /// One of the words of the attribute class.
  bool HasClass(std::string_view name) const;
  /// The visible text: blocks and line breaks separate words, inline elements do not; runs of blanks become
  /// one. Truncated to the maximum length of a name.
  std::string Text() const;

  HtmlElement Parent() const;
  std::vector<HtmlElement> Children() const;
  /// Those below it that match, in document order.
  std::vector<HtmlElement> All(const std::function<bool(const HtmlElement&)>& matches) const;
  /// The same without matches nested in other matches, so that a caller that searches inside each sees no
  /// element twice.
  std::vector<HtmlElement> Outer(const std::function<bool(const HtmlElement&)>& matches) const;
  std::vector<HtmlElement> AllOfClass(std::string_view name) const;
  HtmlElement FirstOfClass(std::string_view name) const;

 private:
  _xmlNode* node_;
};

class HtmlPage {
 public:
  /// `text`: UTF-8. Throws PageRefused "truncated" if the document does not end with its closing tag.
  explicit HtmlPage(const std::string& text);
  HtmlElement Root() const;
  HtmlElement ById(std::string_view id) const;

 private:
  std::unique_ptr<_xmlDoc, void (*)(_xmlDoc*)> document_;
};

/// An address in a page at `base`; "" unless it is http or https.
std::string ResolvedUrl(const std::string& base, const std::string& reference);

}  // namespace syncline::schedule
