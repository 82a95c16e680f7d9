#pragma once
// Repairs typical mistakes of programs that write XML 1.0 with string operations, before a strict parser
// reads it:
//
//   - bytes that are not UTF-8, each of which becomes U+FFFD;
//   - characters that XML forbids, such as most control characters, which are left out;
//   - an `&` outside CDATA that begins none of the five predefined entities and no allowed character: it becomes `&amp;`,
//     so "Tom & Jerry" and "&nbsp;" are texts;
//   - a `<` that begins no markup, as in "I <3 this", and `]]>` in a text.
//
// A parser buffers a whole tag, comment or instruction, and needs time quadratic in the attributes of a tag.
// So their length is limited to what real files have.
//
// Pure. Left out on purpose: encodings other than UTF-8, and tags that do not match.
#include <cstddef>
#include <string>
#include <string_view>

namespace syncline::anime {

/// Whether XML 1.0 allows the character (section 2.2).
bool IsXmlCharacter(char32_t character) noexcept;

/// Bytes in a tag or an instruction, in a comment, and in a section of CDATA.
inline constexpr std::size_t kMaxTagBytes = 1 << 10, kMaxCommentBytes = 64 << 10, kMaxCdataBytes = 1 << 20;

/// Both calls throw Error Unprocessable "list_markup_too_long".
class XmlRepair {
 public:
  /// Takes the next bytes of a document; returns the repaired bytes that are complete.
  std::string Take(std::string_view bytes);
  /// The rest, after the last bytes.
  std::string Finish();

 private:
  enum class Place { kText, kTag, kCdata, kComment, kInstruction };

  std::string Run(std::size_t lookahead);
  void Count(Place before, std::size_t bytes);
  std::size_t Step(std::string_view rest, std::string& out);
  std::size_t Markup(std::string_view rest, std::string& out);

  std::string pending_;
  Place place_ = Place::kText;
  std::size_t bytes_in_place_ = 0;
  char quote_ = 0;  // in a tag: of the value that has begun; a '>' in it ends nothing
};

}  // namespace syncline::anime
