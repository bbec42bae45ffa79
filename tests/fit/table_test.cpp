// SPDX-License-Identifier: Apache-2.0
// A CSV through the transforms into a model drawn in C++, and back out as a folder.
#include "fit/table.h"

#include <gtest/gtest.h>

#include "base/message_of.h"
#include "fit/model.h"

namespace ingot::table_test {
namespace {

using testing::message_of;

class FitTable : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string rows = "note,legs,animal,weight\n";
    for (int i = 0; i < 120; ++i) {
      rows += i % 2 == 0 ? "it barks at the door,4,dog," : "it sings in a tree,2,bird,";
      rows += std::to_string(i % 2 == 0 ? 20000 + i : 20 + i) + "\n";
    }
    write_atomically(*real_files(), dir_.file("animals.csv"), std::string_view(rows));
  }
  data::TableConfig config(const std::string& target, data::TargetKind kind) {
    data::TableConfig c;
    c.path = dir_.file("animals.csv");
    c.target.column = target;
    c.target.kind = kind;
    data::FeatureConfig note;
    note.name = "note";
    note.kind = data::FeatureKind::kText;
    note.text.length = 6;
    data::FeatureConfig legs;
    legs.name = "legs";
    legs.kind = data::FeatureKind::kNumber;
    c.features = {note, legs};
    return c;
  }
  testing::TempDir dir_;
};

TEST_F(FitTable, ClassesAreLearnedFromTextsAndNumbers) {
  const Table table = read_table(config("animal", data::TargetKind::kClass), dir_.file("data"));
  const std::vector<Flow> in = table.inputs();
  ASSERT_EQ(in.size(), 2U);  // table, note
  const Flow words = global_average_pool(true)(embedding(4)(in[1]));
  Model model(in, dense(2)(concatenate()({in[0], words})));
  model.compile({.optimizer = optim::adam(0.02)}, &table);
  FitOptions options{.epochs = 15};
  options.validation_examples = &table.validation;
  const History history = model.fit(table.train, options);
  EXPECT_EQ(history.back().validation.at("accuracy"), 1.0);
  EXPECT_EQ(model.evaluate(table.test)["accuracy"], 1.0);

  const data::ExampleReader rows = table.encode(
      {"legs", "weight", "note"}, {{"2", "21", "it sings"}, {"4", "20000", "it barks"}});
  const std::vector<float> p = model.predict(rows);
  ASSERT_EQ(p.size(), 4U);  // bird, dog
  EXPECT_GT(p[0], 0.5F);
  EXPECT_GT(p[3], 0.5F);
  model.save(dir_.file("model"), &table);
  EXPECT_EQ(Model::load(dir_.file("model")).predict(rows), p);
}

TEST_F(FitTable, NumbersArePredictedInTheirOwnScale) {
  data::TableConfig c = config("weight", data::TargetKind::kNumber);
  c.target.scale = data::Scale::kStandard;
  c.features[0].kind = data::FeatureKind::kIgnore;
  const Table table = read_table(c, dir_.file("data"));
  Sequential model(table.inputs()[0], {dense(1)});
  model.compile({.optimizer = optim::sgd(0.1), .loss = Loss::kMse}, &table);
  (void)model.fit(table.train, {.epochs = 50});
  const float dog = model.predict(table.encode({"legs", "animal"}, {{"4", "dog"}}))[0];
  EXPECT_NEAR(dog, 20060.0, 200.0);
}

TEST_F(FitTable, AModelOutlivesItsTable) {
  data::TableConfig c = config("weight", data::TargetKind::kNumber);
  c.target.scale = data::Scale::kStandard;
  c.features[0].kind = data::FeatureKind::kIgnore;
  auto table = std::make_unique<Table>(read_table(c, dir_.file("data")));
  Sequential model(table->inputs()[0], {dense(1)});
  model.compile({.optimizer = optim::sgd(0.1), .loss = Loss::kMse}, table.get());
  (void)model.fit(table->train, {.epochs = 50});
  const data::ExampleReader dog = table->encode({"legs", "animal"}, {{"4", "dog"}});
  const std::vector<float> before = model.predict(dog);
  table.reset();
  EXPECT_EQ(model.predict(dog), before);
  model.save(dir_.file("model"));
  EXPECT_EQ(Model::load(dir_.file("model")).predict(dog), before);
  model.compile({.loss = Loss::kMse});  // without a table: numbers as the layers give them
  EXPECT_NE(model.predict(dog), before);
}

TEST_F(FitTable, TellsWhatWasLeftOut) {
  data::TableConfig c = config("animal", data::TargetKind::kClass);
  const std::string with_gaps = read_file(c.path) + "it is a snail,,bird,3\nit is a snake,,dog,4\n";
  write_atomically(*real_files(), c.path, std::string_view(with_gaps));
  c.features[1].missing = data::Missing::kDropRow;
  const Table table = read_table(c, dir_.file("data"));
  const auto of = [](const auto& counts) { return counts[0] + counts[1] + counts[2]; };
  EXPECT_EQ(of(table.report.dropped), 2);
  EXPECT_EQ(of(table.report.rows),
            table.train.rows() + table.validation.rows() + table.test.rows());
}

TEST_F(FitTable, RowsThatCannotBeEncodedAreRefused) {
  const Table table = read_table(config("animal", data::TargetKind::kClass), dir_.file("data"));
  EXPECT_EQ(message_of([&] {
              (void)table.encode({"legs", "note", "weight"}, {{"2"}});
            }),
            "table: row 0 has 1 cells, 3 columns are named");
  EXPECT_NE(message_of([&] {
              (void)table.encode({"note", "weight"}, {});
            }).find("legs"),
            std::string::npos);
}

}  // namespace
}  // namespace ingot::table_test
