# SPDX-License-Identifier: Apache-2.0
# The library for other programs: find_package(ingot), link ingot::ingot, #include <ingot.h>. It is
# the rooms up to fit as static libraries; what they need is found again by ingotConfig.cmake.
add_library(ingot_library INTERFACE)
add_library(ingot::ingot ALIAS ingot_library)
target_link_libraries(ingot_library INTERFACE ingot_fit)
target_compile_features(ingot_library INTERFACE cxx_std_20)
target_include_directories(ingot_library INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                                   $<INSTALL_INTERFACE:include>)
set_target_properties(ingot_library PROPERTIES EXPORT_NAME ingot)

set(library_rooms base kernels ledger tensor autograd io text nn data optim models train fit)
list(TRANSFORM library_rooms PREPEND ingot_ OUTPUT_VARIABLE library_targets)
install(TARGETS ingot_library ${library_targets} EXPORT ingot ARCHIVE DESTINATION lib/ingot)
install(FILES include/ingot.h DESTINATION include)
foreach(room ${library_rooms})
  install(DIRECTORY src/${room} DESTINATION include/ingot FILES_MATCHING PATTERN "*.h"
          PATTERN reference EXCLUDE PATTERN cpu EXCLUDE)
endforeach()
install(EXPORT ingot NAMESPACE ingot:: FILE ingotTargets.cmake DESTINATION lib/cmake/ingot)
install(FILES cmake/ingotConfig.cmake DESTINATION lib/cmake/ingot)
