// SPDX-License-Identifier: Apache-2.0
// A classifier of news from a CSV of texts, and what it says of two sentences that it never saw.
//   example_05_news news.csv.gz        two columns without a header: text, class
// Without an argument the sample of AG News below INGOT_DATA_DIR is taken. Its classes are numbers:
// 0 world, 1 sports, 2 business, 3 science and technology.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <ingot.h>

using namespace ingot;

int main(int argc, char** argv) {
  const char* folder = std::getenv("INGOT_DATA_DIR");
  if (argc < 2 && folder == nullptr) {
    std::printf("skipped: give a CSV, or set INGOT_DATA_DIR\n");
    return 77;
  }

  // The same keys as `table:` of a recipe. Words and classes are those of the training rows.
  data::TableConfig config;
  config.path = argc > 1 ? argv[1] : std::string(folder) + "/ag_news/train_subset5000.csv.gz";
  config.format.header = data::HeaderRow::kNo;
  config.format.columns = {"text", "class"};
  config.target = {.column = "class", .kind = data::TargetKind::kClass};
  data::FeatureConfig text;
  text.name = "text";
  text.kind = data::FeatureKind::kText;
  text.text.length = 100;
  config.features = {text};
  config.split.validation = 0.1;
  config.split.test = 0.1;
  const Table table = read_table(config, "news_data");
  std::printf("%d texts to train, %d to validate, %d to test\n",
              static_cast<int>(table.train.rows()), static_cast<int>(table.validation.rows()),
              static_cast<int>(table.test.rows()));

  const std::span<const std::string> classes = table.features.target()->classes();
  Sequential model(table.inputs()[0],
                   {embedding(16), global_average_pool(/*mask=*/true), dense(24, Activation::kRelu),
                    dense(static_cast<int64_t>(classes.size()))});
  model.compile({.optimizer = optim::adam(2e-3), .metrics = {"accuracy"}}, &table);
  FitOptions options;
  options.epochs = 10;
  options.validation_examples = &table.validation;
  options.keep_best = true;
  options.on_epoch = [](const Epoch& epoch) {
    std::printf("epoch %2d  loss %.4f  validation accuracy %.3f\n", static_cast<int>(epoch.number),
                epoch.loss, epoch.validation.at("accuracy"));
  };
  model.fit(table.train, options);

  const double accuracy = model.evaluate(table.test)["accuracy"];
  std::printf("test accuracy %.3f\n", accuracy);
  const std::vector<std::vector<std::string>> sentences = {
      {"The new chip doubles the speed of computers that run the company's software"},
      {"The team won the final with two late goals in front of a full stadium"}};
  const std::vector<std::string> expected = {"3", "1"};  // of the sample
  const std::vector<float> answers = model.predict(table.encode({"text"}, sentences));
  bool are_right = true;
  for (size_t i = 0; i < sentences.size(); ++i) {
    const std::span p = std::span(answers).subspan(i * classes.size(), classes.size());
    const auto likeliest = static_cast<size_t>(std::ranges::max_element(p) - p.begin());
    std::printf("%s\n ", sentences[i][0].c_str());
    for (size_t k = 0; k < classes.size(); ++k) {
      std::printf("  p(%s) %.3f", classes[k].c_str(), static_cast<double>(p[k]));
    }
    std::printf("  -> %s\n", classes[likeliest].c_str());
    are_right = are_right && (argc > 1 || classes[likeliest] == expected[i]);
  }
  model.save("news_model", &table);  // ingot predict news_model new.csv   (a column "text")
  return accuracy > 0.8 && are_right ? 0 : 1;
}
