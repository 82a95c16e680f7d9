#include "handlers/vault/webdav/body_wire.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <memory>

#include "handlers/base/errors.h"
#include "handlers/base/utf8.h"
#include "handlers/vault/tree/path_rules.h"

namespace syncline::vault {
namespace {

constexpr std::size_t kMaxNames = 1000;
constexpr std::size_t kMaxNameBytesOfProp = 1000;

std::string_view View(const xmlChar* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

// A document type may define entities, and is in no request of WebDAV.
void RefuseDocumentType(void* parser, const xmlChar*, const xmlChar*, const xmlChar*) {
  auto* const context = static_cast<xmlParserCtxtPtr>(parser);
  context->wellFormed = 0;
  xmlStopParser(context);
}

bool IsTooDeep(const xmlNode* root) {
  int depth = 1;
  for (const xmlNode* node = root; node != nullptr;) {
    if (node->type == XML_ELEMENT_NODE && node->children != nullptr) {
      node = node->children;
      if (++depth > kMaxXmlDepth) return true;
      continue;
    }
    while (node != root && node->next == nullptr) {
      node = node->parent;
      --depth;
    }
    if (node == root) return false;
    node = node->next;
  }
  return false;
}

class Document {
 public:
  explicit Document(const std::string& body) {
    const std::unique_ptr<xmlParserCtxt, void (*)(xmlParserCtxtPtr)> context(xmlNewParserCtxt(),
                                                                             xmlFreeParserCtxt);
    if (context == nullptr) throw std::bad_alloc();
    context->sax->internalSubset = RefuseDocumentType;
    document_.reset(
        xmlCtxtReadMemory(context.get(), body.data(), static_cast<int>(body.size()), nullptr, nullptr,
                          XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT));
    // Namespaces count, too: a prefix must not be bound to nothing.
    if (document_ == nullptr || context->wellFormed == 0 || context->nsWellFormed == 0 ||
        document_->intSubset != nullptr || IsTooDeep(xmlDocGetRootElement(document_.get())))
      throw BadInput("bad_xml");
  }
  xmlNode* Root(std::string_view name) const {
    xmlNode* const root = xmlDocGetRootElement(document_.get());
    if (root == nullptr || View(root->name) != name || root->ns == nullptr || View(root->ns->href) != kDav)
      throw BadInput("bad_xml");
    return root;
  }

 private:
  std::unique_ptr<xmlDoc, void (*)(xmlDocPtr)> document_{nullptr, xmlFreeDoc};
};

PropName NameOfElement(const xmlNode* node) {
  return {std::string(View(node->ns == nullptr ? nullptr : node->ns->href)), std::string(View(node->name))};
}

bool IsDav(const xmlNode* node, std::string_view name) {
  return node->type == XML_ELEMENT_NODE && node->ns != nullptr && View(node->ns->href) == kDav &&
         View(node->name) == name;
}

// The first child element of DAV: with that name; null: none.
xmlNode* Child(const xmlNode* parent, std::string_view name) {
  for (xmlNode* node = parent->children; node != nullptr; node = node->next) {
    if (IsDav(node, name)) return node;
  }
  return nullptr;
}

std::vector<xmlNode*> Elements(const xmlNode* parent) {
  std::vector<xmlNode*> elements;
  for (xmlNode* node = parent->children; node != nullptr; node = node->next) {
    if (node->type == XML_ELEMENT_NODE) elements.push_back(node);
  }
  if (elements.size() > kMaxNames) throw BadInput("bad_xml", "too many elements");
  return elements;
}

std::vector<PropName> NamesIn(const xmlNode* parent) {
  std::vector<PropName> names;
  for (const xmlNode* element : Elements(parent)) names.push_back(NameOfElement(element));
  return names;
}

bool DeclaresPrefix(const xmlNode* node, const xmlChar* prefix) {
  for (const xmlNs* ns = node->nsDef; ns != nullptr; ns = ns->next) {
    if (View(ns->prefix) == View(prefix)) return true;
  }
  return false;
}

// The element by itself: a prefix may also be used in a value, so all that are known where it stands are declared in it.
std::string TextOfElement(xmlNode* node) {
  const std::unique_ptr<xmlDoc, void (*)(xmlDocPtr)> document(xmlNewDoc(BAD_CAST "1.0"), xmlFreeDoc);
  xmlNode* const copy = document == nullptr ? nullptr : xmlDocCopyNode(node, document.get(), 1);
  if (copy == nullptr) throw std::bad_alloc();
  xmlDocSetRootElement(document.get(), copy);
  if (xmlNs** const known = xmlGetNsList(node->doc, node)) {
    for (xmlNs** ns = known; *ns != nullptr; ++ns) {
      if ((*ns)->prefix != nullptr && !DeclaresPrefix(copy, (*ns)->prefix))
        xmlNewNs(copy, (*ns)->href, (*ns)->prefix);
    }
    xmlFree(known);
  }
  if (xmlChar* const language = xmlNodeGetLang(node)) {
    xmlNodeSetLang(copy, language);
    xmlFree(language);
  }
  const std::unique_ptr<xmlBuffer, void (*)(xmlBufferPtr)> out(xmlBufferCreate(), xmlBufferFree);
  if (out == nullptr || xmlNodeDump(out.get(), document.get(), copy, 0, 0) < 0) throw std::bad_alloc();
  std::string text(View(xmlBufferContent(out.get())));
  if (text.size() > kMaxPropBytes) throw StorageFull("property_too_large");
  return text;
}

}  // namespace

Propfind ParsePropfind(const std::string& body) {
  if (body.empty()) return {};
  const Document document(body);
  const xmlNode* const root = document.Root("propfind");
  if (Child(root, "propname") != nullptr) return {.kind = Propfind::Kind::kNames, .names = {}};
  if (Child(root, "allprop") != nullptr) {
    const xmlNode* const include = Child(root, "include");
    return {.kind = Propfind::Kind::kAll,
            .names = include == nullptr ? std::vector<PropName>() : NamesIn(include)};
  }
  const xmlNode* const prop = Child(root, "prop");
  if (prop == nullptr) throw BadInput("bad_xml");
  return {.kind = Propfind::Kind::kSome, .names = NamesIn(prop)};
}

std::vector<PropChange> ParsePropertyUpdate(const std::string& body) {
  const Document document(body);
  std::vector<PropChange> changes;
  for (const xmlNode* change : Elements(document.Root("propertyupdate"))) {
    const bool is_set = IsDav(change, "set");
    const xmlNode* const prop = is_set || IsDav(change, "remove") ? Child(change, "prop") : nullptr;
    if (prop == nullptr) continue;
    for (xmlNode* element : Elements(prop)) {
      PropChange one{.is_set = is_set, .prop = {.name = NameOfElement(element), .xml = {}}};
      if (one.prop.name.ns.size() + one.prop.name.name.size() > kMaxNameBytesOfProp)
        throw StorageFull("property_too_large");
      if (is_set) one.prop.xml = TextOfElement(element);
      changes.push_back(std::move(one));
    }
  }
  if (changes.empty() || changes.size() > kMaxNames) throw BadInput("bad_xml");
  return changes;
}

LockInfo ParseLockInfo(const std::string& body) {
  const Document document(body);
  const xmlNode* const root = document.Root("lockinfo");
  const xmlNode *const scope = Child(root, "lockscope"), *const type = Child(root, "locktype");
  if (scope == nullptr || type == nullptr || Child(type, "write") == nullptr) throw BadInput("bad_xml");
  const bool is_exclusive = Child(scope, "exclusive") != nullptr;
  if (!is_exclusive && Child(scope, "shared") == nullptr) throw BadInput("bad_xml");
  xmlNode* const owner = Child(root, "owner");
  return {.is_exclusive = is_exclusive, .owner_xml = owner == nullptr ? "" : TextOfElement(owner)};
}

std::string XmlText(std::string_view text) {
  std::string out;
  const std::string valid = IsUtf8(text) && IsXmlText(text) ? std::string(text) : ReplacedInvalid(text);
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const char c = valid[i];
    const std::string_view rest = std::string_view(valid).substr(i, 3);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (!IsXmlText(std::string_view(&valid[i], 1)) || rest == "\xef\xbf\xbe" ||
               rest == "\xef\xbf\xbf") {
      out += "\xef\xbf\xbd";
      if (rest.front() == '\xef') i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace syncline::vault
