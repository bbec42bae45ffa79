// SPDX-License-Identifier: Apache-2.0
// What is and what is not an address, by hand-written cases, and linearity by counting work that
// would explode in a backtracking scanner.
#include "data/mask.h"

#include <string>

#include <gtest/gtest.h>

namespace ingot::data::mask_test {
namespace {

struct Case {
  const char* text;
  const char* masked;
  int64_t addresses;
};

constexpr Case kCases[] = {
    {"", "", 0},
    {"no address", "no address", 0},
    {"write to a.b@c.org.", "write to <email>.", 1},
    {"<john.doe+list@mail.example.co.uk>", "<<email>>", 1},
    {"a@b.de,c@d.fr;e_f%g@h-i.info", "<email>,<email>;<email>", 3},
    {"mailto:x@y.com?subject=1", "mailto:<email>?subject=1", 1},
    {"a@b.de\n", "<email>\n", 1},
    {"x@example.org-", "<email>-", 1},
    {"x@example.org--y", "x@example.org--y", 0},
    {"me@sub.example.org.2", "<email>.2", 1},
    {"user@xn--bcher-kva.xn--p1ai!", "<email>!", 1},
    {"A@B.COM", "<email>", 1},
    {"..dots@x.org", "..<email>", 1},
    {"two..dots@x.org", "two..<email>", 1},
    {"ends.@x.org", "ends.@x.org", 0},
    {"@param x the value", "@param x the value", 0},
    {"foo@bar", "foo@bar", 0},
    {"memcpy@@GLIBC_2.2.5", "memcpy@@GLIBC_2.2.5", 0},
    {"version@1.2.3", "version@1.2.3", 0},
    {"a@.org a@b..org a@-b.org", "a@.org a@b..org a@-b.org", 0},
    {"a@b.c", "a@b.c", 0},
    {"one@two@three.org", "one@<email>", 1},
    {"\xc3\xa9t\xc3\xa9@ma.fr", "\xc3\xa9t\xc3\xa9@ma.fr", 0},
    {"@", "@", 0},
    {"a@", "a@", 0},
};

TEST(MaskEmails, FollowsTheTableOfCases) {
  for (const Case& c : kCases) {
    const MaskedText masked = mask_emails(c.text);
    EXPECT_EQ(masked.text, c.masked) << c.text;
    EXPECT_EQ(masked.addresses, c.addresses) << c.text;
  }
}

TEST(MaskEmails, ASecondPassChangesNothing) {
  for (const Case& c : kCases) {
    const std::string once = mask_emails(c.text).text;
    const MaskedText twice = mask_emails(once);
    EXPECT_EQ(twice.text, once);
    EXPECT_EQ(twice.addresses, 0) << once;
  }
}

TEST(MaskEmails, HostileRepetitionsStayLinear) {
  // Each of these makes a scanner that rescans to the end of a run take 10^13 steps.
  constexpr size_t kSize = size_t{1} << 22;
  std::string ats(kSize, '@');
  EXPECT_EQ(mask_emails(ats).text, ats);
  std::string letters(kSize, 'a');
  EXPECT_EQ(mask_emails(letters).text, letters);
  std::string pairs;
  while (pairs.size() < kSize) pairs += "a@";
  EXPECT_EQ(mask_emails(pairs).text, pairs);
  std::string dotted = "x@";
  while (dotted.size() < kSize) dotted += "1.";
  EXPECT_EQ(mask_emails(dotted).text, dotted);
}

}  // namespace
}  // namespace ingot::data::mask_test
