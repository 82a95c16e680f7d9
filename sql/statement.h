#pragma once
// Each statement is a file: sql/queries/<service>/<name>.sql. It has the same name in C++, in
// pg_prepared_statements and in the log.
namespace syncline::sql {

/// Which plans PostgreSQL may choose from.
enum class Plan {
  /// One generic plan per session, without hash joins, merge joins and sequential scans: for statements that
  /// look up rows by key. The default.
  kByKey,
  /// PostgreSQL's own choice, planned for the given values while that pays off: for statements that search or
  /// compare many rows. Declared by the first line "-- plan: free". The switch costs a short command in the
  /// same round trip, and another one if a kByKey statement follows in the transaction. For reads only: a
  /// session keeps the plans of its foreign key checks as first made.
  kFree,
};

struct Statement {
  const char* name;  ///< "<service>.<file>", also the name it is prepared under
  const char* text;  ///< the file's bytes; parameters are $1, $2, ...
  Plan plan = Plan::kByKey;
};

}  // namespace syncline::sql
