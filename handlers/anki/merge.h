#pragma once
// Which of two versions of a notetype, deck or deck config wins, who keeps a name, and what the client has to
// be told of that. Pure: what the database knows comes in, what is to be stored and sent goes out.
//
// Both sides of a sync apply the other's list. All devices end with one version only if, of every object that
// both have changed, one side keeps its own and the other takes it. What a client does with a list is
// upstream's rule (sync protocol 11): by id, in the order of the list; an incoming object is taken when the
// existing one's mod is not higher; a name that another object has gets "+" until it is free.
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "handlers/anki/rows_wire.h"

namespace syncline::anki {

/// The two usns of a session that decide merges, and the time for what the server changes itself.
struct MergeMoment {
  Usn server_usn;  ///< what is taken gets it
  Usn client_usn;  ///< the client has seen everything below
  std::int64_t now_s;
};

/// One of the objects that an incoming list can meet: one of its ids, or one of its names.
struct KnownObject {
  std::int64_t id, mod;
  Usn usn;
  std::int32_t field_count, template_count;
  std::string name_key;
  bool is_buried;  ///< by this very session: gone by the time objects are applied
};

/// Case-folded names and who has them.
using NameOwners = std::unordered_map<std::string, std::int64_t>;

/// An incoming object that is taken, as it will be stored.
struct TakenObject {
  ObjectKind kind;
  Object object;
  std::string name_key;
  bool goes_back;  ///< not as its sender has it: its name was taken, or its mod was too low for the others
};

struct MergedObjects {
  std::vector<TakenObject> taken;
  std::int32_t added = 0;  ///< of the taken ones, those that were not there
};

/// Merges a list of one kind into what is there. `known`: every object that has one of the incoming ids or
/// names. `all_names`: the names of all objects of the kind; asked for once, when a name turns out to be
/// taken.
///
/// A clash of names is judged by the state after the whole list: an object that is replaced or buried does
/// not hold its name. Error BadInput "notetype_schema_changed" when only a full sync can express a change,
/// "too_many_of_one_name" past 2,000 clashes of one.
MergedObjects MergeObjects(const MergeMoment& moment, ObjectKind kind, const std::vector<Object>& incoming,
                           const std::vector<KnownObject>& known,
                           const std::function<NameOwners()>& all_names);

/// The list of one kind that the client has to apply, in this order, to end with our objects. `unseen`: ours
/// that it has not seen; `sent` and `taken`: what it sent, and what became of that.
///
/// An object may be there twice. A client that applies "B is now A" before "A is now B" adds a "+" to the
/// first; so whatever may bear another name over there comes first under a name that nobody has.
std::vector<Object> ListForClient(const MergeMoment& moment, ObjectKind kind, std::vector<Object> unseen,
                                  const std::vector<Object>& sent, const std::vector<TakenObject>& taken);

}  // namespace syncline::anki
