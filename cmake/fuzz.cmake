# SPDX-License-Identifier: Apache-2.0
# The libFuzzer programs: tests/fuzz/fuzz_<name>.cpp with the few sources its parser needs, so that
# they build in a minute. Included by CMakeLists.txt when INGOT_FUZZ is on (preset "fuzz"); built by
# the target `fuzz`, run by scripts/fuzz.sh.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "INGOT_FUZZ needs clang: cmake --preset fuzz")
endif()
set(fuzz_sanitizers address,undefined)
add_custom_target(fuzz)

# Compiled once for all targets.
add_library(ingot_fuzz_base OBJECT EXCLUDE_FROM_ALL)
foreach(stem base64 checked config config_print config_scalar error files files_atomic files_list hash json
        machine scratch_file signals text yaml yaml_words)
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

set(image_sources src/io/exif.cpp src/io/image.cpp src/io/image_jpeg.cpp src/io/image_png.cpp
                  src/io/image_pnm.cpp)
set(packed_sources src/io/byte_source.cpp src/io/gzip.cpp src/io/xz.cpp)
set(picture_sources src/data/formats/array.cpp src/data/formats/array_pictures.cpp
                    src/data/formats/cifar.cpp src/data/formats/idx.cpp src/data/formats/npy.cpp
                    src/data/formats/npy_table.cpp src/data/formats/picture_table.cpp
                    src/tensor/shape.cpp)

ingot_fuzz(corpus SOURCES src/data/corpus_file.cpp)
ingot_fuzz(arrays
           SOURCES ${image_sources} ${picture_sources} ${packed_sources}
           LIBS PNG::PNG JPEG::JPEG ZLIB::ZLIB LibLZMA::LibLZMA)
ingot_fuzz(image SOURCES ${image_sources} LIBS PNG::PNG JPEG::JPEG ZLIB::ZLIB)
ingot_fuzz(json)
# A layer is made in the file that also runs it, so this one target links ops, whose calls it
# records, and kernels, which it never calls: not watched by the sanitizers, and for one instruction
# set, a fifth of the work.
target_compile_definitions(ingot_kernels PRIVATE HWY_COMPILE_ONLY_STATIC)
set(network_sources activation attention_nodes block_nodes catalog dense_nodes image_nodes network
                    network_file recurrent_nodes sequence_nodes)
list(TRANSFORM network_sources PREPEND src/models/network/)
list(TRANSFORM network_sources APPEND .cpp)
ingot_fuzz(layers SOURCES ${network_sources} LIBS ingot_models)
ingot_fuzz(predict
           SOURCES src/serve/answer.cpp src/serve/api_error.cpp src/serve/binary_tensor.cpp
                   src/serve/input_tensor.cpp src/serve/instances.cpp src/serve/open_inference.cpp
                   src/serve/pixels.cpp src/serve/route.cpp src/serve/tensorflow.cpp
                   ${image_sources}
           LIBS PNG::PNG JPEG::JPEG ZLIB::ZLIB)
ingot_fuzz(recipe)
ingot_fuzz(request SOURCES src/serve/api_error.cpp src/serve/completion_request.cpp)
ingot_fuzz(safetensors SOURCES src/io/safetensors.cpp src/tensor/shape.cpp)
ingot_fuzz(shard SOURCES src/data/shard.cpp)
ingot_fuzz(table
           SOURCES src/data/cell_form.cpp src/data/column_profile.cpp src/data/formats/csv.cpp
                   src/data/formats/csv_sniff.cpp src/data/formats/decimal_comma.cpp
                   src/data/formats/encoding_hint.cpp
                   src/data/formats/image_folder.cpp
                   src/data/formats/jsonl.cpp src/data/formats/records.cpp
                   src/data/formats/table.cpp src/data/infer_schema.cpp src/data/schema.cpp
                   src/data/formats/table_parts.cpp src/data/transforms/quantiles.cpp
                   ${image_sources} ${picture_sources} ${packed_sources}
           LIBS PNG::PNG JPEG::JPEG ZLIB::ZLIB LibLZMA::LibLZMA)
ingot_fuzz(tokenizer
           SOURCES src/text/added_tokens.cpp src/text/bpe.cpp src/text/byte_alphabet.cpp
                   src/text/encode_scratch.cpp src/text/pretokenize.cpp src/text/tokenizer.cpp
                   src/text/tokenizer_json.cpp src/text/unicode.cpp
           LIBS PkgConfig::UTF8PROC)
ingot_fuzz(torch
           SOURCES src/io/pickle.cpp src/io/torch_file.cpp src/io/zip.cpp src/tensor/shape.cpp
           LIBS ZLIB::ZLIB)
