// SPDX-License-Identifier: Apache-2.0
#include "base/display.h"

#include <gtest/gtest.h>

namespace ingot::display_test {
namespace {

TEST(DisplayWidth, CountsCharactersAndWideOnesTwice) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("width"), 5U);
  EXPECT_EQ(display_width("gr\xC3\xB6\xC3\x9F"
                          "e"),
            5U);                                                       // größe
  EXPECT_EQ(display_width("\xE6\x88\xBF\xE4\xBB\xB7 m\xC2\xB2"), 7U);  // 房价 m²
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);                           // e and its accent
  EXPECT_EQ(display_width("\xF0\x9F\x99\x82"), 2U);                    // a face
  EXPECT_EQ(display_width("\xF0\x9F\x9A\x80 \xF0\x9F\x9F\xA2"), 5U);   // a rocket, a green disc
  EXPECT_EQ(display_width("\xFFz"), 2U);
}

TEST(WithoutControl, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(without_control("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(without_control("\x1b[31mred\x7f\r"), "\\x1b[31mred\\x7f\\x0d");
  EXPECT_EQ(without_control("\xC2\x9B"
                            "31m"),
            "\\x9b31m");
  EXPECT_EQ(without_control("\xC2\xB2 \xE6\x88\xBF \xFF\xC2"), "\xC2\xB2 \xE6\x88\xBF \xFF\xC2");
}

TEST(MermaidLabel, KeepsTheQuotesOfALabelClosed) {
  EXPECT_EQ(mermaid_label("he said \"x\" <br/>\n"), "he said #quot;x#quot; &lt;br/&gt;\\n");
}

}  // namespace
}  // namespace ingot::display_test
