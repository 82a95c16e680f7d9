#include "handlers/schedule/lessons/group_rules.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace syncline::schedule {
namespace {

// With fewer groups nothing is concluded.
constexpr std::size_t kFewGroups = 10;

using Candidates = std::multimap<std::string, std::size_t>;

template <typename Test>
std::optional<std::size_t> OnlyOne(const std::vector<std::size_t>& candidates, const Test& test) {
  std::optional<std::size_t> found;
  for (const std::size_t candidate : candidates) {
    if (!test(candidate)) continue;
    if (found) return std::nullopt;
    found = candidate;
  }
  return found;
}

template <typename Test>
std::optional<std::size_t> First(const std::vector<std::size_t>& candidates, const Test& test) {
  const auto found = std::find_if(candidates.begin(), candidates.end(), test);
  return found == candidates.end() ? std::nullopt : std::optional(*found);
}

// Rows of one name: active ones, or else inactive ones, which may come back.
std::vector<std::size_t> OfName(std::span<const KnownGroup> known, const Candidates& by_key,
                                const std::string& key) {
  std::vector<std::size_t> active, inactive;
  const auto [begin, end] = by_key.equal_range(key);
  for (auto at = begin; at != end; ++at)
    (known[at->second].is_active ? active : inactive).push_back(at->second);
  return active.empty() ? inactive : active;
}

bool Has(const std::vector<std::int64_t>& institutes, std::int64_t one) {
  return std::find(institutes.begin(), institutes.end(), one) != institutes.end();
}

using ByNumber = std::map<std::int64_t, std::size_t>;

// The entry and the row of a group that has another name now: one unknown name under the number of a group that is no longer
// listed, while most other numbers have stayed. When numbers or many names change at once, groups cannot be
// identified.
std::optional<std::pair<std::size_t, std::size_t>> OnlyRename(std::span<const KnownGroup> known,
                                                              std::span<const GroupEntry> entries,
                                                              const std::vector<GroupMatch>& matches,
                                                              const ByNumber& by_number,
                                                              const std::map<std::string, int>& listed) {
  std::optional<std::pair<std::size_t, std::size_t>> renamed;
  std::size_t kept = 0, moved = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto number = entries[i].upstream_id;
    if (!number) continue;
    if (matches[i].known) {
      ++(known[*matches[i].known].upstream_id == number ? kept : moved);
      continue;
    }
    const auto row = by_number.find(*number);
    if (row == by_number.end() || listed.contains(known[row->second].key)) continue;
    if (renamed) return std::nullopt;
    renamed.emplace(i, row->second);
  }
  return kept > 2 * moved ? renamed : std::nullopt;
}

}  // namespace

std::vector<std::optional<std::size_t>> MatchInstitutes(std::span<const KnownInstitute> known,
                                                        std::span<const InstituteEntry> entries,
                                                        Listing listing) {
  std::vector<std::optional<std::size_t>> matches(entries.size());
  std::set<std::size_t> used;
  std::set<std::int64_t> listed;
  std::vector<std::size_t> all(known.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  for (const InstituteEntry& entry : entries) {
    if (entry.upstream_id) listed.insert(*entry.upstream_id);
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const InstituteEntry& entry = entries[i];
    matches[i] = First(all, [&](std::size_t k) {
      return known[k].upstream_id == entry.upstream_id && (entry.upstream_id || known[k].key == entry.key);
    });
    if (matches[i]) used.insert(*matches[i]);
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const InstituteEntry& entry = entries[i];
    if (matches[i] || !entry.upstream_id) continue;
    // It has got its first number, or another one, which only an index can tell.
    matches[i] = OnlyOne(all, [&](std::size_t k) {
      const auto number = known[k].upstream_id;
      const bool is_free = !number || (listing == Listing::kIndex && !listed.contains(*number));
      return !used.contains(k) && known[k].key == entry.key && is_free;
    });
    if (matches[i]) used.insert(*matches[i]);
  }
  return matches;
}

std::vector<GroupMatch> MatchGroups(std::span<const KnownGroup> known, std::span<const GroupEntry> entries,
                                    Listing listing) {
  std::vector<GroupMatch> matches(entries.size());
  std::set<std::size_t> used;
  Candidates by_key;
  ByNumber by_number;
  for (std::size_t k = 0; k < known.size(); ++k) {
    by_key.emplace(known[k].key, k);
    if (known[k].upstream_id) by_number.emplace(*known[k].upstream_id, k);
  }
  std::map<std::string, int> listed;
  for (const GroupEntry& entry : entries) ++listed[entry.key];

  const auto match = [&](std::size_t entry, std::optional<std::size_t> row) {
    if (!row) return;
    matches[entry].known = row;
    used.insert(*row);
  };
  // The most certain matches first: the name in the same institute, then with the same number, then the only
  // one of the name.
  const auto each_unmatched = [&](const auto& find) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!matches[i].known) match(i, find(entries[i]));
    }
  };
  const auto of_name = [&](const GroupEntry& entry) {
    std::vector<std::size_t> rows = OfName(known, by_key, entry.key);
    std::erase_if(rows, [&](std::size_t k) { return used.contains(k); });
    return rows;
  };
  each_unmatched([&](const GroupEntry& entry) {
    return First(of_name(entry), [&](std::size_t k) { return Has(entry.institutes, known[k].institute); });
  });
  each_unmatched([&](const GroupEntry& entry) {
    return First(of_name(entry), [&](std::size_t k) {
      return entry.upstream_id && known[k].upstream_id == entry.upstream_id;
    });
  });
  each_unmatched([&](const GroupEntry& entry) -> std::optional<std::size_t> {
    if (listed[entry.key] != 1) return std::nullopt;
    const auto only = OnlyOne(of_name(entry), [](std::size_t) { return true; });
    if (!only || listing == Listing::kIndex) return only;
    // For a client's group: another institute may have a group of that name, too.
    const std::int64_t institute = known[*only].institute;
    return institute == 0 || institute == entry.like_named ? only : std::nullopt;
  });
  if (listing == Listing::kIndex) {
    if (const auto renamed = OnlyRename(known, entries, matches, by_number, listed))
      match(renamed->first, renamed->second);
  }

  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::vector<std::int64_t>& institutes = entries[i].institutes;
    const std::int64_t current = matches[i].known ? known[*matches[i].known].institute : 0;
    matches[i].institute = Has(institutes, current) ? current : institutes.front();
  }
  return matches;
}

bool IsForeign(std::span<const KnownGroup> known, std::span<const GroupEntry> entries) {
  std::set<std::int64_t> numbers;
  std::set<std::string> keys;
  for (const KnownGroup& group : known) {
    if (group.upstream_id) numbers.insert(*group.upstream_id);
    keys.insert(group.key);
  }
  std::size_t of_known_number = 0, unknown = 0;
  for (const GroupEntry& entry : entries) {
    if (!entry.upstream_id || !numbers.contains(*entry.upstream_id)) continue;
    ++of_known_number;
    unknown += keys.contains(entry.key) ? 0 : 1;
  }
  return of_known_number >= kFewGroups && 2 * unknown > of_known_number;
}

}  // namespace syncline::schedule
