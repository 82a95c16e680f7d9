#pragma once
// The XML bodies of WebDAV requests (RFC 4918, section 14), with libxml2: no document type, no entities but those of XML, nothing from
// the network, bounded size and depth.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::vault {

inline constexpr std::size_t kMaxXmlBytes = 1 << 20;
inline constexpr int kMaxXmlDepth = 64;
inline constexpr std::size_t kMaxPropBytes = 64 << 10;
inline constexpr std::string_view kDav = "DAV:";

struct PropName {
  std::string ns{}, name{};
  friend bool operator==(const PropName&, const PropName&) = default;
  friend auto operator<=>(const PropName&, const PropName&) = default;
};

/// A property as it was sent: its element, with all namespaces that it may use.
struct Prop {
  PropName name{};
  std::string xml{};
};

struct Propfind {
  enum class Kind { kAll, kNames, kSome } kind = Kind::kAll;
  std::vector<PropName> names{};  ///< of kSome; of kAll: those to include
};
/// No body asks for everything. Throws Error BadInput "bad_xml".
Propfind ParsePropfind(const std::string& body);

struct PropChange {
  bool is_set = false;  ///< otherwise it is removed
  Prop prop{};
};
/// In the order of the document. Throws Error BadInput "bad_xml", StorageFull "property_too_large".
std::vector<PropChange> ParsePropertyUpdate(const std::string& body);

struct LockInfo {
  bool is_exclusive = true;
  std::string owner_xml{};  ///< the element `owner`, as Prop::xml; empty: none
};
/// Throws Error BadInput "bad_xml", StorageFull "property_too_large".
LockInfo ParseLockInfo(const std::string& body);

/// Text between tags or quotes. What XML cannot hold becomes U+FFFD.
std::string XmlText(std::string_view text);

}  // namespace syncline::vault
