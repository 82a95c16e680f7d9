# Test programs: tests/unit/*_test.cpp need no server; tests/store/*_test.cpp need DATABASE_URL. More than half of a build,
# so not part of the target `all`.
add_custom_target(test_programs)
set(test_options)
if(SYNCLINE_SANITIZE)
  # What is tested keeps all sanitizers. A test compiles in two thirds of the time with the one for addresses only
  # (jobs_test 14.6 to 9.6 s, json_test 11.2 to 6.9 s).
  set(test_options -fno-sanitize=undefined,fuzzer-no-link)
endif()
find_package(Boost REQUIRED COMPONENTS unit_test_framework)
file(GLOB support_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.cpp)
if(support_sources)
  add_library(test_support STATIC EXCLUDE_FROM_ALL ${support_sources})
  set_source_files_properties(${CMAKE_SOURCE_DIR}/tests/support/stand_in.cpp PROPERTIES
                              COMPILE_DEFINITIONS "SYNCLINE_SOURCE=\"${CMAKE_SOURCE_DIR}\"")
  target_link_libraries(test_support PUBLIC syncline_front syncline_jobs syncline_admin_commands)
endif()
file(GLOB test_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*_test.cpp ${CMAKE_SOURCE_DIR}/tests/store/*_test.cpp)
foreach(source IN LISTS test_sources)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} EXCLUDE_FROM_ALL ${source})
  add_dependencies(test_programs ${name})
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK BOOST_TEST_MODULE=${name})
  target_compile_options(${name} PRIVATE ${test_options})
  target_link_libraries(${name} PRIVATE $<TARGET_NAME_IF_EXISTS:test_support> syncline_front syncline_jobs
                        syncline_admin_commands Boost::unit_test_framework)
endforeach()

# The load generator of tests/bench. It must use little CPU, so it links nothing of the server.
add_executable(bench-load tests/bench/load.cpp tests/bench/connection.cpp)
target_link_libraries(bench-load PRIVATE PkgConfig::ZSTD Threads::Threads)

# Prints for the scripts of tests/clients how the server reads a collection file.
add_executable(collection_file_tool tests/support/file_tool/main.cpp)
target_link_libraries(collection_file_tool PRIVATE syncline_anki)

# A worker whose jobs pause where tests/chaos wants to kill it; it has its own statements.
file(GLOB chaos_queries CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/chaos/queries/*.sql)
set(chaos_header ${CMAKE_BINARY_DIR}/generated/tests/chaos/queries.h)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated/tests/chaos)
string(REPLACE ";" "|" joined "${chaos_queries}")
add_custom_command(OUTPUT ${chaos_header}
  COMMAND ${CMAKE_COMMAND} -DSERVICE=chaos "-DFILES=${joined}" -DOUT=${chaos_header} -P ${CMAKE_SOURCE_DIR}/sql/embed.cmake
  DEPENDS ${chaos_queries} ${CMAKE_SOURCE_DIR}/sql/embed.cmake VERBATIM)
add_executable(test-worker tests/chaos/test_worker.cpp ${chaos_header})
target_link_libraries(test-worker PRIVATE syncline_jobs)

add_executable(bench-jobs tests/bench/jobs.cpp)
target_link_libraries(bench-jobs PRIVATE syncline_jobs)
add_executable(bench-hello tests/bench/hello.cpp)
target_link_libraries(bench-hello PRIVATE syncline_services fcgi)

# The front with its own routes, for tests/wire.
add_executable(wire-server tests/wire/wire_server.cpp)
target_link_libraries(wire-server PRIVATE syncline_front)
