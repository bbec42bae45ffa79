# SPDX-License-Identifier: Apache-2.0
# The libFuzzer programs: tests/fuzz/fuzz_<name>.cpp with the few sources its parser needs, so that
# they build in a minute and link no kernels. Included by CMakeLists.txt when INGOT_FUZZ is on
# (preset "fuzz"); built by the target `fuzz`, run by scripts/fuzz.sh.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "INGOT_FUZZ needs clang: cmake --preset fuzz")
endif()
set(fuzz_sanitizers address,undefined)
add_custom_target(fuzz)

# Compiled once for all targets.
add_library(ingot_fuzz_base OBJECT EXCLUDE_FROM_ALL)
foreach(stem checked config config_print config_scalar error files files_atomic files_list hash json
        machine text yaml)
  if(EXISTS ${PROJECT_SOURCE_DIR}/src/base/${stem}.cpp)
    target_sources(ingot_fuzz_base PRIVATE src/base/${stem}.cpp)
  endif()
endforeach()
target_include_directories(ingot_fuzz_base PUBLIC ${PROJECT_SOURCE_DIR}/src
                           ${PROJECT_SOURCE_DIR}/tests)
target_compile_options(ingot_fuzz_base PUBLIC -fno-sanitize-recover=all
                       -fsanitize=fuzzer-no-link,${fuzz_sanitizers})
target_link_libraries(ingot_fuzz_base PUBLIC ingot_flags Threads::Threads fmt::fmt OpenSSL::Crypto
                      nlohmann_json::nlohmann_json yaml-cpp)

# ingot_fuzz(name SOURCES src/room/file.cpp … LIBS library …)
function(ingot_fuzz name)
  cmake_parse_arguments(FUZZ "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(fuzz_${name} EXCLUDE_FROM_ALL tests/fuzz/fuzz_${name}.cpp ${FUZZ_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE ingot_fuzz_base ${FUZZ_LIBS})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,${fuzz_sanitizers})
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  add_dependencies(fuzz fuzz_${name})
endfunction()

ingot_fuzz(corpus SOURCES src/data/corpus_file.cpp)
ingot_fuzz(arrays
           SOURCES src/data/formats/array.cpp src/data/formats/cifar.cpp src/data/formats/idx.cpp
                   src/data/formats/npy.cpp src/io/byte_source.cpp src/io/gzip.cpp src/io/xz.cpp
                   src/tensor/shape.cpp
           LIBS ZLIB::ZLIB LibLZMA::LibLZMA)
ingot_fuzz(image
           SOURCES src/io/image.cpp src/io/image_jpeg.cpp src/io/image_png.cpp
           LIBS PNG::PNG JPEG::JPEG ZLIB::ZLIB)
ingot_fuzz(json)
ingot_fuzz(recipe)
ingot_fuzz(request SOURCES src/serve/request.cpp)
ingot_fuzz(safetensors SOURCES src/io/safetensors.cpp src/tensor/shape.cpp)
ingot_fuzz(shard SOURCES src/data/shard.cpp)
ingot_fuzz(table
           SOURCES src/data/column_profile.cpp src/data/formats/csv.cpp
                   src/data/formats/csv_sniff.cpp src/data/formats/image_folder.cpp
                   src/data/formats/jsonl.cpp src/data/formats/records.cpp
                   src/data/formats/table.cpp src/data/infer_schema.cpp src/data/schema.cpp
                   src/io/byte_source.cpp src/io/gzip.cpp src/io/xz.cpp
           LIBS ZLIB::ZLIB LibLZMA::LibLZMA)
ingot_fuzz(tokenizer
           SOURCES src/text/added_tokens.cpp src/text/bpe.cpp src/text/byte_alphabet.cpp
                   src/text/encode_scratch.cpp src/text/pretokenize.cpp src/text/tokenizer.cpp
                   src/text/tokenizer_json.cpp src/text/unicode.cpp
           LIBS PkgConfig::UTF8PROC)
