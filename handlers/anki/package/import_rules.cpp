#include "handlers/anki/package/import_rules.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "handlers/anki/collection/collection_store.h"
#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/anki/package/container_wire.h"
#include "handlers/base/json.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/utf8.h"
#include "schema18.pb.h"

namespace syncline::anki {
namespace {

constexpr std::int64_t kDefaultDeck = 1, kDefaultConfig = 1;
constexpr char kSeparator = '\x1f';

template <typename Message>
Message Parsed(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) throw BadObject("protobuf does not parse");
  return message;
}

bool ShouldUpdate(UpdateWhen when, std::int64_t ours, std::int64_t incoming) {
  switch (when) {
    case UpdateWhen::kIfNewer:
      return ours < incoming;
    case UpdateWhen::kAlways:
      return ours != incoming;
    case UpdateWhen::kNever:
      break;
  }
  return false;
}

// Limits the cost of names and clashes in a hostile package.
class Work {
 public:
  explicit Work(std::size_t most) : left_(most) {}
  void Spend(std::size_t work) {
    if (work > left_) {
      throw PackageRefused("package_too_large",
                           "The package has too many notetypes or decks, or too many of one name.");
    }
    left_ -= work;
  }

 private:
  std::size_t left_;
};

// Ids that are times of creation, in ms.
class NewIds {
 public:
  explicit NewIds(std::int64_t now_ms) : next_(now_ms) {}
  void Use(std::int64_t id) { used_.insert(id); }
  std::int64_t Next() {
    while (!used_.insert(next_).second) ++next_;
    return next_;
  }

 private:
  std::int64_t next_;
  std::set<std::int64_t> used_;
};

// --- Notetypes

// A field or template, as far as two of them are compared.
struct Part {
  std::string name;
  std::optional<std::int64_t> id;
  bool Matches(const Part& other) const { return id && other.id ? *id == *other.id : name == other.name; }
};

struct Notetype {
  explicit Notetype(const Object& object) : row(NotetypeFromJson(object.json)) {
    config = Parsed<schema18::NotetypeConfig>(row.config);
    row.id = object.id;
    for (const FieldRow& field : row.fields) {
      const auto parsed = Parsed<schema18::FieldConfig>(field.config);
      fields.push_back({field.name, parsed.has_id() ? std::optional(parsed.id()) : std::nullopt});
    }
    for (const TemplateRow& tmpl : row.templates) {
      const auto parsed = Parsed<schema18::TemplateConfig>(tmpl.config);
      templates.push_back({tmpl.name, parsed.has_id() ? std::optional(parsed.id()) : std::nullopt});
    }
  }
  bool HasSchemaOf(const Notetype& other) const {
    const auto match = [](const Part& a, const Part& b) { return a.Matches(b); };
    return std::equal(fields.begin(), fields.end(), other.fields.begin(), other.fields.end(), match) &&
           std::equal(templates.begin(), templates.end(), other.templates.begin(), other.templates.end(),
                      match);
  }
  // Everything except the modification time.
  std::string Content() const {
    NotetypeRow plain = row;
    plain.mod = 0;
    plain.usn = 0;
    plain.config = config.SerializeAsString();
    return NotetypeToJson(plain);
  }
  std::string Json() {
    row.config = config.SerializeAsString();
    return NotetypeToJson(row);
  }

  NotetypeRow row;
  schema18::NotetypeConfig config;
  std::vector<Part> fields, templates;
};

class NotetypeImporter {
 public:
  NotetypeImporter(const std::vector<Object>& ours, const ImportOptions& options, const ImportMoment& moment)
      : options_(options), moment_(moment), new_ids_(moment.now_ms), work_(moment.most_work) {
    for (const Object& object : ours) {
      ours_.emplace_back(object);
      owners_[UnicaseKey(object.name)] = object.id;
      new_ids_.Use(object.id);
      result_.field_counts[object.id] = object.field_count;
    }
  }

  NotetypeImport Run(const std::vector<Object>& incoming) {
    for (const Object& object : incoming) {
      Notetype notetype(object);
      std::erase(notetype.row.name, '"');
      if (notetype.row.name.empty()) notetype.row.name = "blank";
      notetype.row.name = Nfc(notetype.row.name);
      notetype.config.set_original_id(object.id);
      Import(notetype);
    }
    return std::move(result_);
  }

 private:
  void Import(Notetype& incoming) {
    const std::int64_t package_id = incoming.row.id;
    const Notetype* existing = FindOurs(package_id);
    if (existing == nullptr) {
      Store(incoming, "added", /*is_new=*/true);
    } else if (options_.merge_notetypes) {
      Merge(*existing, incoming);
      Update(*existing, incoming, WinsMerge(*existing, incoming), "unchanged");
    } else if (existing->HasSchemaOf(incoming)) {
      Update(*existing, incoming, Wins(*existing, incoming), "unchanged");
    } else if (const Notetype* copy = FindCopy(incoming)) {
      incoming.row.id = copy->row.id;
      Update(*copy, incoming, Wins(*copy, incoming), "matched_copy");
    } else {
      incoming.row.id = new_ids_.Next();
      Store(incoming, "added_as_copy", /*is_new=*/true);
    }
    result_.ids[package_id] = incoming.row.id;
  }

  const Notetype* FindOurs(std::int64_t id) {
    work_.Spend(ours_.size());
    const auto found =
        std::find_if(ours_.begin(), ours_.end(), [&](const Notetype& n) { return n.row.id == id; });
    return found == ours_.end() ? nullptr : &*found;
  }
  // Added by an earlier import of a notetype with this id.
  const Notetype* FindCopy(const Notetype& incoming) {
    work_.Spend(ours_.size());
    const auto found = std::find_if(ours_.begin(), ours_.end(), [&](const Notetype& n) {
      return IsCopyOf(n, incoming.row.id) && n.HasSchemaOf(incoming);
    });
    return found == ours_.end() ? nullptr : &*found;
  }
  static bool IsCopyOf(const Notetype& notetype, std::int64_t id) {
    return notetype.row.id != id && notetype.config.has_original_id() && notetype.config.original_id() == id;
  }

  bool Wins(const Notetype& ours, const Notetype& incoming) const {
    return ShouldUpdate(options_.update_notetypes, ours.row.mod, incoming.row.mod);
  }
  bool WinsMerge(const Notetype& ours, const Notetype& incoming) const {
    return options_.update_notetypes == UpdateWhen::kAlways || Wins(ours, incoming);
  }

  // Gives `incoming` the fields and templates that only ours has, and our order. The other way round, a merge would add some
  // to ours, or fold copies of it in: no normal sync can carry that, and the upload that a client then offers would undo
  // the import.
  void Merge(const Notetype& ours, Notetype& incoming) {
    if (ours.config.kind() != incoming.config.kind()) {
      throw PackageRefused("notetype_kinds_differ",
                           "The notetype \"" + ours.row.name +
                               "\" is a cloze notetype on one side only, and cannot be "
                               "merged.");
    }
    const bool has_copies =
        std::any_of(ours_.begin(), ours_.end(), [&](const Notetype& n) { return IsCopyOf(n, ours.row.id); });
    const auto fields = PlacesOf(incoming.fields, ours.fields);
    const auto templates = PlacesOf(incoming.templates, ours.templates);
    if (!has_copies && fields && templates) {
      if (ours.HasSchemaOf(incoming)) return;
      NotetypeMerge merge{std::vector<std::size_t>(ours.fields.size(), NotetypeMerge::kNone), *templates,
                          fields->size()};
      for (std::size_t i = 0; i < fields->size(); ++i) merge.fields[fields->at(i)] = i;
      result_.merges[incoming.row.id] = std::move(merge);
      // They name templates and fields by their place.
      *incoming.config.mutable_requirements() = ours.config.requirements();
      Complete(incoming.row.fields, incoming.fields, ours.row.fields, ours.fields, *fields);
      Complete(incoming.row.templates, incoming.templates, ours.row.templates, ours.templates, *templates);
      return;
    }
    throw PackageRefused(
        "merge_needs_full_sync",
        "Merging the notetype \"" + ours.row.name +
            "\" would change its fields, templates or notes so that every device needs a full sync. "
            "Please import without merging, or merge on a device.");
  }

  // The place of each of `some` among `all`; none if one has no place.
  static std::optional<std::vector<std::size_t>> PlacesOf(const std::vector<Part>& some,
                                                          const std::vector<Part>& all) {
    std::vector<std::size_t> places;
    std::set<std::size_t> taken;
    for (const Part& part : some) {
      const auto found =
          std::find_if(all.begin(), all.end(), [&](const Part& other) { return part.Matches(other); });
      const auto place = static_cast<std::size_t>(found - all.begin());
      if (found == all.end() || !taken.insert(place).second) return std::nullopt;
      places.push_back(place);
    }
    return places;
  }
  template <typename Row>
  static void Complete(std::vector<Row>& rows, std::vector<Part>& parts, const std::vector<Row>& all_rows,
                       const std::vector<Part>& all_parts, const std::vector<std::size_t>& places) {
    std::vector<Row> completed = all_rows;
    for (std::size_t i = 0; i < places.size(); ++i) completed[places[i]] = std::move(rows[i]);
    rows = std::move(completed);
    parts = all_parts;
  }

  void Update(const Notetype& ours, Notetype& incoming, bool wins, const char* otherwise) {
    const bool keeps = std::exchange(kept_[incoming.row.id], true);  // once per notetype of ours
    // A sort field travels by a full sync only.
    incoming.config.set_sort_field(ours.config.sort_field());
    owners_.erase(UnicaseKey(ours.row.name));
    const bool is_renamed = MakeNameDiffer(incoming);
    if (wins && !keeps && incoming.Content() != ours.Content()) {
      // Must be newer than ours, so that a client that has ours accepts it.
      if (is_renamed || incoming.row.mod <= ours.row.mod) {
        incoming.row.mod = std::max(moment_.now_ms / 1000, ours.row.mod);
      }
      Store(incoming, "updated", /*is_new=*/false);
    } else {
      owners_[UnicaseKey(ours.row.name)] = ours.row.id;
      result_.outcomes.push_back({ours.row.id, ours.row.name, otherwise});
    }
  }

  bool MakeNameDiffer(Notetype& notetype) {
    bool is_renamed = false;
    for (; owners_.contains(UnicaseKey(notetype.row.name)); is_renamed = true) {
      work_.Spend(notetype.row.name.size());
      notetype.row.name += '+';
    }
    return is_renamed;
  }

  void Store(Notetype& notetype, const char* what, bool is_new) {
    new_ids_.Use(notetype.row.id);
    if (MakeNameDiffer(notetype)) notetype.row.mod = moment_.now_ms / 1000;
    std::string key = UnicaseKey(notetype.row.name);
    owners_[key] = notetype.row.id;
    notetype.row.usn = moment_.usn;
    const auto fields = static_cast<std::int32_t>(notetype.fields.size());
    Object object{notetype.row.id,
                  notetype.row.name,
                  notetype.row.mod,
                  moment_.usn,
                  notetype.Json(),
                  fields,
                  static_cast<std::int32_t>(notetype.templates.size()),
                  moment_.usn};
    result_.field_counts[object.id] = fields;
    result_.outcomes.push_back({object.id, object.name, what});
    result_.taken.push_back({ObjectKind::kNotetype, std::move(object), std::move(key), false});
    result_.added += is_new ? 1 : 0;
  }

  const ImportOptions& options_;
  const ImportMoment& moment_;
  std::vector<Notetype> ours_;
  NameOwners owners_;
  NewIds new_ids_;
  Work work_;
  std::map<std::int64_t, bool> kept_;
  NotetypeImport result_;
};

// --- Decks

struct Deck {
  explicit Deck(const Object& object) : row(DeckFromJson(object.json)) {
    row.id = object.id;
    common = Parsed<schema18::DeckCommon>(row.common);
    kind = Parsed<schema18::DeckKind>(row.kind);
  }
  // An empty normal deck.
  explicit Deck(std::string native_name) {
    row.name = std::move(native_name);
    kind.mutable_normal()->set_config_id(kDefaultConfig);
  }
  bool IsFiltered() const { return kind.has_filtered(); }
  Object ToObject() {
    row.common = common.SerializeAsString();
    row.kind = kind.SerializeAsString();
    return {row.id, HumanDeckName(row.name), row.mod, row.usn, DeckToJson(row), 0, 0, row.usn};
  }

  DeckRow row;
  schema18::DeckCommon common;
  schema18::DeckKind kind;
};

std::string_view ParentOf(std::string_view native_name) {
  const auto at = native_name.rfind(kSeparator);
  return at == std::string_view::npos ? std::string_view() : native_name.substr(0, at);
}

std::size_t LevelOf(std::string_view native_name) {
  return static_cast<std::size_t>(std::count(native_name.begin(), native_name.end(), kSeparator)) + 1;
}

class DeckImporter {
 public:
  DeckImporter(const SmallObjects& ours, const PackageDecks& package, const ImportMoment& moment)
      : moment_(moment), new_ids_(moment.now_ms), work_(moment.most_work) {
    for (const Object& object : ours.decks) {
      Deck deck(object);
      new_ids_.Use(object.id);
      by_name_.emplace(KeyOf(deck.row.name), std::move(deck));
    }
    for (const Object& config : ours.deck_configs) configs_.insert(config.id);
    for (const Object& config : package.configs) configs_.insert(config.id);
    suffix_ = std::to_string(moment.now_ms / 1000);
  }

  DeckImport Run(const std::vector<Object>& incoming) {
    std::vector<Deck> decks;
    for (const Object& object : incoming) decks.emplace_back(object);
    // Parents before children.
    std::stable_sort(decks.begin(), decks.end(),
                     [](const Deck& a, const Deck& b) { return LevelOf(a.row.name) < LevelOf(b.row.name); });
    for (Deck& deck : decks) Import(deck);
    return std::move(result_);
  }

 private:
  static std::string KeyOf(std::string_view native_name) { return UnicaseKey(native_name); }
  const Deck* Find(std::string_view native_name) {
    work_.Spend(native_name.size());
    const auto found = by_name_.find(KeyOf(native_name));
    return found == by_name_.end() ? nullptr : &found->second;
  }

  void Import(Deck& deck) {
    Reparent(deck);
    if (deck.kind.has_normal()) {
      auto& normal = *deck.kind.mutable_normal();
      if (!configs_.contains(normal.config_id())) normal.set_config_id(kDefaultConfig);
      if (normal.has_new_limit_today() && !MoveLimit(*normal.mutable_new_limit_today())) {
        normal.clear_new_limit_today();
      }
      if (normal.has_review_limit_today() && !MoveLimit(*normal.mutable_review_limit_today())) {
        normal.clear_review_limit_today();
      }
    }
    if (const Deck* ours = Find(deck.row.name)) {
      if (ours->IsFiltered() == deck.IsFiltered()) return Update(deck, *ours);
      if (const Deck* earlier = FindRenamed(deck)) {
        renamed_.emplace_back(deck.row.name + kSeparator, earlier->row.name + kSeparator);
        return Update(deck, *earlier);
      }
      MakeNameDiffer(deck);
    }
    // A filtered deck has no children.
    if (const Deck* parent = FirstExistingParent(deck.row.name); parent != nullptr && parent->IsFiltered()) {
      Deck substitute(parent->row.name);
      if (const Deck* earlier = FindRenamed(substitute)) {
        renamed_.emplace_back(substitute.row.name + kSeparator, earlier->row.name + kSeparator);
      } else {
        MakeNameDiffer(substitute);
        Add(substitute);
      }
      Reparent(deck);
      if (const Deck* ours = Find(deck.row.name);
          ours != nullptr && ours->IsFiltered() == deck.IsFiltered()) {
        return Update(deck, *ours);
      }
    }
    const std::int64_t package_id = deck.row.id;
    result_.ids[package_id] = Add(deck);
  }

  // A limit for today stays one for today; an older one stays in the past. False: our collection has no past.
  bool MoveLimit(schema18::NormalDeck::DayLimit& limit) const {
    const auto today = static_cast<std::uint32_t>(moment_.our_day);
    if (static_cast<std::int64_t>(limit.today()) == moment_.source_day) {
      limit.set_today(today);
    } else if (today > 0) {
      limit.set_today(std::min(limit.today(), today - 1));
    } else {
      return false;
    }
    return true;
  }

  void Reparent(Deck& deck) {
    work_.Spend(renamed_.size());
    for (const auto& [old_parent, new_parent] : renamed_) {
      if (!deck.row.name.starts_with(old_parent)) continue;
      deck.row.name = new_parent + deck.row.name.substr(old_parent.size());
      return;
    }
  }

  void MakeNameDiffer(Deck& deck) {
    const std::string old_parent = deck.row.name + kSeparator;
    deck.row.name += ' ' + suffix_;
    renamed_.emplace_back(old_parent, deck.row.name + kSeparator);
  }

  // The deck that an earlier import has renamed for this one (MakeNameDiffer): importing again must not add another.
  const Deck* FindRenamed(const Deck& deck) {
    work_.Spend(by_name_.size());
    const std::string prefix = KeyOf(deck.row.name + ' ');
    const Deck* found = nullptr;
    for (const auto& [key, other] : by_name_) {
      if (other.IsFiltered() != deck.IsFiltered() || !key.starts_with(prefix) || key.size() == prefix.size())
        continue;
      if (key.find_first_not_of("0123456789", prefix.size()) != std::string::npos) continue;
      if (found == nullptr || other.row.id < found->row.id) found = &other;
    }
    return found;
  }

  const Deck* FirstExistingParent(std::string_view name) {
    for (std::string_view parent = ParentOf(name); !parent.empty(); parent = ParentOf(parent)) {
      if (const Deck* found = Find(parent)) return found;
    }
    return nullptr;
  }

  void Update(const Deck& incoming, const Deck& ours) {
    Deck changed = ours;
    if (incoming.IsFiltered()) {
      *changed.kind.mutable_filtered() = incoming.kind.filtered();
    } else {
      const auto& from = incoming.kind.normal();
      auto& to = *changed.kind.mutable_normal();
      if (!from.description().empty()) {
        to.set_markdown_description(from.markdown_description());
        to.set_description(from.description());
      }
      if (from.config_id() != kDefaultConfig) to.set_config_id(from.config_id());
      if (from.has_review_limit()) to.set_review_limit(from.review_limit());
      if (from.has_new_limit()) to.set_new_limit(from.new_limit());
      if (from.has_review_limit_today()) *to.mutable_review_limit_today() = from.review_limit_today();
      if (from.has_new_limit_today()) *to.mutable_new_limit_today() = from.new_limit_today();
    }
    result_.ids[incoming.row.id] = ours.row.id;
    if (changed.kind.SerializeAsString() == ours.kind.SerializeAsString()) {
      result_.outcomes.push_back({ours.row.id, HumanDeckName(ours.row.name), "unchanged"});
      return;
    }
    changed.row.mod = std::max(moment_.now_ms / 1000, ours.row.mod);
    Store(changed, "updated");
  }

  // Returns the new id.
  std::int64_t Add(Deck& deck) {
    deck.row.name = NativeDeckName(HumanDeckName(deck.row.name));
    while (Find(deck.row.name) != nullptr) deck.row.name += '+';
    if (const Deck* parent = FirstExistingParent(deck.row.name)) {
      // In the spelling of the parent.
      std::string_view rest = deck.row.name;
      for (std::size_t i = LevelOf(parent->row.name); i > 0; --i)
        rest.remove_prefix(rest.find(kSeparator) + 1);
      deck.row.name = parent->row.name + kSeparator + std::string(rest);
    }
    for (std::string_view name = ParentOf(deck.row.name); !name.empty(); name = ParentOf(name)) {
      if (Find(name) != nullptr) continue;
      Deck parent{std::string(name)};
      Insert(parent);
    }
    Insert(deck);
    return deck.row.id;
  }

  void Insert(Deck& deck) {
    deck.row.id = new_ids_.Next();
    deck.row.mod = moment_.now_ms / 1000;
    ++result_.added;
    Store(deck, "added");
  }

  void Store(Deck& deck, const char* what) {
    constexpr std::size_t kCopies = 32;  // of names: they stay in memory
    work_.Spend(kCopies * deck.row.name.size());
    deck.row.usn = moment_.usn;
    Object object = deck.ToObject();
    std::string key = UnicaseKey(object.name);
    result_.outcomes.push_back({object.id, object.name, what});
    by_name_.insert_or_assign(KeyOf(deck.row.name), deck);
    // Two decks of the package may have the name of one of ours.
    const auto [place, is_first] = places_.emplace(object.id, result_.taken.size());
    TakenObject taken{ObjectKind::kDeck, std::move(object), std::move(key), false};
    if (is_first) {
      result_.taken.push_back(std::move(taken));
    } else {
      result_.taken[place->second] = std::move(taken);
    }
  }

  const ImportMoment& moment_;
  NewIds new_ids_;
  Work work_;
  std::map<std::string, Deck> by_name_;
  std::set<std::int64_t> configs_;
  std::vector<std::pair<std::string, std::string>> renamed_;  // prefixes: old, new
  std::string suffix_;
  std::map<std::int64_t, std::size_t> places_;  // in result_.taken, by id
  DeckImport result_;
};

void ResetStudy(Deck& deck) {
  deck.common = {};
  if (!deck.kind.has_normal()) return;
  auto& normal = *deck.kind.mutable_normal();
  normal.clear_extend_new();
  normal.clear_extend_review();
  normal.clear_review_limit();
  normal.clear_review_limit_today();
  normal.clear_new_limit();
  normal.clear_new_limit_today();
}

// --- Tags

// As Rust's char::is_whitespace, in UTF-8; what a tag's part is trimmed of.
std::size_t SpaceAt(std::string_view text, std::size_t at) {
  static constexpr std::string_view kSpaces[] = {
      "\t",           "\n",           "\v",           "\f",           "\r",           " ",
      "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82",
      "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88",
      "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F",
      "\xE3\x80\x80"};
  for (const std::string_view space : kSpaces) {
    if (text.substr(at).starts_with(space)) return space.size();
  }
  return 0;
}

std::string_view Trimmed(std::string_view text) {
  while (const std::size_t size = text.empty() ? 0 : SpaceAt(text, 0)) text.remove_prefix(size);
  for (bool is_trimmed = false; !is_trimmed;) {
    is_trimmed = true;
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
      if (SpaceAt(text, text.size() - back) != back) continue;
      text.remove_suffix(back);
      is_trimmed = false;
      break;
    }
  }
  return text;
}

bool IsControl(unsigned char c) {
  return c < 0x20 || c == 0x7F;
}

std::string NormalTag(std::string_view tag) {
  std::string normal;
  for (std::size_t at = 0; at <= tag.size();) {
    const std::size_t end = std::min(tag.find("::", at), tag.size());
    std::string part = Nfc(tag.substr(at, end - at));
    std::erase_if(part, [](char c) { return IsControl(static_cast<unsigned char>(c)); });
    const std::string_view trimmed = Trimmed(part);
    normal += trimmed.empty() ? std::string_view("blank") : trimmed;
    if (end == tag.size()) break;
    normal += "::";
    at = end + 2;
  }
  return normal;
}

// Calls each(tag) for the tags of a note: separated by spaces, ASCII or ideographic.
template <typename Each>
void EachTag(std::string_view tags, Each each) {
  constexpr std::string_view kWideSpace = "\xE3\x80\x80";
  while (!tags.empty()) {
    const std::size_t plain = tags.find(' '), wide = tags.find(kWideSpace);
    const std::size_t end = std::min({plain, wide, tags.size()});
    if (end > 0) each(tags.substr(0, end));
    tags.remove_prefix(std::min(tags.size(), end + (end == plain ? 1 : kWideSpace.size())));
  }
}

bool IsSystemTag(std::string_view tag) {
  const auto is = [&](std::string_view name) {
    return std::equal(tag.begin(), tag.end(), name.begin(), name.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  };
  return is("marked") || is("leech");
}

// --- Cards

constexpr std::int32_t kNew = 0, kLearning = 1, kReviewing = 2,
                       kRelearning = 3;                 // types; the first three also queues
constexpr std::int32_t kDayLearning = 3, kPreview = 4;  // queues

// The members of a card's data that survive a reset.
std::string ResetData(const std::string& data) {
  JsonWriter json;
  json.Object();
  try {
    const JsonSpans spans(data, 1);
    spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
      const std::string_view key = spans.Key(member);
      if (key == "dr" || key == "decay" || key == "lrt" || key == "cd")
        json.Add(key, RawJson{spans.Raw(member)});
    });
  } catch (const BadJson&) {
  }
  return json.Finish();
}

std::optional<std::int64_t> PositionIn(const std::string& data) {
  std::optional<std::int64_t> position;
  try {
    if (const auto digits = FindMember(data, "pos")) position = WholeNumber(*digits);
  } catch (const BadJson&) {
  }
  if (position && (*position < 0 || *position > std::numeric_limits<std::uint32_t>::max()))
    return std::nullopt;
  return position;
}

}  // namespace

std::string MergedFields(std::string_view fields, const NotetypeMerge& merge) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= fields.size(); at += parts.back().size() + 1)
    parts.push_back(fields.substr(at, fields.find(kSeparator, at) - at));
  std::string merged;
  for (std::size_t i = 0; i < merge.fields.size(); ++i) {
    if (i > 0) merged += kSeparator;
    if (merge.fields[i] < parts.size()) merged += parts[merge.fields[i]];
  }
  return merged;
}

NotetypeImport ImportNotetypes(const std::vector<Object>& incoming, const std::vector<Object>& ours,
                               const ImportOptions& options, const ImportMoment& moment) {
  return NotetypeImporter(ours, options, moment).Run(incoming);
}

PackageDecks SelectDecks(const SmallObjects& package, const CardHomes& homes, const ImportOptions& options) {
  std::set<std::int64_t> used;
  for (const auto& [deck, original] : homes) {
    used.insert(deck);
    if (options.with_scheduling) used.insert(original);
  }
  std::map<std::string, const Object*> by_name;
  for (const Object& deck : package.decks) by_name.emplace(UnicaseKey(deck.name), &deck);
  std::vector<Deck> decks;
  std::set<std::int64_t> selected;
  const auto select = [&](const Object& object) {
    // Without scheduling the default deck is left out, so that ours does not change.
    if (!options.with_scheduling && object.id == kDefaultDeck) return;
    if (selected.insert(object.id).second) decks.emplace_back(object);
  };
  for (const Object& object : package.decks) {
    if (used.contains(object.id)) select(object);
  }
  for (std::size_t i = 0, count = decks.size(); i < count; ++i) {
    const std::string name = decks[i].row.name;
    for (std::string_view parent = ParentOf(name); !parent.empty(); parent = ParentOf(parent)) {
      const auto found = by_name.find(UnicaseKey(HumanDeckName(std::string(parent))));
      // What is selected already has its own parents.
      if (found == by_name.end() || selected.contains(found->second->id)) break;
      select(*found->second);
    }
  }

  PackageDecks result;
  std::map<std::int64_t, bool> is_filtered;
  for (const Deck& deck : decks) is_filtered[deck.row.id] = deck.IsFiltered();
  for (const auto& [deck, original] : homes) {
    const auto found = is_filtered.find(deck);
    const bool is_normal = original == 0 && found != is_filtered.end() && !found->second;
    if (!is_normal && original != kDefaultDeck && !is_filtered.contains(original))
      result.keeps_filtered = false;
  }
  std::set<std::int64_t> configs;
  for (Deck& deck : decks) {
    if (deck.kind.has_normal()) {
      if (options.with_deck_configs) {
        configs.insert(deck.kind.normal().config_id());
      } else {
        deck.kind.mutable_normal()->set_config_id(kDefaultConfig);
      }
    }
    if (!options.with_scheduling) ResetStudy(deck);
    if (deck.IsFiltered() && (!options.with_scheduling || !result.keeps_filtered)) {
      deck.kind.mutable_normal()->set_config_id(kDefaultConfig);
    }
    result.decks.push_back(deck.ToObject());
  }
  for (const Object& config : package.deck_configs) {
    if (!configs.contains(config.id)) continue;
    Object taken = config;
    if (!options.with_scheduling) {
      DeckConfigRow row = DeckConfigFromJson(config.json);
      auto parsed = Parsed<schema18::DeckConfig>(row.config);
      parsed.clear_fsrs_params_4();
      parsed.clear_fsrs_params_5();
      parsed.clear_fsrs_params_6();
      row.config = parsed.SerializeAsString();
      taken.json = DeckConfigToJson(row);
    }
    result.configs.push_back(std::move(taken));
  }
  return result;
}

DeckImport ImportDecks(const PackageDecks& package, const SmallObjects& ours, const ImportMoment& moment) {
  return DeckImporter(ours, package, moment).Run(package.decks);
}

std::vector<TakenObject> ImportDeckConfigs(const std::vector<Object>& incoming,
                                           const std::vector<Object>& ours, const ImportMoment& moment) {
  std::set<std::int64_t> known;
  for (const Object& config : ours) known.insert(config.id);
  std::vector<TakenObject> taken;
  for (const Object& config : incoming) {
    if (!known.insert(config.id).second) continue;
    DeckConfigRow row = DeckConfigFromJson(config.json);
    row.id = config.id;
    row.usn = moment.usn;
    Object object{row.id, row.name, row.mod, moment.usn, DeckConfigToJson(row), 0, 0, moment.usn};
    std::string key = UnicaseKey(object.name);
    taken.push_back({ObjectKind::kDeckConfig, std::move(object), std::move(key), false});
  }
  return taken;
}

ImportedTags::ImportedTags(const std::vector<Tag>& ours) {
  for (const Tag& tag : ours) names_.emplace(TagKey(tag.name), tag.name);
}

std::string ImportedTags::Register(std::string_view tag) {
  std::string name = NormalTag(tag);
  std::string key = TagKey(name);
  if (const auto found = names_.find(key); found != names_.end()) return found->second;
  // A new tag adopts the spelling of its longest existing parent, if it is as short as the tags of a sync that do.
  constexpr std::size_t kMaxNestedTagBytes = 1000;
  const auto last = name.size() > kMaxNestedTagBytes ? std::string::npos : name.rfind("::");
  for (auto at = last; at != std::string::npos && at > 0; at = name.rfind("::", at - 1)) {
    const auto found = names_.find(TagKey(std::string_view(name).substr(0, at)));
    if (found == names_.end()) continue;
    name = found->second + name.substr(at);
    key = TagKey(name);
    break;
  }
  names_.emplace(key, name);
  added_.emplace_back(std::move(key), name);
  return name;
}

std::string ImportedTags::Canonical(std::string_view tags, bool keeps_system_tags) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  EachTag(tags, [&](std::string_view tag) {
    if (!keeps_system_tags && IsSystemTag(tag)) return;
    std::string name = Register(tag);
    if (seen.insert(UnicaseKey(name)).second) names.push_back(std::move(name));
  });
  if (names.empty()) return "";
  std::stable_sort(names.begin(), names.end(),
                   [](const std::string& a, const std::string& b) { return UnicaseCompare(a, b) < 0; });
  std::string joined = " ";
  for (const std::string& name : names) joined += name + " ";
  return joined;
}

NoteFate FateOf(const std::optional<KnownNote>& ours, std::int64_t incoming_mod, std::int64_t notetype_id,
                const ImportOptions& options) {
  if (!ours) return NoteFate::kAdded;
  if (ours->notetype_id != notetype_id && !options.changes_notetypes) return NoteFate::kConflicting;
  return ShouldUpdate(options.update_notes, ours->mod, incoming_mod) ? NoteFate::kUpdated
                                                                     : NoteFate::kDuplicate;
}

void NormalizeFields(std::string& fields, bool to_nfc) {
  std::erase_if(fields, [](char c) {
    return IsControl(static_cast<unsigned char>(c)) && c != '\n' && c != '\t' && c != kSeparator;
  });
  if (to_nfc) fields = Nfc(fields);
}

bool FreeIds::IsUsed(std::int64_t id) const {
  return moved_.contains(id) || std::binary_search(used_.begin(), used_.end(), id);
}

std::int64_t FreeIds::Take(std::int64_t id) {
  // The steps are upstream's. Ids of a hostile package could lie so that each takes as many steps as there are ids.
  constexpr int kMaxSteps = 1000;
  std::int64_t free = id;
  for (int step = 0; IsUsed(free); ++step)
    free = step < kMaxSteps && --steps_left_ >= 0 ? free + 999 : highest_ + 1;
  if (free != id) moved_.insert(free);
  highest_ = std::max(highest_, free);
  return free;
}

CardPreparation::CardPreparation(const SmallObjects& package, bool upgrades, bool keeps_filtered,
                                 const ImportOptions& options, std::int64_t next_position)
    : upgrades_(upgrades),
      keeps_filtered_(keeps_filtered),
      with_scheduling_(options.with_scheduling),
      next_position_(next_position) {
  if (!upgrades) return;
  for (const Object& object : package.decks) {
    const Deck deck(object);
    if (deck.IsFiltered()) {
      filters_[object.id] = {deck.kind.filtered().delays_size() > 0, deck.kind.filtered().reschedule()};
    } else {
      deck_configs_[object.id] = deck.kind.normal().config_id();
    }
  }
  for (const Object& object : package.deck_configs) {
    const auto config = Parsed<schema18::DeckConfig>(DeckConfigFromJson(object.json).config);
    steps_[object.id] = {config.learn_steps_size(), config.relearn_steps_size()};
  }
}

void CardPreparation::Prepare(Card& card) {
  if (upgrades_) Upgrade(card);
  if (!with_scheduling_) {
    Reset(card);
  } else if (!keeps_filtered_ && card.original_deck_id != 0) {
    // The deck becomes a normal one, and the card stays in it.
    if (card.original_due != 0) card.due = card.original_due;
    if (card.queue >= 0) card.queue = UnburiedQueue(card.type, card.due);
    card.original_deck_id = 0;
    card.original_due = 0;
  }
  if (card.data.empty()) card.data = "{}";
}

void CardPreparation::Prepare(Review& review) const {
  // That scheduler had no "hard" button for learning cards.
  if (upgrades_ && (review.ease == 2 || review.ease == 3) && (review.type == 0 || review.type == 2))
    ++review.ease;
}

void CardPreparation::Upgrade(Card& card) const {
  if (card.original_deck_id == 0 && card.type != kReviewing) return;
  if (card.type == kReviewing && (card.queue == kLearning || card.queue == kDayLearning))
    card.type = kRelearning;
  const auto filter = filters_.find(card.deck_id);
  if (card.original_deck_id == 0 || filter == filters_.end()) return;
  if (filter->second.has_steps) {
    const auto config = deck_configs_.find(card.original_deck_id);
    const auto steps = steps_.find(config == deck_configs_.end() ? kDefaultConfig : config->second);
    const std::int64_t count = steps == steps_.end()     ? 0
                               : card.type == kReviewing ? steps->second.second
                                                         : steps->second.first;
    card.left = std::min(card.left, count);
  }
  if (filter->second.reschedules) {
    if (card.queue == kNew && card.type != kNew) card.queue = UnburiedQueue(card.type, card.due);
  } else {
    if (card.queue == kNew) card.queue = kReviewing;
    if (card.type == kLearning) {
      card.queue = kPreview;
      card.type = kNew;
    }
  }
}

void CardPreparation::Reset(Card& card) {
  std::optional<std::int64_t> position;
  if (card.type == kNew) {
    position = card.original_deck_id > 0 ? card.original_due : card.due;
  } else {
    position = PositionIn(card.data);
  }
  if (!position) position = next_position_++;
  card.due = static_cast<std::int32_t>(static_cast<std::uint32_t>(*position));
  card.original_deck_id = 0;
  card.original_due = 0;
  card.type = kNew;
  card.queue = kNew;
  card.interval = 0;
  card.factor = 0;
  card.reps = 0;
  card.lapses = 0;
  card.flags = 0;
  card.data = ResetData(card.data);
}

void ShiftDays(Card& card, const ImportMoment& moment) {
  const auto delta = static_cast<std::int32_t>(moment.source_day - moment.our_day);
  if (card.queue == kReviewing || card.queue == kDayLearning || card.type == kReviewing) {
    card.due = static_cast<std::int32_t>(static_cast<std::int64_t>(card.due) - delta);
  }
  if (card.type == kReviewing && card.original_due != 0) {
    card.original_due = static_cast<std::int32_t>(static_cast<std::int64_t>(card.original_due) - delta);
  }
}

}  // namespace syncline::anki
