# Writes one header with every statement of one service: cmake -DSERVICE=... -DFILES=... -DOUT=... -P embed.cmake
#
# sql/queries/anki/lock_collection.sql becomes syncline::sql::anki::lock_collection, prepared and logged as
# "anki.lock_collection". The text is copied as it is: file(CONFIGURE) would replace @x@. A first line
# "-- plan: free" sets the statement's Plan (sql/statement.h). In place of a line "-- include: NAME" comes the file
# NAME.part of the same folder: what several statements have in common.
file(WRITE "${OUT}.tmp" "#pragma once\n#include \"sql/statement.h\"\nnamespace syncline::sql::${SERVICE} {\n")
string(REPLACE "|" ";" FILES "${FILES}")
set(all "")
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME_WE)
  get_filename_component(folder "${file}" DIRECTORY)
  file(READ "${file}" text)
  while(text MATCHES "-- include: ([a-z_]+)\n")
    set(line "${CMAKE_MATCH_0}")
    file(READ "${folder}/${CMAKE_MATCH_1}.part" part)
    string(REPLACE "${line}" "${part}" text "${text}")
  endwhile()
  file(APPEND "${OUT}.tmp" "inline constexpr Statement ${name}{\"${SERVICE}.${name}\", R\"__sql__(")
  file(APPEND "${OUT}.tmp" "${text}")
  set(plan "")
  if(text MATCHES "^-- plan: ([^\n]*)")
    if(NOT CMAKE_MATCH_1 STREQUAL "free")
      message(FATAL_ERROR "${file}: there is no plan '${CMAKE_MATCH_1}', only 'free'")
    endif()
    set(plan ", Plan::kFree")
  endif()
  file(APPEND "${OUT}.tmp" ")__sql__\"${plan}};\n")
  string(APPEND all "${name}, ")
endforeach()
file(APPEND "${OUT}.tmp" "inline constexpr Statement kAll[] = {${all}};\n")
file(APPEND "${OUT}.tmp" "}  // namespace syncline::sql::${SERVICE}\n")
execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different "${OUT}.tmp" "${OUT}")
file(REMOVE "${OUT}.tmp")
