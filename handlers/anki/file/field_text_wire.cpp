#include "handlers/anki/file/field_text_wire.h"

#include <openssl/sha.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "handlers/base/sha256.h"

namespace syncline::anki {
namespace {

constexpr auto kNowhere = std::string_view::npos;

bool StartsWith(std::string_view text, std::size_t at, std::string_view lower) {
  if (text.size() - std::min(at, text.size()) < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const char c = text[at + i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) return false;
  }
  return true;
}

// Whether a code point matches \w in a Unicode-aware regular expression.
bool IsWord(utf8proc_int32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return c == 0x200C || c == 0x200D;
  }
}

bool WordAt(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  utf8proc_int32_t c = 0;
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                     static_cast<utf8proc_ssize_t>(text.size() - at), &c);
  return size > 0 && IsWord(c);
}

bool WordBefore(std::string_view text, std::size_t at) {
  if (at == 0) return false;
  std::size_t start = at - 1;
  while (start > 0 && at - start < 4 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
  return WordAt(text, start);
}

struct MediaTag {
  std::size_t end;
  std::string_view file_name;
};

// Finds the media tags that upstream's backtracking expression matches: in a tag's attributes, single
// characters are tried before quoted strings, and the first `src=` or `data=` that leads to a full match
// wins, even one inside a quoted string. A position that failed once fails for every tag, so each is visited
// once.
class MediaTags {
 public:
  explicit MediaTags(std::string_view html)
      : html_(html),
        last_end_(html.rfind('>')),
        last_double_(html.rfind('"')),
        last_single_(html.rfind('\'')),
        visited_(html.size() + 1) {}

  /// The media tag that begins at the `<` at `start`.
  std::optional<MediaTag> At(std::size_t start) {
    // No `>` ahead, no match.
    if (last_end_ == kNowhere || last_end_ < start) return std::nullopt;
    for (const std::string_view name : {"img", "audio", "video", "object", "source"}) {
      const auto after = start + 1 + name.size();
      if (StartsWith(html_, start + 1, name) && !WordAt(html_, after)) return FromAttributes(after);
    }
    return std::nullopt;
  }

 private:
  std::optional<MediaTag> FromAttributes(std::size_t begin) {
    // At least one character or quoted string precedes the attribute.
    quotes_.clear();
    if (visited_[begin] || begin >= html_.size()) return std::nullopt;
    if (IsQuote(html_[begin])) quotes_.push_back(begin);
    if (html_[begin] != '>')
      if (auto tag = Walk(begin + 1)) return tag;
    while (!quotes_.empty()) {
      const auto quote = quotes_.back();
      quotes_.pop_back();
      const auto closing = ClosingQuote(quote);
      if (closing == kNowhere) continue;
      if (auto tag = Walk(closing + 1)) return tag;
    }
    return std::nullopt;
  }

  std::optional<MediaTag> Walk(std::size_t at) {
    for (; !visited_[at]; ++at) {
      visited_[at] = true;
      if (auto tag = AttributeAt(at)) return tag;
      if (at >= html_.size()) break;
      if (IsQuote(html_[at])) quotes_.push_back(at);
      if (html_[at] == '>') break;
    }
    return std::nullopt;
  }

  static bool IsQuote(char c) { return c == '"' || c == '\''; }

  // The quote that closes a string of at least one character.
  std::size_t ClosingQuote(std::size_t open) const {
    const char quote = html_[open];
    const auto last = quote == '"' ? last_double_ : last_single_;
    if (last == kNowhere || last <= open + 1 || html_[open + 1] == quote) return kNowhere;
    return html_.find(quote, open + 1);
  }

  std::optional<MediaTag> AttributeAt(std::size_t at) const {
    std::size_t value = 0;
    if (StartsWith(html_, at, "src=")) value = at + 4;
    if (StartsWith(html_, at, "data=")) value = at + 5;
    if (value == 0 || value >= html_.size() || WordBefore(html_, at)) return std::nullopt;
    if (IsQuote(html_[value])) {
      const auto closing = ClosingQuote(value);
      if (closing != kNowhere && last_end_ > closing)
        return MediaTag{html_.find('>', closing) + 1, html_.substr(value + 1, closing - value - 1)};
    }
    // Unquoted, or with only one quote: up to the next space; but the first character always belongs to the
    // value (upstream's expression is meant to exclude a space there, but does not).
    if (html_[value] == '>' || last_end_ <= value) return std::nullopt;
    const auto tag_end = html_.find('>', value + 1);
    const auto name_end = std::min(html_.find(' ', value + 1), tag_end);
    return MediaTag{tag_end + 1, html_.substr(value, name_end - value)};
  }

  std::string_view html_;
  std::size_t last_end_, last_double_, last_single_;
  std::vector<bool> visited_;
  std::vector<std::size_t> quotes_;
};

std::string ReplaceMediaTags(std::string_view html) {
  MediaTags tags(html);
  std::string text;
  std::size_t at = 0;
  for (;;) {
    const auto start = html.find('<', at);
    text += html.substr(at, start - at);
    if (start == kNowhere) return text;
    if (const auto tag = tags.At(start)) {
      text += ' ';
      text += tag->file_name;
      text += ' ';
      at = tag->end;
    } else {
      text += '<';
      at = start + 1;
    }
  }
}

// A search that is not repeated after it has failed: later searches cover only a part of the same rest.
class Finder {
 public:
  Finder(std::string_view text, std::string_view lower) : text_(text), lower_(lower) {}
  std::size_t From(std::size_t at) {
    if (failed_) return kNowhere;
    for (; at < text_.size(); ++at) {
      at = text_.find(lower_.front(), at);
      if (at == kNowhere) break;
      if (StartsWith(text_, at, lower_)) return at;
    }
    failed_ = true;
    return kNowhere;
  }

 private:
  std::string_view text_, lower_;
  bool failed_ = false;
};

std::string RemoveTags(std::string_view html) {
  Finder comment_end(html, "-->"), style_end(html, "</style>"), script_end(html, "</script>"),
      tag_end(html, ">");
  // A style or script element: its opening tag, any content, and its closing tag.
  const auto element_end = [&](std::size_t at, std::string_view open, std::string_view close,
                               Finder& closing) {
    if (!StartsWith(html, at, open)) return kNowhere;
    const auto inner = tag_end.From(at + open.size());
    const auto end = inner == kNowhere ? kNowhere : closing.From(inner + 1);
    return end == kNowhere ? kNowhere : end + close.size();
  };
  std::string text;
  std::size_t at = 0;
  for (;;) {
    const auto start = html.find('<', at);
    text += html.substr(at, start - at);
    if (start == kNowhere) return text;
    std::size_t end = kNowhere;
    if (StartsWith(html, start, "<!--")) {
      const auto closing = comment_end.From(start + 4);
      if (closing != kNowhere) end = closing + 3;
    }
    if (end == kNowhere) end = element_end(start, "<style", "</style>", style_end);
    if (end == kNowhere) end = element_end(start, "<script", "</script>", script_end);
    if (end == kNowhere) {
      const auto closing = tag_end.From(start + 1);
      if (closing != kNowhere) end = closing + 1;
    }
    if (end == kNowhere) {
      text += html.substr(start);
      return text;
    }
    at = end;
  }
}

// The entities of HTML 4. Upstream decodes only these; &apos; is not one of them.
constexpr std::pair<std::string_view, utf8proc_int32_t> kEntities[] = {
    {"AElig", 198},   {"Aacute", 193},  {"Acirc", 194},   {"Agrave", 192},  {"Alpha", 913},
    {"Aring", 197},   {"Atilde", 195},  {"Auml", 196},    {"Beta", 914},    {"Ccedil", 199},
    {"Chi", 935},     {"Dagger", 8225}, {"Delta", 916},   {"ETH", 208},     {"Eacute", 201},
    {"Ecirc", 202},   {"Egrave", 200},  {"Epsilon", 917}, {"Eta", 919},     {"Euml", 203},
    {"Gamma", 915},   {"Iacute", 205},  {"Icirc", 206},   {"Igrave", 204},  {"Iota", 921},
    {"Iuml", 207},    {"Kappa", 922},   {"Lambda", 923},  {"Mu", 924},      {"Ntilde", 209},
    {"Nu", 925},      {"OElig", 338},   {"Oacute", 211},  {"Ocirc", 212},   {"Ograve", 210},
    {"Omega", 937},   {"Omicron", 927}, {"Oslash", 216},  {"Otilde", 213},  {"Ouml", 214},
    {"Phi", 934},     {"Pi", 928},      {"Prime", 8243},  {"Psi", 936},     {"Rho", 929},
    {"Scaron", 352},  {"Sigma", 931},   {"THORN", 222},   {"Tau", 932},     {"Theta", 920},
    {"Uacute", 218},  {"Ucirc", 219},   {"Ugrave", 217},  {"Upsilon", 933}, {"Uuml", 220},
    {"Xi", 926},      {"Yacute", 221},  {"Yuml", 376},    {"Zeta", 918},    {"aacute", 225},
    {"acirc", 226},   {"acute", 180},   {"aelig", 230},   {"agrave", 224},  {"alefsym", 8501},
    {"alpha", 945},   {"amp", 38},      {"and", 8743},    {"ang", 8736},    {"aring", 229},
    {"asymp", 8776},  {"atilde", 227},  {"auml", 228},    {"bdquo", 8222},  {"beta", 946},
    {"brvbar", 166},  {"bull", 8226},   {"cap", 8745},    {"ccedil", 231},  {"cedil", 184},
    {"cent", 162},    {"chi", 967},     {"circ", 710},    {"clubs", 9827},  {"cong", 8773},
    {"copy", 169},    {"crarr", 8629},  {"cup", 8746},    {"curren", 164},  {"dArr", 8659},
    {"dagger", 8224}, {"darr", 8595},   {"deg", 176},     {"delta", 948},   {"diams", 9830},
    {"divide", 247},  {"eacute", 233},  {"ecirc", 234},   {"egrave", 232},  {"empty", 8709},
    {"emsp", 8195},   {"ensp", 8194},   {"epsilon", 949}, {"equiv", 8801},  {"eta", 951},
    {"eth", 240},     {"euml", 235},    {"euro", 8364},   {"exist", 8707},  {"fnof", 402},
    {"forall", 8704}, {"frac12", 189},  {"frac14", 188},  {"frac34", 190},  {"frasl", 8260},
    {"gamma", 947},   {"ge", 8805},     {"gt", 62},       {"hArr", 8660},   {"harr", 8596},
    {"hearts", 9829}, {"hellip", 8230}, {"iacute", 237},  {"icirc", 238},   {"iexcl", 161},
    {"igrave", 236},  {"image", 8465},  {"infin", 8734},  {"int", 8747},    {"iota", 953},
    {"iquest", 191},  {"isin", 8712},   {"iuml", 239},    {"kappa", 954},   {"lArr", 8656},
    {"lambda", 955},  {"lang", 9001},   {"laquo", 171},   {"larr", 8592},   {"lceil", 8968},
    {"ldquo", 8220},  {"le", 8804},     {"lfloor", 8970}, {"lowast", 8727}, {"loz", 9674},
    {"lrm", 8206},    {"lsaquo", 8249}, {"lsquo", 8216},  {"lt", 60},       {"macr", 175},
    {"mdash", 8212},  {"micro", 181},   {"middot", 183},  {"minus", 8722},  {"mu", 956},
    {"nabla", 8711},  {"nbsp", 160},    {"ndash", 8211},  {"ne", 8800},     {"ni", 8715},
    {"not", 172},     {"notin", 8713},  {"nsub", 8836},   {"ntilde", 241},  {"nu", 957},
    {"oacute", 243},  {"ocirc", 244},   {"oelig", 339},   {"ograve", 242},  {"oline", 8254},
    {"omega", 969},   {"omicron", 959}, {"oplus", 8853},  {"or", 8744},     {"ordf", 170},
    {"ordm", 186},    {"oslash", 248},  {"otilde", 245},  {"otimes", 8855}, {"ouml", 246},
    {"para", 182},    {"part", 8706},   {"permil", 8240}, {"perp", 8869},   {"phi", 966},
    {"pi", 960},      {"piv", 982},     {"plusmn", 177},  {"pound", 163},   {"prime", 8242},
    {"prod", 8719},   {"prop", 8733},   {"psi", 968},     {"quot", 34},     {"rArr", 8658},
    {"radic", 8730},  {"rang", 9002},   {"raquo", 187},   {"rarr", 8594},   {"rceil", 8969},
    {"rdquo", 8221},  {"real", 8476},   {"reg", 174},     {"rfloor", 8971}, {"rho", 961},
    {"rlm", 8207},    {"rsaquo", 8250}, {"rsquo", 8217},  {"sbquo", 8218},  {"scaron", 353},
    {"sdot", 8901},   {"sect", 167},    {"shy", 173},     {"sigma", 963},   {"sigmaf", 962},
    {"sim", 8764},    {"spades", 9824}, {"sub", 8834},    {"sube", 8838},   {"sum", 8721},
    {"sup", 8835},    {"sup1", 185},    {"sup2", 178},    {"sup3", 179},    {"supe", 8839},
    {"szlig", 223},   {"tau", 964},     {"there4", 8756}, {"theta", 952},   {"thetasym", 977},
    {"thinsp", 8201}, {"thorn", 254},   {"tilde", 732},   {"times", 215},   {"trade", 8482},
    {"uArr", 8657},   {"uacute", 250},  {"uarr", 8593},   {"ucirc", 251},   {"ugrave", 249},
    {"uml", 168},     {"upsih", 978},   {"upsilon", 965}, {"uuml", 252},    {"weierp", 8472},
    {"xi", 958},      {"yacute", 253},  {"yen", 165},     {"yuml", 255},    {"zeta", 950},
    {"zwj", 8205},    {"zwnj", 8204},
};

// The code point of an entity, given the text between & and ;
std::optional<utf8proc_int32_t> EntityCodePoint(std::string_view entity) {
  if (!entity.starts_with('#')) {
    const auto* const found =
        std::lower_bound(std::begin(kEntities), std::end(kEntities), entity,
                         [](const auto& entry, auto name) { return entry.first < name; });
    if (found == std::end(kEntities) || found->first != entity) return std::nullopt;
    return found->second;
  }
  const bool hex = entity.size() > 1 && entity[1] == 'x';
  const auto digits = entity.substr(hex ? 2 : 1);
  std::uint32_t code_point = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code_point, hex ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) return std::nullopt;
  return static_cast<utf8proc_int32_t>(code_point);
}

std::string DecodeEntities(std::string text) {
  if (text.find('&') == kNowhere) return text;
  std::string decoded;
  decoded.reserve(text.size());
  const std::string_view html = text;
  for (std::size_t at = 0; at < html.size();) {
    const auto start = html.find('&', at);
    decoded += html.substr(at, start - at);
    if (start == kNowhere) break;
    const auto end = html.find(';', start);
    if (end == kNowhere) return text;
    const auto code_point = EntityCodePoint(html.substr(start + 1, end - start - 1));
    if (!code_point) return text;
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto size = utf8proc_encode_char(*code_point, bytes.data());
    decoded.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
    at = end + 1;
  }
  // No-break spaces become spaces, both decoded ones and those already in the text.
  constexpr std::string_view kNoBreakSpace = "\xC2\xA0";
  std::string spaced;
  spaced.reserve(decoded.size());
  for (std::size_t at = 0;;) {
    const auto start = decoded.find(kNoBreakSpace, at);
    spaced.append(decoded, at, start == kNowhere ? kNowhere : start - at);
    if (start == kNowhere) return spaced;
    spaced += ' ';
    at = start + kNoBreakSpace.size();
  }
}

// As upstream escapes a name that was escaped before.
std::string EscapeMinimal(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#x27;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

using Rename = std::function<std::optional<std::string>(const std::string& name)>;

// One reference: `whole` with every occurrence of the name replaced.
std::string Renamed(std::string_view whole, std::string_view name, const Rename& rename) {
  const bool is_escaped = name.find('&') != kNowhere;
  const std::string decoded = DecodeEntities(std::string(name));
  auto new_name = rename(decoded);
  if (!new_name) return std::string(whole);
  if (is_escaped) new_name = EscapeMinimal(*new_name);
  std::string replaced;
  for (std::size_t at = 0;;) {
    const auto found = whole.find(name, at);
    replaced += whole.substr(at, found - at);
    if (found == kNowhere) return replaced;
    replaced += *new_name;
    at = found + name.size();
  }
}

std::string RenameInTags(std::string_view html, const Rename& rename) {
  MediaTags tags(html);
  std::string text;
  for (std::size_t at = 0;;) {
    const auto start = html.find('<', at);
    text += html.substr(at, start - at);
    if (start == kNowhere) return text;
    if (const auto tag = tags.At(start)) {
      text += Renamed(html.substr(start, tag->end - start), tag->file_name, rename);
      at = tag->end;
    } else {
      text += '<';
      at = start + 1;
    }
  }
}

std::string RenameInSounds(std::string_view html, const Rename& rename) {
  constexpr std::string_view kBegin = "[sound:";
  std::string text;
  for (std::size_t at = 0;;) {
    const auto start = html.find(kBegin, at);
    const auto name = start == kNowhere ? kNowhere : start + kBegin.size();
    // The first character may be a bracket, too.
    const auto end = name == kNowhere ? kNowhere : html.find(']', name + 1);
    if (end == kNowhere) return text += html.substr(at);
    text += html.substr(at, start - at);
    text += Renamed(html.substr(start, end + 1 - start), html.substr(name, end - name), rename);
    at = end + 1;
  }
}

// "<br>", "<br/>", "<br />" and "<div>" begin a line.
std::string WithLines(std::string_view html) {
  std::string text;
  for (std::size_t at = 0; at < html.size();) {
    std::size_t size = 0;
    for (const std::string_view tag : {"<br>", "<br />", "<div>"}) {
      if (StartsWith(html, at, tag)) size = tag.size();
    }
    text += size > 0 ? '\n' : html[at];
    at += std::max<std::size_t>(size, 1);
  }
  return text;
}

}  // namespace

std::vector<std::string> LatexImages(std::string_view html) {
  struct Kind {
    std::string_view open, close, before, after;
  };
  static constexpr Kind kKinds[] = {
      {"[latex]", "[/latex]", "", ""},
      {"[$]", "[/$]", "$", "$"},
      {"[$$]", "[/$$]", "\\begin{displaymath}", "\\end{displaymath}"},
  };
  std::vector<std::string> images;
  // Kinds without a closing tag from here on: searching again for each of many open ones would take quadratic
  // time.
  std::array<bool, std::size(kKinds)> is_over{};
  for (std::size_t at = html.find('['); at != kNowhere; at = html.find('[', at)) {
    std::size_t next = at + 1;
    for (std::size_t k = 0; k < std::size(kKinds); ++k) {
      const Kind& kind = kKinds[k];
      if (is_over[k] || !StartsWith(html, at, kind.open)) continue;
      const auto begin = at + kind.open.size();
      auto end = begin + 1;
      while (end < html.size() && !StartsWith(html, end, kind.close)) ++end;
      if (end >= html.size()) {
        is_over[k] = true;
        continue;
      }
      std::string latex(kind.before);
      latex.append(html.substr(begin, end - begin)).append(kind.after);
      latex = DecodeEntities(RemoveTags(WithLines(latex)));
      std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
      SHA1(reinterpret_cast<const unsigned char*>(latex.data()), latex.size(), digest.data());
      images.push_back("latex-" + HexText({reinterpret_cast<const char*>(digest.data()), digest.size()}));
      next = end + kind.close.size();
      break;
    }
    at = next;
  }
  return images;
}

std::string ReplaceMediaReferences(std::string_view html, const Rename& rename) {
  if (html.find('<') == kNowhere) return RenameInSounds(html, rename);
  return RenameInSounds(RenameInTags(html, rename), rename);
}

std::string StripHtml(std::string_view html) {
  if (html.find('<') == kNowhere) return DecodeEntities(std::string(html));
  return DecodeEntities(RemoveTags(ReplaceMediaTags(html)));
}

std::uint32_t FieldChecksum(std::string_view stripped) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(stripped.data()), stripped.size(), digest.data());
  return std::uint32_t{digest[0]} << 24 | std::uint32_t{digest[1]} << 16 | std::uint32_t{digest[2]} << 8 |
         digest[3];
}

std::string_view FieldAt(std::string_view fields, std::uint32_t index) {
  for (; index > 0; --index) {
    const auto separator = fields.find('\x1f');
    if (separator == kNowhere) return {};
    fields.remove_prefix(separator + 1);
  }
  return fields.substr(0, fields.find('\x1f'));
}

}  // namespace syncline::anki
