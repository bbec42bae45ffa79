// SPDX-License-Identifier: Apache-2.0
// Pickle streams written by hand, opcode by opcode: what they mean, and that nothing but data is
// read from them. Files of PyTorch are in torch_file_test.cpp.
#include "io/pickle.h"

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace ingot::io::pickle_test {
namespace {

using testing::message_of;

constexpr std::string_view kAllowed[] = {"torch FloatStorage"};

Pickle read(std::string_view stream) {
  return read_pickle(std::as_bytes(std::span(stream)), kAllowed, "p");
}
std::string refusal(std::string_view stream) {
  return message_of([&] { (void)read(stream); });
}
using namespace std::string_view_literals;

TEST(Pickle, ReadsNumbersAndTexts) {
  // (True, 7, 300, -2, 2^40, 1.5, "ab", None)
  const Pickle p = read(
      "\x80\x02(\x88K\x07M\x2c\x01J\xfe\xff\xff\xff\x8a\x06\x00\x00\x00\x00\x00\x01"
      "G\x3f\xf8\x00\x00\x00\x00\x00\x00X\x02\x00\x00\x00"
      "abNt."sv);
  const std::vector<int32_t>& items = p.at(p.root).items;
  ASSERT_EQ(items.size(), 8U);
  EXPECT_EQ(p.at(items[0]).integer, 1);
  EXPECT_EQ(p.at(items[1]).integer, 7);
  EXPECT_EQ(p.at(items[2]).integer, 300);
  EXPECT_EQ(p.at(items[3]).integer, -2);
  EXPECT_EQ(p.at(items[4]).integer, int64_t{1} << 40);
  EXPECT_EQ(p.at(items[5]).number, 1.5);
  EXPECT_EQ(p.at(items[6]).text, "ab");
  EXPECT_EQ(p.at(items[7]).kind, PickleKind::kNone);
}

TEST(Pickle, LongNumbersHaveASign) {
  EXPECT_EQ(read("\x80\x02\x8a\x01\xff."sv).values[0].integer, -1);
  EXPECT_EQ(read("\x80\x02\x8a\x02\xff\x00."sv).values[0].integer, 255);
  EXPECT_EQ(read("\x80\x02\x8a\x00."sv).values[0].integer, 0);
}

TEST(Pickle, ListsAndDictsGrowWhereTheyLie) {
  // {"a": [1, 2]}, the list kept in the memo and filled later
  const Pickle p = read(
      "\x80\x02}q\x00]q\x01(K\x01K\x02"
      "e0h\x00\x8c\x01"
      "ah\x01s."sv);
  const PickleValue& dict = p.at(p.root);
  ASSERT_EQ(dict.kind, PickleKind::kDict);
  ASSERT_EQ(dict.items.size(), 2U);
  EXPECT_EQ(p.at(dict.items[0]).text, "a");
  EXPECT_EQ(p.at(dict.items[1]).items.size(), 2U);
}

TEST(Pickle, AnOrderedDictIsADict) {
  const Pickle p = read(
      "\x80\x02"
      "ccollections\nOrderedDict\n)R(\x8c\x01"
      "kK\x05u."sv);
  EXPECT_EQ(p.at(p.root).kind, PickleKind::kDict);
  EXPECT_EQ(p.at(p.root).items.size(), 2U);
}

TEST(Pickle, ACallIsANodeAndNothingRuns) {
  const Pickle p = read(
      "\x80\x02"
      "ctorch\nFloatStorage\nK\x03\x85R."sv);
  const PickleValue& call = p.at(p.root);
  EXPECT_EQ(call.kind, PickleKind::kCall);
  EXPECT_EQ(call.text, "torch FloatStorage");
  EXPECT_EQ(p.at(p.at(call.items[0]).items[0]).integer, 3);
}

TEST(Pickle, ReferencesOutsideAreKept) {
  const Pickle p = read("\x80\x02K\x09Q."sv);
  EXPECT_EQ(p.at(p.root).kind, PickleKind::kPersistent);
  EXPECT_EQ(p.at(p.at(p.root).items[0]).integer, 9);
}

TEST(PickleErrors, NameWhatIsRefused) {
  EXPECT_EQ(refusal("\x80\x02"
                    "cos\nsystem\n\x8c\x02ls\x85R."sv),
            "p: offset 2: asks for \"os system\", which is no tensor, number, text, list or dict. "
            "Save the weights alone: torch.save(model.state_dict(), …)");
  EXPECT_EQ(refusal("\x80\x04\x8c\x02os\x8c\x06system\x93."sv),
            "p: offset 14: asks for \"os system\", which is no tensor, number, text, list or dict. "
            "Save the weights alone: torch.save(model.state_dict(), …)");
  EXPECT_EQ(refusal("\x80\x02(i"sv),
            "p: offset 3: the pickle opcode 0x69 is not read. Save plain tensors, as "
            "torch.save(model.state_dict(), …) does");
}

TEST(PickleErrors, NameTheOffsetOfDamage) {
  EXPECT_EQ(refusal(""), "p: offset 0: the stream ends early");
  EXPECT_EQ(refusal("\x80\x02X\xff\xff\xff\x7f"
                    "a"sv),
            "p: offset 2: the stream ends early");
  EXPECT_EQ(refusal("\x80\x09."sv), "p: offset 0: this is no pickle of protocol 2 to 5");
  EXPECT_EQ(refusal("\x80\x02."sv), "p: offset 2: a value is missing");
  EXPECT_EQ(refusal("\x80\x02(0."sv), "p: offset 3: a value is missing");
  EXPECT_EQ(refusal("\x80\x02t."sv), "p: offset 2: a mark is missing");
  EXPECT_EQ(refusal("\x80\x02h\x01."sv), "p: offset 2: a value is asked for that was not kept");
  EXPECT_EQ(refusal("\x80\x02K\x01K\x02"
                    "a."sv),
            "p: offset 6: a list is needed");
  EXPECT_EQ(refusal("\x80\x02}(K\x01u."sv), "p: offset 6: a dict has a key without a value");
  EXPECT_EQ(refusal("\x80\x02K\x01K\x02R."sv),
            "p: offset 6: a call needs a function and a tuple of arguments");
  EXPECT_EQ(refusal("\x80\x02"
                    "ccollections\nOrderedDict\n]\x85R."sv),
            "p: offset 29: an OrderedDict is made from arguments");
}

}  // namespace
}  // namespace ingot::io::pickle_test
