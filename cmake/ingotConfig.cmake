# SPDX-License-Identifier: Apache-2.0
# What the installed libraries were linked with, as in the CMakeLists.txt that built them.
include(CMakeFindDependencyMacro)
foreach(package Threads fmt OpenSSL nlohmann_json yaml-cpp PkgConfig ZLIB LibLZMA PNG JPEG)
  find_dependency(${package})
endforeach()
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
find_package(hwy QUIET)
if(NOT TARGET hwy::hwy)
  pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/ingotTargets.cmake)
