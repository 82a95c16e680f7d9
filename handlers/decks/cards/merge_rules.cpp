#include "handlers/decks/cards/merge_rules.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "handlers/decks/cards/card_rules.h"
#include "handlers/decks/dialect/tag_rules.h"

namespace syncline::decks {
namespace {

using Changes = std::vector<UnseenChange>;

// A copy may be of any time before the changes, so each value that was there counts; but none from before the pusher's own
// change of the same, which was a decision.
bool WasAnyThere(const Changes& changes, std::string_view kind, std::string_view field, auto is_value) {
  for (auto one = changes.rbegin(); one != changes.rend(); ++one) {
    if (one->kind != kind || one->field != field) continue;
    if (one->is_own) return false;
    if (is_value(one->old_value)) return true;
  }
  return false;
}

bool WasThere(const Changes& changes, std::string_view kind, std::string_view field, std::string_view value) {
  return WasAnyThere(changes, kind, field, [&](std::string_view old) { return old == value; });
}

std::int64_t KeepFields(const Fields& present, const Changes& changes, Fields& pushed) {
  std::int64_t kept = 0;
  for (const FieldValue& field : present) {
    FieldValue* mine = FindField(pushed, field.name);
    const std::string_view value = mine == nullptr ? kEmptyText : std::string_view(mine->json);
    if (value == field.json || !WasThere(changes, "modify", field.name, value)) continue;
    if (mine == nullptr) {
      pushed.push_back(field);
    } else {
      mine->json = field.json;
    }
    ++kept;
  }
  return kept + static_cast<std::int64_t>(std::erase_if(pushed, [&](const FieldValue& field) {
           return FindField(present, field.name) == nullptr &&
                  WasThere(changes, "modify", field.name, field.json);
         }));
}

// The tags that the pusher has: those before the first change that it has not seen, and what it has changed itself since.
std::optional<std::string> BaseOfTags(const std::string& now, const Changes& changes) {
  std::optional<std::string> base;
  const UnseenChange* own = nullptr;  // whose result is what was there before the next one
  const auto take = [&](const std::string& next) {
    if (own != nullptr && base) base = MergedTags(own->old_value, next, *base);
    own = nullptr;
  };
  for (const UnseenChange& one : changes) {
    if (one.kind != "tags") continue;
    take(one.old_value);
    if (one.is_own) {
      own = &one;
    } else if (!base) {
      base = one.old_value;
    }
  }
  take(now);
  return base;
}

std::int64_t KeepTags(const std::string& now, const Changes& changes, PushedCard& pushed) {
  const auto base = BaseOfTags(now, changes);
  if (!pushed.tags || *pushed.tags == now || !base) return 0;
  std::string merged =
      WasThere(changes, "tags", "", *pushed.tags) ? now : MergedTags(*base, *pushed.tags, now);
  if (merged == *pushed.tags) return 0;
  pushed.tags = std::move(merged);
  return 1;
}

std::string TypeKey(std::string_view name) {
  return Folded(OriginalName(name));
}

std::int64_t KeepType(const std::string& now, const Changes& changes, PushedCard& pushed) {
  const std::string key = TypeKey(pushed.note_type);
  const bool was_there =
      WasAnyThere(changes, "type", "", [&](std::string_view old) { return TypeKey(old) == key; });
  if (!was_there || key == TypeKey(now)) return 0;
  pushed.note_type = now;
  return 1;
}

std::int64_t KeepPath(const std::string& now, const Changes& changes, PushedCard& pushed) {
  if (!pushed.subdeck_path || *pushed.subdeck_path == now ||
      !WasThere(changes, "path", "", *pushed.subdeck_path))
    return 0;
  pushed.subdeck_path = now;
  return 1;
}

}  // namespace

std::int64_t KeepUnseen(const CardContent& now, const std::vector<UnseenChange>& changes,
                        PushedCard& pushed) {
  return KeepFields(ParseFields(now.fields), changes, pushed.fields) + KeepTags(now.tags, changes, pushed) +
         KeepType(now.note_type, changes, pushed) + KeepPath(now.subdeck_path, changes, pushed);
}

}  // namespace syncline::decks
