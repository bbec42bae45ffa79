// SPDX-License-Identifier: Apache-2.0
// Escaping, tables and number formats against texts written by hand.
#include "report/html.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

namespace ingot::report::html_test {
namespace {

TEST(Escape, ReplacesEveryCharacterThatMeansSomethingToHtml) {
  EXPECT_EQ(escape("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(escape("z\xC3\xBC\n\t"), "z\xC3\xBC\n\t");
}

TEST(Escape, ReplacesControlCharactersAndBytesThatAreNotUtf8) {
  EXPECT_EQ(escape(std::string("a\0b\x1b\xff", 5)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Table, EscapesTextCellsAndAlignsNumbers) {
  Table table({{"Name", false}, {"Size"}});
  EXPECT_TRUE(table.empty());
  table.row({"<b>", "12"}).row({"only"}, true);
  EXPECT_EQ(table.html("c&d"),
            "<div class=\"scroll\"><table>\n<caption>c&amp;d</caption>\n"
            "<thead><tr><th scope=\"col\">Name</th><th scope=\"col\" class=\"n\">Size</th></tr>"
            "</thead>\n<tbody>\n"
            "<tr><th scope=\"row\">&lt;b&gt;</th><td class=\"n\">12</td></tr>\n"
            "<tr class=\"strong\"><th scope=\"row\">only</th><td class=\"n\"></td></tr>\n"
            "</tbody>\n</table></div>\n");
}

TEST(Numbers, ArePrintedAsPeopleReadThem) {
  EXPECT_EQ(fixed(1.2345, 2), "1.23");
  EXPECT_EQ(fixed(-1.5, 1),
            "\xE2\x88\x92"
            "1.5");
  EXPECT_EQ(fixed(-0.001, 2), "0.00");
  EXPECT_EQ(fixed(NAN, 2), "\xE2\x80\x93");
  EXPECT_EQ(significant(0.00061234, 3), "0.000612");
  EXPECT_EQ(significant(INFINITY, 3), "\xE2\x80\x93");
  EXPECT_EQ(percent_change(1.0348), "+3.48 %");
  EXPECT_EQ(percent_change(0.8),
            "\xE2\x88\x92"
            "20 %");
  EXPECT_EQ(percent_change(1.0), "0.00 %");
  EXPECT_EQ(percent_change(1 + 1e-9), "0.00 %");
}

}  // namespace
}  // namespace ingot::report::html_test
