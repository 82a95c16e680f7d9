# Test programs: every tests/unit/*_test.cpp needs nothing; every tests/store/*_test.cpp needs DATABASE_URL.
find_package(Boost REQUIRED COMPONENTS unit_test_framework)
file(GLOB support_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.cpp)
if(support_sources)
  add_library(test_support STATIC ${support_sources})
  target_link_libraries(test_support PUBLIC syncline_front syncline_jobs syncline_admin_commands)
endif()
file(GLOB test_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*_test.cpp ${CMAKE_SOURCE_DIR}/tests/store/*_test.cpp)
foreach(source IN LISTS test_sources)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK BOOST_TEST_MODULE=${name})
  target_link_libraries(${name} PRIVATE $<TARGET_NAME_IF_EXISTS:test_support> syncline_front syncline_jobs
                        syncline_admin_commands Boost::unit_test_framework)
endforeach()

# The load generator of tests/bench. It must cost little, so it is built without anything of the server.
add_executable(bench-load tests/bench/load.cpp tests/bench/connection.cpp)
target_link_libraries(bench-load PRIVATE PkgConfig::ZSTD Threads::Threads)

# Shows the scripts of tests/clients what we make of a collection file.
add_executable(collection_file_tool tests/support/file_tool/main.cpp)
target_link_libraries(collection_file_tool PRIVATE syncline_anki)
