#include "handlers/vault/webdav/multistatus_wire.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "handlers/base/conditional.h"
#include "handlers/base/timestamp.h"

namespace syncline::vault {
namespace {

constexpr const char* kOk = "HTTP/1.1 200 OK";
constexpr const char* kForbidden = "HTTP/1.1 403 Forbidden";
constexpr const char* kNotFound = "HTTP/1.1 404 Not Found";
constexpr const char* kFailedWithOthers = "HTTP/1.1 424 Failed Dependency";

constexpr const char* kSupportedLock =
    "<D:supportedlock>"
    "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
    "<D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
    "</D:supportedlock>";

// In this order. Quotas only if they are asked for by name (RFC 4331, section 2).
constexpr std::string_view kLive[] = {"resourcetype", "getcontentlength", "getcontenttype",
                                      "getetag",      "getlastmodified",  "creationdate",
                                      "displayname",  "supportedlock",    "lockdiscovery"};
constexpr std::string_view kQuotas[] = {"quota-available-bytes", "quota-used-bytes"};

struct Ending {
  std::string_view suffix;
  const char* type;
};
constexpr Ending kTypes[] = {
    {".txt", "text/plain; charset=utf-8"}, {".zip", "application/zip"}, {".pdf", "application/pdf"},
    {".db", "application/vnd.sqlite3"},    {".jpg", "image/jpeg"},      {".png", "image/png"}};

std::string Element(std::string_view name, const std::string& inner) {
  return "<D:" + std::string(name) + ">" + inner + "</D:" + std::string(name) + ">";
}

// Without a value, in its own namespace.
std::string EmptyElement(const PropName& name) {
  if (name.ns == kDav) return "<D:" + name.name + "/>";
  if (name.ns.empty()) return "<" + name.name + "/>";
  return "<X:" + name.name + " xmlns:X=\"" + XmlText(name.ns) + "\"/>";
}

std::string ActiveLock(const ShownLock& shown) {
  const Lock& lock = shown.lock;
  return "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope>" +
         std::string(lock.is_exclusive ? "<D:exclusive/>" : "<D:shared/>") + "</D:lockscope>" +
         Element("depth", lock.is_infinite ? "infinity" : "0") + lock.owner_xml +
         Element("timeout", "Second-" + std::to_string(lock.timeout_s)) +
         Element("locktoken", Element("href", XmlText(lock.token))) +
         Element("lockroot", Element("href", XmlText(shown.root_href))) + "</D:activelock>";
}

std::string LockDiscovery(const std::vector<ShownLock>& locks) {
  std::string inner;
  for (const ShownLock& lock : locks) inner += ActiveLock(lock);
  return Element("lockdiscovery", inner);
}

// None: this resource has no such property.
std::optional<std::string> LiveValue(const Resource& resource, std::string_view name) {
  const Node& node = resource.node;
  const auto quota = [&](const std::optional<std::int64_t>& bytes) -> std::optional<std::string> {
    if (!bytes) return std::nullopt;
    return Element(name, std::to_string(*bytes));
  };
  if (name == "resourcetype")
    return node.is_collection ? Element(name, "<D:collection/>") : "<D:resourcetype/>";
  if (name == "getlastmodified") return Element(name, PrintHttpDate(node.modified_at));
  if (name == "creationdate")
    return Element(name, PrintTimestamp(std::chrono::floor<std::chrono::seconds>(node.created_at)));
  if (name == "displayname") return Element(name, XmlText(node.name));
  if (name == "supportedlock") return kSupportedLock;
  if (name == "lockdiscovery") return LockDiscovery(resource.locks);
  if (name == kQuotas[0]) return quota(resource.quota_free);
  if (name == kQuotas[1]) return quota(resource.quota_used);
  if (node.is_collection) return std::nullopt;
  if (name == "getcontentlength") return Element(name, std::to_string(node.size_bytes()));
  if (name == "getcontenttype") return Element(name, ContentTypeOf(node.name));
  if (name == "getetag") return Element(name, XmlText(ETagOf(node).Print()));
  return std::nullopt;
}

const Prop* FindProp(const Resource& resource, const PropName& name) {
  const auto found = std::find_if(resource.props.begin(), resource.props.end(),
                                  [&](const Prop& prop) { return prop.name == name; });
  return found == resource.props.end() ? nullptr : &*found;
}

// What a client has set comes before what we make: displayname.
std::optional<std::string> ValueOf(const Resource& resource, const PropName& name) {
  if (const Prop* const prop = FindProp(resource, name)) return prop->xml;
  return name.ns == kDav ? LiveValue(resource, name.name) : std::nullopt;
}

std::string Propstat(const std::string& props, const char* status) {
  if (props.empty()) return {};
  return "<D:propstat><D:prop>" + props + "</D:prop><D:status>" + status + "</D:status></D:propstat>";
}

std::string ResponseOf(const std::string& href, const std::string& propstats) {
  return "<D:response><D:href>" + XmlText(href) + "</D:href>" + propstats + "</D:response>\n";
}

}  // namespace

std::string HrefName(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += "0123456789ABCDEF"[byte >> 4];
      out += "0123456789ABCDEF"[byte & 15];
    }
  }
  return out;
}

std::string PropfindResponse(const Resource& resource, const Propfind& asked) {
  std::string found, missing;
  const auto add = [&](const PropName& name) {
    const auto value = ValueOf(resource, name);
    (value ? found : missing) += value ? *value : EmptyElement(name);
  };
  if (asked.kind != Propfind::Kind::kSome) {
    const bool is_names = asked.kind == Propfind::Kind::kNames;
    for (const std::string_view name : kLive) {
      const PropName live{std::string(kDav), std::string(name)};
      const auto value = ValueOf(resource, live);
      if (value) found += is_names ? EmptyElement(live) : *value;
    }
    for (const Prop& prop : resource.props) {
      if (prop.name.ns != kDav ||
          std::find(std::begin(kLive), std::end(kLive), prop.name.name) == std::end(kLive))
        found += is_names ? EmptyElement(prop.name) : prop.xml;
    }
  }
  for (const PropName& name : asked.names) add(name);
  return ResponseOf(resource.href, Propstat(found, kOk) + Propstat(missing, kNotFound));
}

std::string ProppatchResponse(const std::string& href, const std::vector<PropChange>& changes,
                              const std::vector<PropName>& refused) {
  std::string done, forbidden;
  for (const PropChange& change : changes) {
    const PropName& name = change.prop.name;
    (std::find(refused.begin(), refused.end(), name) == refused.end() ? done : forbidden) +=
        EmptyElement(name);
  }
  if (refused.empty()) return ResponseOf(href, Propstat(done, kOk));
  return ResponseOf(href,
                    "<D:propstat><D:prop>" + forbidden + "</D:prop><D:status>" + kForbidden +
                        "</D:status><D:error><D:cannot-modify-protected-property/></D:error></D:propstat>" +
                        Propstat(done, kFailedWithOthers));
}

std::string LockBody(const ShownLock& lock) {
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:prop xmlns:D=\"DAV:\">" + LockDiscovery({lock}) +
         "</D:prop>\n";
}

std::string ErrorBody(std::string_view condition) {
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:error xmlns:D=\"DAV:\"><D:" +
         std::string(condition) + "/></D:error>\n";
}

bool IsProtected(const PropName& name) {
  if (name.ns != kDav || name.name == "displayname") return false;
  return std::find(std::begin(kLive), std::end(kLive), name.name) != std::end(kLive) ||
         std::find(std::begin(kQuotas), std::end(kQuotas), name.name) != std::end(kQuotas);
}

const char* ContentTypeOf(std::string_view name) {
  for (const Ending& ending : kTypes) {
    if (name.ends_with(ending.suffix)) return ending.type;
  }
  return "application/octet-stream";
}

}  // namespace syncline::vault
