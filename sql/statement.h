#pragma once
// A statement is a file: sql/queries/<service>/<name>.sql. Its name is the same in C++, in
// pg_prepared_statements and in the log.
namespace syncline::sql {

/// Which plans PostgreSQL may choose from.
enum class Plan {
  /// One generic plan for a session, with hash joins, merge joins and sequential scans off: for statements that
  /// look up rows by keys. The default.
  kByKey,
  /// PostgreSQL's own choice, planned for the values given as long as that pays: for statements that search or
  /// compare many rows. The first line of the file is "-- plan: free". The switch costs a short command in the
  /// same round trip, and another one if a statement of kByKey follows in the transaction. For reading only:
  /// a session keeps the plans of its foreign key checks as they were first made.
  kFree,
};

struct Statement {
  const char* name;  ///< "<service>.<file>", also the name it is prepared under
  const char* text;  ///< the file's bytes; parameters are $1, $2, ...
  Plan plan = Plan::kByKey;
};

}  // namespace syncline::sql
