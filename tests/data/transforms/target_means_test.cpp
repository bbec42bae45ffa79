// SPDX-License-Identifier: Apache-2.0
// Against plain loops in double over the rows outside a row's own part, and what a training row
// must never learn: its own target. The loops give means; what a column holds is standardised, so
// it is taken back by the stored scale before the two are compared.
#include "data/transforms/target_means.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "data/transforms/feature_set.h"
#include "data/transforms/samples.h"

namespace ingot::data::target_means_test {
namespace {

using ::ingot::testing::message_of;
using samples::schema_of;
using samples::table_of;
using Kind = ColumnKind;
using Floats = std::vector<float>;

constexpr double kFloat = 1e-6;  // one rounding to float32 of values up to ten
constexpr uint64_t kSeed = 7;

FeatureConfig city_config(double smoothing) {
  FeatureConfig config;
  config.name = "city";
  config.encode = CategoryEncode::kTarget;
  config.smoothing = smoothing;
  return config;
}

TargetConfig price_target(TargetKind kind) {
  TargetConfig config;
  config.column = "price";
  config.kind = kind;
  return config;
}

struct Row {
  std::string city;
  std::string price;
};

std::string csv_of(const std::vector<Row>& rows) {
  std::string csv = "city,price\n";
  for (const Row& row : rows) csv += row.city + "," + row.price + "\n";
  return csv;
}

/// Thirty rows of four cities of different sizes, one of them in a single row.
std::vector<Row> houses() {
  std::vector<Row> rows;
  for (int i = 0; i < 30; ++i) {
    const char* const city = i == 11 ? "Wien" : i % 7 < 3 ? "Oslo" : i % 2 == 0 ? "Rome" : "Bonn";
    rows.push_back({city, std::to_string(1 + i * 37 % 9)});
  }
  return rows;
}

class City {
 public:
  City(const std::vector<Row>& rows, const FeatureConfig& config, TargetKind kind,
       const RowFilter& is_training = {})
      : set_(schema_of({{"city", Kind::kCategory}, {"price", Kind::kNumber}}),
             std::vector<FeatureConfig>{config}, price_target(kind)) {
    set_.fit(*table_of(csv_of(rows)), is_training, {.seed = kSeed});
    const Json json = parse_json(set_.to_json(), "features");
    for (const Json& scale : json["features"][0]["state"]["target"]["scale"]) {
      centers_.push_back(scale["center"].get<double>());
      divisors_.push_back(scale["divisor"].get<double>());
    }
  }
  /// What a row gets, not standardised.
  [[nodiscard]] std::vector<double> mean_of(const std::string& city,
                                            int64_t row = kNotTrained) const {
    std::vector<double> means;
    for (const float x : of(city, row)) {
      const size_t k = means.size();
      means.push_back(double{x} * divisors_.at(k) + centers_.at(k));
    }
    return means;
  }
  /// What a row gets; `row` is its number when it trains.
  [[nodiscard]] Floats of(const std::string& city, int64_t row = kNotTrained) const {
    return of(set_, city, row);
  }
  [[nodiscard]] static Floats of(const FeatureSet& set, const std::string& city, int64_t row) {
    const std::vector<std::string> columns = {"city"};
    const ColumnMap map = set.map_columns(columns, "new.csv", false);
    const std::vector<std::string_view> cells = {city};
    Record record = set.make_record();
    EXPECT_TRUE(set.encode(cells, map, 2, record, row));
    return record.table;
  }
  [[nodiscard]] const FeatureSet& set() const { return set_; }

 private:
  FeatureSet set_;
  std::vector<double> centers_, divisors_;  // per column
};

/// The definition in the plainest form: the mean of value(j) over rows j of the city that lie in
/// another part than row `left_out`, and `smoothing` rows of the mean of all.
template <class Value>
double plain_mean(const std::vector<Row>& rows, const std::string& city, int64_t left_out,
                  double smoothing, const Value& value) {
  double all = 0.0, sum = 0.0, count = 0.0;
  for (size_t j = 0; j < rows.size(); ++j) {
    all += value(rows[j]) / static_cast<double>(rows.size());
    const bool is_own_part =
        left_out >= 0 && fold_of(kSeed, static_cast<int64_t>(j), 5) == fold_of(kSeed, left_out, 5);
    if (rows[j].city != city || is_own_part) continue;
    sum += value(rows[j]);
    count += 1.0;
  }
  return count == 0.0 ? all : (sum + smoothing * all) / (count + smoothing);
}

TEST(TargetMeans, NumbersEqualPlainLoopsOverTheOtherParts) {
  const std::vector<Row> rows = houses();
  const auto price = [](const Row& row) { return std::stod(row.price); };
  for (const double smoothing : {0.0, 3.0, 10.0}) {
    const City city(rows, city_config(smoothing), TargetKind::kNumber);
    ASSERT_EQ(city.set().column_names()[0], "city (mean of price)");
    int different = 0;
    for (int64_t i = 0; i < std::ssize(rows); ++i) {
      const std::string& name = rows[static_cast<size_t>(i)].city;
      const double own = plain_mean(rows, name, i, smoothing, price);
      const double full = plain_mean(rows, name, kNotTrained, smoothing, price);
      EXPECT_NEAR(city.mean_of(name, i)[0], own, 10 * kFloat) << i;
      EXPECT_NEAR(city.mean_of(name)[0], full, 10 * kFloat) << i;
      different += std::abs(own - full) > 0.01 ? 1 : 0;
    }
    EXPECT_GT(different, 10) << "the test would not tell the two apart";
  }
}

TEST(TargetMeans, ClassesGetAShareEachAndTwoClassesOne) {
  std::vector<Row> rows = houses();
  const std::vector<std::string> labels = {"a", "b", "c"};
  for (size_t i = 0; i < rows.size(); ++i) rows[i].price = labels[i * i % 7 % 3];
  const City three(rows, city_config(2), TargetKind::kClass);
  const auto names = three.set().column_names();
  EXPECT_EQ(
      std::vector<std::string>(names.begin(), names.end()),
      (std::vector<std::string>{"city (share of a)", "city (share of b)", "city (share of c)"}));
  for (size_t k = 0; k < labels.size(); ++k) {
    const auto is_k = [&](const Row& row) { return row.price == labels[k] ? 1.0 : 0.0; };
    for (int64_t i = 0; i < std::ssize(rows); ++i) {
      const std::string& name = rows[static_cast<size_t>(i)].city;
      EXPECT_NEAR(three.mean_of(name, i)[k], plain_mean(rows, name, i, 2, is_k), kFloat);
    }
    EXPECT_NEAR(three.mean_of("Oslo")[k], plain_mean(rows, "Oslo", kNotTrained, 2, is_k), kFloat);
  }
  for (Row& row : rows) row.price = row.price == "a" ? "no" : "yes";
  const City two(rows, city_config(2), TargetKind::kClass);
  ASSERT_EQ(two.set().column_names()[0], "city (share of yes)");
  const auto is_yes = [](const Row& row) { return row.price == "yes" ? 1.0 : 0.0; };
  for (int64_t i = 0; i < std::ssize(rows); ++i) {
    const std::string& name = rows[static_cast<size_t>(i)].city;
    ASSERT_EQ(two.of(name, i).size(), 1U);
    EXPECT_NEAR(two.mean_of(name, i)[0], plain_mean(rows, name, i, 2, is_yes), kFloat);
  }
}

/// The leak that a mean over all training rows has: an identifier would be the answer.
TEST(TargetMeans, AnIdentifierTellsNoTrainingRowItsTarget) {
  std::vector<Row> rows;
  double sum = 0.0;
  for (int i = 0; i < 50; ++i) {
    rows.push_back({"id" + std::to_string(i), std::to_string(i * i % 23)});
    sum += i * i % 23;
  }
  for (const double smoothing : {0.0, 10.0}) {
    const City city(rows, city_config(smoothing), TargetKind::kNumber);
    for (int64_t i = 0; i < 50; ++i) {
      const std::string& name = rows[static_cast<size_t>(i)].city;
      EXPECT_EQ(city.of(name, i), Floats{0}) << i;
      EXPECT_EQ(city.mean_of(name, i), std::vector<double>{sum / 50}) << i;
    }
    EXPECT_EQ(city.of("never seen"), Floats{0});
    EXPECT_EQ(city.of("id3"), Floats{0}) << "what said nothing in training says nothing later";
  }
}

/// A change of one target moves the rows of the other parts and not the row itself.
TEST(TargetMeans, ARowsOwnTargetIsNotInItsValue) {
  const std::vector<Row> rows = houses();
  const City before(rows, city_config(0), TargetKind::kNumber);
  for (const int64_t changed : {0, 4, 17}) {
    std::vector<Row> other = rows;
    const std::string& name = rows[static_cast<size_t>(changed)].city;
    other[static_cast<size_t>(changed)].price = "1000";
    const City after(other, city_config(0), TargetKind::kNumber);
    constexpr double kOfLarge = 1e-4;  // one rounding to float32 of values up to a thousand
    EXPECT_NEAR(after.mean_of(name, changed)[0], before.mean_of(name, changed)[0], kOfLarge);
    int moved = 0;
    for (int64_t i = 0; i < std::ssize(rows); ++i) {
      if (rows[static_cast<size_t>(i)].city != name) continue;
      const bool is_own_part = fold_of(kSeed, i, 5) == fold_of(kSeed, changed, 5);
      const bool has_moved = std::abs(after.mean_of(name, i)[0] - before.mean_of(name, i)[0]) > 1.0;
      EXPECT_EQ(has_moved, !is_own_part) << i;
      moved += has_moved ? 1 : 0;
    }
    EXPECT_GT(moved, 2);
  }
}

TEST(TargetMeans, HeldOutRowsNeverCount) {
  std::vector<Row> rows = houses();
  const auto trains = [](int64_t row) { return row % 3 != 0; };
  const City before(rows, city_config(1), TargetKind::kNumber, trains);
  for (size_t i = 0; i < rows.size(); i += 3) rows[i] = {"Wien", "900"};
  const City after(rows, city_config(1), TargetKind::kNumber, trains);
  EXPECT_EQ(before.set().to_json(), after.set().to_json());
}

TEST(TargetMeans, TheStoredSetGivesTheSameAndNeedsNoTarget) {
  const City city(houses(), city_config(3), TargetKind::kNumber);
  const FeatureSet again = FeatureSet::from_json(city.set().to_json(), "features.json");
  EXPECT_EQ(again.to_json(), city.set().to_json());
  for (const char* const name : {"Oslo", "Rome", "Bonn", "Wien", "Paris", ""}) {
    EXPECT_EQ(City::of(again, name, kNotTrained), city.of(name)) << name;
  }
}

TEST(TargetMeans, MissingAndRareOnesHaveMeansOfTheirOwn) {
  const std::vector<Row> rows = {{"a", "1"}, {"a", "2"}, {"", "6"}, {"", "8"},
                                 {"b", "4"}, {"c", "8"}, {"a", "3"}};
  FeatureConfig config = city_config(0);
  config.min_count = 2;
  config.unknown = Unknown::kBucket;
  const City bucket(rows, config, TargetKind::kNumber);
  EXPECT_NEAR(bucket.mean_of("a")[0], 2, kFloat);
  EXPECT_NEAR(bucket.mean_of("")[0], 7, kFloat);
  EXPECT_NEAR(bucket.mean_of("b")[0], 6, kFloat) << "of b and c";
  EXPECT_EQ(bucket.of("new"), bucket.of("b"));
  config.unknown = Unknown::kZero;
  EXPECT_NEAR(City(rows, config, TargetKind::kNumber).mean_of("b")[0], 32.0 / 7, kFloat);
  config.unknown = Unknown::kMostFrequent;
  const City joined(rows, config, TargetKind::kNumber);
  EXPECT_EQ(joined.of("b"), joined.of("a"));
  EXPECT_NEAR(joined.mean_of("a")[0], (1 + 2 + 3 + 4 + 8) / 5.0, kFloat) << "b and c count for a";
}

/// Prices of some hundred thousands beside inputs of size one: the column is of size one too.
TEST(TargetMeans, IsStandardisedOverTheTrainingRows) {
  std::vector<Row> rows = houses();
  for (Row& row : rows) row.price += "00000";
  const auto trains = [](int64_t row) { return row % 3 != 0; };
  const City city(rows, city_config(2), TargetKind::kNumber, trains);
  double count = 0.0, sum = 0.0, squares = 0.0;
  for (int64_t i = 0; i < std::ssize(rows); ++i) {
    if (!trains(i)) continue;
    const double x = double{city.of(rows[static_cast<size_t>(i)].city, i)[0]};
    count += 1.0;
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / count, 0, kFloat);
  EXPECT_NEAR(squares / count, 1, kFloat);
  // rare ones without a place count with the prior that they get
  FeatureConfig rare = city_config(2);
  rare.min_count = 9;
  const City other(rows, rare, TargetKind::kNumber);
  sum = squares = 0.0;
  for (int64_t i = 0; i < std::ssize(rows); ++i) {
    const double x = double{other.of(rows[static_cast<size_t>(i)].city, i)[0]};
    sum += x / 30;
    squares += x * x / 30;
  }
  EXPECT_NEAR(sum, 0, kFloat);
  EXPECT_NEAR(squares, 1, kFloat);
}

/// A target that is the same everywhere: what sums leave of rounding is no deviation.
TEST(TargetMeans, ACityThatSaysNothingIsZero) {
  std::vector<Row> rows = houses();
  for (Row& row : rows) row.price = "0.1";
  const City city(rows, city_config(0.3), TargetKind::kNumber);
  for (int64_t i = 0; i < std::ssize(rows); ++i) {
    EXPECT_EQ(city.of(rows[static_cast<size_t>(i)].city, i), Floats{0}) << i;
  }
  EXPECT_EQ(city.of("Oslo"), Floats{0});
}

/// The prior holds the huge price, the mean of the other cities must not be what is left of it.
TEST(TargetMeans, AHugeValueElsewhereLeavesMeansAsTheyAre) {
  const std::vector<Row> rows = {{"a", "1"}, {"a", "5"}, {"a", "9"}, {"b", "1e20"}, {"c", "3"}};
  const City city(rows, city_config(0), TargetKind::kNumber);
  const Json json = parse_json(city.set().to_json(), "features");
  const Json& values = json["features"][0]["state"]["target"]["values"];
  EXPECT_EQ(values[0][0].get<double>(), 5.0);
  EXPECT_EQ(values[1][0].get<double>(), double{1e20F});
  EXPECT_EQ(values[2][0].get<double>(), 3.0);
}

FeatureSet owners_of(const std::string& csv, double smoothing) {
  const std::vector<FeatureConfig> configs = {city_config(smoothing)};
  FeatureSet set(
      schema_of({{"city", Kind::kCategory}, {"owner", Kind::kIgnore}, {"price", Kind::kNumber}}),
      configs, price_target(TargetKind::kNumber));
  set.fit(*table_of(csv), {}, {.seed = kSeed, .group = "owner"});
  return set;
}

double mean_of_row(const FeatureSet& set, const std::string& city, const std::string& owner,
                   int64_t row) {
  const std::vector<std::string> columns = {"owner", "city"};
  const std::vector<std::string_view> cells = {owner, city};
  Record record = set.make_record();
  EXPECT_TRUE(set.encode(cells, set.map_columns(columns, "t.csv", false), 2, record, row));
  const Json json = parse_json(set.to_json(), "features");
  const Json& scale = json["features"][0]["state"]["target"]["scale"][0];
  return double{record.table[0]} * scale["divisor"].get<double>() + scale["center"].get<double>();
}

/// Owners of ten houses each: no house learns what another one of its owner costs.
TEST(TargetMeans, NoRowGetsTheTargetsOfItsGroup) {
  constexpr int kRows = 80;
  constexpr int kOwners = 8;
  const auto city = [](int i) { return std::string(i % 3 == 0 ? "Oslo" : "Rome"); };
  const auto owner = [](int i) { return "o" + std::to_string(i % kOwners); };
  const auto table = [&](int raised) {  // the owner whose houses cost more
    std::string csv = "city,owner,price\n";
    for (int i = 0; i < kRows; ++i) {
      const int price = i * 37 % 11 + (i % kOwners == raised ? 1000 : 0);
      csv += city(i) + ", " + owner(i) + " ," + std::to_string(price) + "\n";
    }
    return csv;
  };
  const FeatureSet before = owners_of(table(-1), 0);
  int moved = 0;
  for (int raised = 0; raised < kOwners; ++raised) {
    const FeatureSet after = owners_of(table(raised), 0);
    for (int i = 0; i < kRows; ++i) {
      const double change =
          mean_of_row(after, city(i), owner(i), i) - mean_of_row(before, city(i), owner(i), i);
      constexpr double kOfLarge = 1e-4;
      if (i % kOwners == raised) {
        EXPECT_NEAR(change, 0, kOfLarge) << i;
      }
      moved += change > 1 ? 1 : 0;
    }
  }
  EXPECT_GT(moved, kRows) << "the test would not tell the two apart";
}

TEST(TargetMeans, GroupsNeedTheirColumn) {
  const std::vector<FeatureConfig> configs = {city_config(1)};
  FeatureSet set(schema_of({{"city", Kind::kCategory}, {"price", Kind::kNumber}}), configs,
                 price_target(TargetKind::kNumber));
  EXPECT_EQ(
      message_of([&] { set.fit(*table_of("city,price\na,1\nb,2\n"), {}, {.group = "citty"}); }),
      "features: encode=target keeps rows of one group together, and \"t.csv\" has no column "
      "\"citty\" of groups; set table.split.column=NAME. Did you mean \"city\"?");
}

TEST(TargetMeans, PartsAreOfLikeSizeAndOfTheSeed) {
  constexpr int kRows = 5000;
  std::vector<int> counts(5);
  int equal = 0;
  for (int64_t row = 0; row < kRows; ++row) {
    ++counts.at(static_cast<size_t>(fold_of(1, row, 5)));
    equal += fold_of(1, row, 5) == fold_of(2, row, 5) ? 1 : 0;
  }
  const double spread = 5 * std::sqrt(kRows * 0.2 * 0.8);  // five standard deviations
  for (const int count : counts) EXPECT_NEAR(count, kRows / 5, spread);
  EXPECT_NEAR(equal, kRows / 5, spread);
}

TEST(TargetMeans, NeedsATargetAndSoundKeys) {
  const Schema schema = schema_of({{"city", Kind::kCategory}, {"price", Kind::kNumber}});
  const auto refused = [&](const FeatureConfig& config, const TargetConfig& target) {
    return message_of(
        [&] { (void)FeatureSet(schema, std::vector<FeatureConfig>{config}, target); });
  };
  EXPECT_EQ(refused(city_config(1), {}),
            "table.features: column \"city\": encode=target needs a target; set "
            "table.target.column=NAME, or encode: frequency");
  EXPECT_EQ(refused(city_config(-1), price_target(TargetKind::kNumber)),
            "table.features: column \"city\": smoothing is -1, it must be >= 0; 10 is usual");
  FeatureConfig whole = city_config(1);
  whole.folds = 1;
  EXPECT_EQ(refused(whole, price_target(TargetKind::kNumber)),
            "table.features: column \"city\": folds is 1, it must be in 2 .. 100; 5 is usual");
}

TEST(TargetMeans, RefusesASmoothingWhoseSumIsNotFinite) {
  EXPECT_EQ(message_of([] { (void)City(houses(), city_config(1.7e308), TargetKind::kNumber); }),
            "features: \"city (mean of price)\": with smoothing=1.7e+308 it would be no finite "
            "number; set smoothing: 10 in table.features");
}

TEST(TargetMeans, RefusesWhatWouldNotFitInMemory) {
  Target target(price_target(TargetKind::kClass));
  std::vector<std::string> cells;
  for (int i = 0; i < 4000; ++i) cells.push_back("c" + std::to_string(i));
  for (size_t i = 0; i < cells.size(); ++i) target.add(samples::cell_at(cells, i));
  std::vector<std::string> warnings;
  target.finish(warnings);
  // per category 5 parts of 4000 sums and a count, and 4000 values, of eight bytes
  constexpr int64_t kEach = 8 * (5 * 4001 + 4000);
  const auto refused = [&](const FeatureConfig& config, int64_t places, int64_t space) {
    return message_of([&] { (void)TargetMeans(config, places, target, 1, space); });
  };
  EXPECT_EQ(refused(city_config(1), 1001, 100 * kEach),
            "features: column \"city\": encode=target keeps 192232040 bytes (1001 categories, 5 "
            "folds, 4000 columns), 19204000 are left for it; set {name: \"city\", max_categories: "
            "98} in table.features, or encode: index");
  EXPECT_EQ(refused(city_config(1), 98 + 2, 100 * kEach), "no error");
  EXPECT_EQ(refused(city_config(1), 99 + 2, 100 * kEach).substr(0, 24),
            "features: column \"city\":");
  // not even one category, unless there are fewer parts
  EXPECT_EQ(refused(city_config(1), 1001, 2 * kEach),
            "features: column \"city\": encode=target keeps 192232040 bytes (1001 categories, 5 "
            "folds, 4000 columns), 384080 are left for it; set {name: \"city\", folds: 2, "
            "max_categories: 2} in table.features, or encode: index");
  FeatureConfig few = city_config(1);
  few.folds = 2;
  EXPECT_EQ(refused(few, 2 + 2, 2 * kEach), "no error");
  EXPECT_EQ(refused(city_config(1), 1001, kEach),
            "features: column \"city\": encode=target keeps 192232040 bytes (1001 categories, 5 "
            "folds, 4000 columns), 192040 are left for it; set {name: \"city\", encode: index} in "
            "table.features");
}

TEST(TargetMeans, ColumnsShareOneBound) {
  FeatureConfig second = city_config(1);
  second.name = "zone";
  const std::vector<FeatureConfig> configs = {city_config(1), second};
  const auto fitted = [&](int64_t bytes) {
    return message_of([&] {
      FeatureSet set(
          schema_of(
              {{"city", Kind::kCategory}, {"zone", Kind::kCategory}, {"price", Kind::kNumber}}),
          configs, price_target(TargetKind::kNumber));
      set.fit(*table_of("city,zone,price\na,u,1\nb,v,2\nb,v,3\n"), {}, {.bytes = bytes});
    });
  };
  constexpr int64_t kEach = 2 * 8 * (5 * 2 + 1);  // two categories, one column
  EXPECT_EQ(fitted(2 * kEach), "no error");
  EXPECT_EQ(fitted(2 * kEach - 1),
            "features: column \"zone\": encode=target keeps 176 bytes (2 categories, 5 folds, 1 "
            "columns), 175 are left for it; set {name: \"zone\", folds: 2, max_categories: 2} in "
            "table.features, or encode: index");
}

TEST(TargetMeans, RefusesABrokenState) {
  const auto message = [](const std::string& state) {
    return message_of([&] { (void)TargetMeans(parse_json(state, "s"), 2, "features.json"); });
  };
  EXPECT_EQ(message(R"({"prior": [1], "values": [[1], [2]]})"),
            "features.json: \"columns\" is missing");
  EXPECT_EQ(message(R"({"columns": [], "prior": [], "values": []})"),
            "features.json: \"columns\" must be a list of names");
  EXPECT_EQ(message(R"({"columns": ["x"], "prior": [1, 2], "values": [[1], [2]]})"),
            "features.json: \"target\" must hold 1 numbers per category");
  EXPECT_EQ(message(R"({"columns": ["x"], "prior": [1], "values": [[1]]})"),
            "features.json: \"values\" must be a list of 2 categories");
  EXPECT_EQ(message(R"({"columns": ["x"], "prior": [1], "values": [[1], ["a"]]})"),
            "features.json: \"target\" must hold 1 numbers per category");
  EXPECT_EQ(message(R"({"columns": ["x"], "prior": [1e300], "values": [[1], [2]]})"),
            "features.json: \"target\" must hold 1 numbers per category");
  EXPECT_EQ(message(R"({"columns": ["x"], "prior": [1], "values": [[1], [2]]})"),
            "features.json: \"scale\" is missing");
  EXPECT_EQ(message(R"({"columns": ["x"], "prior": [1], "values": [[1], [2]], "scale": []})"),
            "features.json: \"scale\" must be a list of one per column");
  EXPECT_EQ(message(R"({"columns": ["x"], "prior": [1], "values": [[1], [2]],
                       "scale": [{"center": 1, "divisor": -1}]})"),
            "features.json: \"divisor\" is -1, it must not be negative");
  EXPECT_EQ(message(R"({"columns": ["x"], "prior": [1], "values": [[1], [2]],
                       "scale": [{"center": 1, "divisor": 2}]})"),
            "no error");
}

}  // namespace
}  // namespace ingot::data::target_means_test
