# Every tests/fuzz/*_fuzz.cpp is one libFuzzer target; its seed inputs are in tests/fuzz/corpus/<target>.
add_custom_target(fuzz_targets)
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cpp)
foreach(source IN LISTS fuzz_sources)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE syncline_front -fsanitize=fuzzer)
  add_dependencies(fuzz_targets ${name})
endforeach()
