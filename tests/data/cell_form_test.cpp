// SPDX-License-Identifier: Apache-2.0
// Which texts are dates and which are numbers with commas, and what a column of them is called.
#include "data/cell_form.h"

#include "data/temp_folder.h"

namespace ingot::data::cell_form_test {
namespace {

CellForms forms_of(const std::vector<std::string>& values, int64_t numbers = 0) {
  CellForms forms;
  for (int64_t i = 0; i < numbers; ++i) forms.add_number();
  int64_t line = 1;
  for (const std::string& value : values) forms.add(value, ++line);
  return forms;
}

TEST(CellForms, LocalDatesHaveDayMonthAndYear) {
  for (const char* date : {"31.12.2024", "1.2.2024", "12/31/2024", "2024/12/31", "31-12-2024",
                           "1/31/2024 8:26", "31.12.2024T08:26:00"}) {
    EXPECT_TRUE(is_local_date(date)) << date;
  }
  for (const char* other : {"", "31.12", "32.12.2024", "13/13/2024", "0.1.2024", "1.2.20244",
                            "1.2/2024", "31.12.2024x", "10.0.0.1", "a.b.2024", "2024-12"}) {
    EXPECT_FALSE(is_local_date(other)) << other;
  }
}

TEST(CellForms, ThousandsStandInGroupsOfThree) {
  for (const char* number : {"1,234", "-12,345,678.9", "+999,000"}) {
    EXPECT_TRUE(has_thousands(number)) << number;
  }
  for (const char* other : {"", "1234", "1,23", "0,250", "1,2345", "1234,567", "1,234,5", ",123"}) {
    EXPECT_FALSE(has_thousands(other)) << other;
  }
}

TEST(CellForms, AColumnIsWhatAllItsValuesAre) {
  EXPECT_EQ(forms_of({}).form(), CellForm::kPlain);
  EXPECT_EQ(forms_of({}, 3).form(), CellForm::kPlain);
  EXPECT_EQ(forms_of({"2024-01-31", "2024-02-01 10:00"}).form(), CellForm::kTime);
  EXPECT_EQ(forms_of({"2024-01-31", "31.1.2024"}).form(), CellForm::kDate);
  EXPECT_EQ(forms_of({"2024-01-31"}, 1).form(), CellForm::kPlain);
  EXPECT_EQ(forms_of({"1,5", "2,25"}, 4).form(), CellForm::kDecimalComma);
  EXPECT_EQ(forms_of({"1,5", "1,234"}).form(), CellForm::kDecimalComma);
  EXPECT_EQ(forms_of({"0,250"}).form(), CellForm::kDecimalComma) << "no thousand begins with 0";
  EXPECT_EQ(forms_of({"1,234", "56,789"}, 4).form(), CellForm::kThousands);
  EXPECT_EQ(forms_of({"1,234.5", "1,234"}).form(), CellForm::kThousands);
  EXPECT_EQ(forms_of({"1,5", "1,234,567"}).form(), CellForm::kPlain) << "one is none of the two";
  EXPECT_EQ(forms_of({"1,5", "red"}).form(), CellForm::kPlain);
}

TEST(CellForms, TheNoteSaysWhatToDo) {
  EXPECT_EQ(forms_of({"red"}).note(), "");
  EXPECT_EQ(forms_of({"2024-01-31"}).note(),
            "dates; table.split.method=time can hold the latest rows out");
  EXPECT_EQ(forms_of({"2024-01-31", "1.2.2024"}).note(),
            "dates, the first \"1.2.2024\" on line 3; written as 2024-12-31 (ISO 8601) they would "
            "sort, and table.split.method=time could hold the latest rows out");
  EXPECT_EQ(forms_of({"1,5"}, 2).note(),
            "numbers with a decimal comma, the first \"1,5\" on line 2; set "
            "table.format.decimal=comma");
  EXPECT_EQ(forms_of({"1,234"}).note(),
            "numbers with commas, the first \"1,234\" on line 2; leave the commas between "
            "thousands out, or, where they stand before a fraction, set "
            "table.format.decimal=comma");
}

TEST(CellForms, WhatStandsBetweenDatesIsNamed) {
  std::vector<std::string> values(19, "2024-01-31");
  values.emplace_back("unknown");
  EXPECT_EQ(forms_of(values).form(), CellForm::kPlain);
  EXPECT_EQ(forms_of(values).note(),
            "1 of 20 values are no date, the first \"unknown\" on line 21; if they stand for a "
            "missing value, add them to table.infer.missing, or to missing in the table.schema "
            "file");
  EXPECT_EQ(forms_of({"2024-01-31", "unknown"}).note(), "");
}

TEST(CellForms, ATextSoonEndsTheLook) {
  CellForms forms;
  for (int64_t i = 0; i < 1000; ++i) forms.add("a text", i + 2);
  forms.add("2024-01-31", 1002);
  EXPECT_EQ(forms.form(), CellForm::kPlain);
  EXPECT_EQ(forms.note(), "");
}

}  // namespace
}  // namespace ingot::data::cell_form_test
