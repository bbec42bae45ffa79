# SPDX-License-Identifier: Apache-2.0
# A room is one folder of src/: a static library that links only rooms on lower floors.
# Its tests are tests/<room>/*_test.cpp, one executable per room.
set(INGOT_ROOMS "" CACHE INTERNAL "")

# Where tests find their files. A header, not a flag: a compiler cache then knows every other test
# again in another folder.
if(INGOT_TESTS)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/tests/source_dir.h
       CONTENT "#pragma once\n#define INGOT_SOURCE_DIR \"${PROJECT_SOURCE_DIR}\"\n")
endif()

function(ingot_room name)
  cmake_parse_arguments(ROOM "" "" "ROOMS;LIBS;TEST_LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(ingot_${name} STATIC ${sources})
  # Not the kernels: Highway includes each of their files once per instruction set.
  if(INGOT_UNITY GREATER 1 AND NOT name STREQUAL "kernels")
    set_target_properties(ingot_${name} PROPERTIES UNITY_BUILD ON
                                                   UNITY_BUILD_BATCH_SIZE ${INGOT_UNITY})
  endif()
  # Rooms that only call others gain nothing from more, and compile in two thirds of the time.
  if(name MATCHES "^(cli|report)$")
    target_compile_options(ingot_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  target_include_directories(ingot_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                                                  $<INSTALL_INTERFACE:include/ingot>)
  foreach(room ${ROOM_ROOMS})
    target_link_libraries(ingot_${name} PUBLIC ingot_${room})
  endforeach()
  target_link_libraries(ingot_${name} PUBLIC $<BUILD_INTERFACE:ingot_flags> ${ROOM_LIBS})
  set(INGOT_ROOMS ${INGOT_ROOMS} ${name} CACHE INTERNAL "")
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*_test.cpp)
  file(GLOB_RECURSE helpers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*_cases.cpp)
  if(INGOT_TESTS AND tests)
    add_executable(${name}_test ${tests} ${helpers})
    target_link_libraries(${name}_test PRIVATE ingot_${name} ${ROOM_TEST_LIBS} GTest::gtest
                          GTest::gtest_main)
    if(INGOT_UNITY GREATER 1)
      set_target_properties(${name}_test PROPERTIES UNITY_BUILD ON
                                                    UNITY_BUILD_BATCH_SIZE ${INGOT_UNITY})
      # A replaced operator new must not be seen where it is called.
      list(FILTER helpers INCLUDE REGEX "_new_cases\\.cpp$")
      foreach(helper ${helpers})
        set_source_files_properties(${helper} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
      endforeach()
    endif()
    target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests
                                                    ${PROJECT_BINARY_DIR}/tests)
    # Suites named Slow* are left out of the fast run (ctest -LE slow). Doctor and Bench train and
    # measure with every core: beside another test they take three times as long, and so does it.
    gtest_discover_tests(${name}_test TEST_FILTER "-Slow*:Doctor*:Bench*" DISCOVERY_TIMEOUT 60
                         PROPERTIES TIMEOUT 600)
    gtest_discover_tests(${name}_test TEST_FILTER "Doctor*:Bench*" TEST_LIST ${name}_alone
                         DISCOVERY_TIMEOUT 60 PROPERTIES PROCESSORS 2 TIMEOUT 600)
    gtest_discover_tests(${name}_test TEST_FILTER "Slow*" TEST_LIST ${name}_slow
                         DISCOVERY_TIMEOUT 60 PROPERTIES LABELS slow TIMEOUT 1800)
  endif()
endfunction()
