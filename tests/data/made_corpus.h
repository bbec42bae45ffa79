// SPDX-License-Identifier: Apache-2.0
// Folders of text made up by hand, for the tests of the stages that they go through: inspect,
// clean, split, prepare.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "data/config.h"
#include "data/temp_folder.h"

namespace ingot::data::made_corpus {

inline std::string words(uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "w" + std::to_string(random() % 10000) + (i % 8 == 7 ? "\n" : " ");
  return text;
}

inline DataConfig config_of(const TempFolder& folder) {
  DataConfig config;
  config.path = folder.path();
  return config;
}

/// One of everything that can be wrong with a file.
inline void put_zoo(const TempFolder& folder) {
  folder.put("good.txt", words(1, 100));
  folder.put("copy/good.txt", words(1, 100));
  folder.put("licensed.h", "// Copyright (C) 2020 A\n" + words(2, 100));
  folder.put("same_but_licence.h", words(2, 100));
  folder.put("mail.c", words(3, 50) + "ask a@b.org or c@d.net\n");
  folder.put("empty", "");
  folder.put("short.md", "hi\n");
  folder.put("only_licence.h", "/* Copyright 2020 A. All rights reserved. */\n");
  folder.put("binary.bin", std::string("ELF\0\1\2", 6) + words(4, 100));
  folder.put("latin1.txt", words(5, 100) + "caf\xe9\n");
  folder.put(".hidden/x.txt", words(6, 100));
}

/// Forty families of near duplicates and a hundred single files.
inline void put_families(const TempFolder& folder) {
  for (int family = 0; family < 40; ++family) {
    for (int copy = 0; copy < 3; ++copy) {
      folder.put("f" + std::to_string(copy) + "/" + std::to_string(family) + ".txt",
                 words(static_cast<uint64_t>(family), 300) + "copy number " + std::to_string(copy));
    }
  }
  for (int i = 0; i < 100; ++i) {
    folder.put("single/" + std::to_string(i), words(static_cast<uint64_t>(1000 + i), 200));
  }
}

}  // namespace ingot::data::made_corpus
