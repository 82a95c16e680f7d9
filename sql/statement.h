#pragma once
// A statement is a file: sql/queries/<service>/<name>.sql. Its name is the same in C++, in
// pg_prepared_statements and in the log.
namespace syncline::sql {

struct Statement {
  const char* name;  ///< "<service>.<file>", also the name it is prepared under
  const char* text;  ///< the file's bytes; parameters are $1, $2, ...
};

}  // namespace syncline::sql
