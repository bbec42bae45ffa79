// SPDX-License-Identifier: Apache-2.0
// Licence heads in every comment syntax, and heads that must stay.
#include "data/licence.h"

#include <string>

#include <gtest/gtest.h>

namespace ingot::data::licence_test {
namespace {

void expect_stripped(const std::string& text, const std::string& expected, int64_t blocks = 1) {
  const StrippedText result = strip_licence(text);
  EXPECT_EQ(result.text, expected) << text;
  EXPECT_EQ(result.removed_blocks, blocks) << text;
  EXPECT_EQ(result.removed_bytes, static_cast<int64_t>(text.size() - expected.size())) << text;
}

void expect_kept(const std::string& text) { expect_stripped(text, text, 0); }

TEST(StripLicence, RemovesGplLineCommentsAndKeepsTheTitle) {
  expect_stripped(
      "// <vector> -*- C++ -*-\n\n// Copyright (C) 2001-2022 Some Foundation, Inc.\n//\n"
      "// This file is part of a library; you can redistribute it under the terms of the GNU\n"
      "// General Public License.\n\n/** @file include/vector */\n#ifndef X\n",
      "// <vector> -*- C++ -*-\n\n/** @file include/vector */\n#ifndef X\n");
}

TEST(StripLicence, RemovesSeveralBlocks) {
  expect_stripped(
      "// Copyright (C) 2007 A\n\n/*\n * Copyright (c) 1994\n * Hewlett-Packard Company\n *\n"
      " * Permission to use, copy, modify, distribute\n */\n\nint x;\n",
      "int x;\n", 2);
}

TEST(StripLicence, KnowsCommentSyntaxes) {
  expect_stripped("#!/bin/sh\n# SPDX-License-Identifier: MIT\nset -e\n", "#!/bin/sh\nset -e\n");
  expect_stripped("# Licensed under the Apache\n# License, Version 2.0\nimport os\n",
                  "import os\n");
  expect_stripped("-- All rights reserved.\nselect 1;\n", "select 1;\n");
  expect_stripped(";; Copyright 2020 A\n(defun f ())\n", "(defun f ())\n");
  expect_stripped("% Copyright (C) 2020\n\\section{A}\n", "\\section{A}\n");
  expect_stripped("<?xml version=\"1.0\"?>\n<!-- Copyright (c) 2001 -->\n<a/>\n",
                  "<?xml version=\"1.0\"?>\n<a/>\n");
  expect_stripped("(* Copyright 1999 *)\nlet x = 1\n", "let x = 1\n");
  expect_stripped("\xef\xbb\xbf// Copyright 2020\nint x;\n", "\xef\xbb\xbfint x;\n");
  expect_stripped("/* MIT License\n * see LICENSE */\r\nint x;\r\n", "int x;\r\n");
  expect_stripped("// THIS SOFTWARE COMES WITHOUT\n//    WARRANTY OF ANY KIND\nx\n", "x\n");
  expect_stripped("// Distributed under the Boost Software Licence\nx\n", "x\n");
}

TEST(StripLicence, LooksBehindGuards) {
  expect_stripped("#ifndef A_H\n#define A_H\n// Copyright 2020 B\nint x;\n",
                  "#ifndef A_H\n#define A_H\nint x;\n");
  expect_stripped("#pragma once\n/* Copyright 2020 */ int x;\n", "#pragma once\n int x;\n");
}

TEST(StripLicence, RemovesAFileThatIsOnlyALicence) {
  expect_stripped("// Copyright 2020 B\n", "");
  expect_stripped("/* Copyright 2020 B */", "");
}

TEST(StripLicence, KeepsWhatIsNoLicence) {
  expect_kept("");
  expect_kept("\n\n");
  expect_kept("int x;  // Copyright 2020\n");
  expect_kept("int x;\n// Copyright 2020\n");
  expect_kept("// Parses the copyright field of an image.\nint x;\n");
  expect_kept("# MIT License\n\nThis page explains the MIT License.\n");
  expect_kept("/* Copyright 2020, never closed\nint x;\n");
  expect_kept("#include <a>\n// Copyright 2020\n");
  expect_kept("#if COPYRIGHT /* Copyright 2020 */\n#endif\n");
}

TEST(StripLicence, TreatsSpacedHashLinesAsComments) {
  expect_stripped("# Copyright 2020 B\n# if you read this, all is well\nx = 1\n", "x = 1\n");
}

TEST(StripLicence, LongHeadsStayLinear) {
  std::string text;
  while (text.size() < (size_t{1} << 21)) text += "// a\n\n";
  expect_kept(text);
  text.clear();
  while (text.size() < (size_t{1} << 21)) text += "\n";
  expect_kept(text);
}

}  // namespace
}  // namespace ingot::data::licence_test
