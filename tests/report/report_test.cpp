// SPDX-License-Identifier: Apache-2.0
// The page: valid and self-contained for a full run, a half-finished one, an empty folder and
// hostile content; the figures of the run appear where they belong.
#include "report/report.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"

namespace ingot::report::report_test {
namespace {

namespace fs = std::filesystem;

class RunFolder {
 public:
  explicit RunFolder(const std::string& name)
      : path_(fs::temp_directory_path() / ("ingot_" + std::to_string(::getpid())) / name) {
    fs::remove_all(path_);
    fs::create_directories(path_ / "stages");
  }
  ~RunFolder() { fs::remove_all(path_.parent_path()); }
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  RunFolder& file(const std::string& name, const std::string& text) {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return *this;
  }
  RunFolder& stage(const std::string& name, const std::string& numbers, double seconds = 1.5) {
    return file("stages/" + name + ".json",
                "{\"name\":\"" + name + "\",\"state\":\"done\",\"seconds\":" +
                    std::to_string(seconds) + ",\"numbers\":" + numbers + "}");
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void fill(RunFolder& folder) {
  folder.file("recipe.yaml", "name: headers  # a comment\nseed: 1\n")
      .file(
          "run.json",
          R"({"started":"2024-05-01T12:34:56Z","recipe_hash":"0123456789abcdef","machine":{"cpu":"Test CPU","cores":2,
             "memory_bytes":8589934592,"system":"Debian 12"}})")
      .file("plan.json", R"({"parameters":1800000,"steps":3,"seconds":100,"peak_bytes":104857600})")
      .stage("inspect", R"({"files":862,"bytes":1048576})")
      .stage("clean", R"({"files_before":862,"bytes_before":2097152,"removed":
             {"exact_duplicates":{"files":14,"bytes":1024},"strange_reason":3},
             "licence_heads":{"files":7,"bytes":2048},"files_after":845})")
      .stage("mask", R"({"emails":41,"files":23})")
      .stage("split", R"({"near_duplicate_files":214,"near_duplicate_groups":77,
             "splits":{"train":{"files":700,"bytes":1048576},"test":{"files":40}}})")
      .stage("tokenizer", R"({"vocabulary":4096,"bytes_per_token":3.53,"tokens":{"train":123456}})")
      .stage("train", R"({"parameters":1800000,"steps":3,"seconds":110,"peak_bytes":94371840})",
             112)
      .stage("evaluate", R"({"bits_per_byte":1.5,"perplexity":6.5,
             "baselines":{"gzip_files":2.0,"xz_all":1.05}})")
      .stage("compress", R"({"variants":[
             {"name":"float32","bytes":1000000,"perplexity":6.5,"tokens_per_second":800},
             {"name":"8 bit","bytes":281000,"perplexity":6.513,"tokens_per_second":1900}]})")
      .stage("serve", R"({"prompt":"#include <","completion":"vector>","tokens_per_second":1900})")
      .file("metrics.jsonl",
            "{\"step\":1,\"kind\":\"train\",\"loss\":4.5,\"learning_rate\":0.001,"
            "\"clock\":{\"tokens_per_second\":30000}}\n"
            "{\"step\":2,\"kind\":\"train\",\"loss\":null,\"nonfinite\":{\"loss\":\"nan\"}}\n"
            "{\"step\":3,\"kind\":\"train\",\"loss\":2.5,\"learning_rate\":0.0005,"
            "\"clock\":{\"tokens_per_second\":31000}}\n"
            "{\"step\":3,\"kind\":\"validation\",\"loss\":2.75}\n"
            "{\"step\":3,\"kind\":\"sample\",\"prompt\":\"int \",\"text\":\"main() {}\"}\n"
            "{\"step\":4,\"kind\":\"tra");
}

/// The first tag that does not close as it should, or "".
std::string unbalanced(const std::string& page) {
  static const std::set<std::string> kVoid{"meta", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  const std::regex tag("<(/?)([A-Za-z!][A-Za-z0-9]*)((?:[^>\"]|\"[^\"]*\")*)>");
  for (std::sregex_iterator it(page.begin(), page.end(), tag), last; it != last; ++it) {
    const std::string name = (*it)[2];
    const std::string rest = (*it)[3];
    if (kVoid.contains(name) || (!rest.empty() && rest.back() == '/')) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + name + "> at byte " + std::to_string(it->position());
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

void expect_valid(const std::string& page) {
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_EQ(unbalanced(page), "");
  for (const char* forbidden : {"http:", "https:", "<script", "src=", "href=", "url(", "@import",
                                "javascript:", "<link", "<iframe", "onload"}) {
    EXPECT_EQ(page.find(forbidden), std::string::npos) << forbidden;
  }
}

size_t times_in(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Report, OfAFullRunIsValidAndSelfContained) {
  RunFolder folder("full");
  fill(folder);
  const fs::path path = write_report(*real_files(), folder.path());
  EXPECT_EQ(path, folder.path() / "report.html");
  std::ifstream in(path);
  const std::string page{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  expect_valid(page);
  EXPECT_EQ(page, render(read_run(folder.path())));
}

TEST(Report, ShowsTheFiguresOfEveryPart) {
  RunFolder folder("figures");
  fill(folder);
  const std::string page = render(read_run(folder.path()));
  for (const char* text : {"<h1>headers</h1>",
                           "Test CPU, 2 cores, 8.0 GiB, Debian 12",
                           "2024-05-01T12:34:56Z",
                           "862 files, 1.0 MiB",
                           "862 \xE2\x86\x92 845 files",
                           "removed: exact duplicates",
                           "removed: strange reason",
                           "licence heads taken off",
                           "0123456789ab</b>",
                           "<code>0123456789abcdef</code>",
                           "\xE2\x88\x92"
                           "14",
                           "41 e-mail addresses were masked in 23 files.",
                           "214 near-duplicate files in 77 groups",
                           "123,456",
                           "4,096 tokens, 3.53 bytes per token",
                           "+10 %",
                           "\xE2\x88\x92"
                           "10 %",
                           "The model needs 25.0 % fewer bits than gzip -9, each file alone.",
                           "xz -9, all files joined",
                           "0.281",
                           "+0.20 %",
                           "<b>#include &lt;</b>vector&gt;",
                           "<b>int </b>main() {}",
                           "best 2.75 at 3",
                           "8 bit 0.28\xC3\x97"}) {
    EXPECT_NE(page.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(times_in(page, "<figure>"), 4U);  // loss, learning rate, throughput, bits per byte
  EXPECT_EQ(page.find("Not readable"), std::string::npos);  // a torn last line is no problem
}

void fill_table(RunFolder& folder) {
  folder
      .stage("examples", R"({"rows":100,"columns":3,"splits":{
             "train":{"examples":80,"dropped":9,"without_target":7},
             "validation":{"examples":10,"dropped":0},"test":{"examples":10,"dropped":2}},
             "leakage":{"test_in_train":3,"validation_in_train":1,"test_in_validation":0},
             "warnings":["age: 3 <values> beyond the range"]})")
      .stage("plan", R"({"parameters":34,"layers":[
             {"name":"table","type":"input","from":"","shape":"[2]","parameters":0,"flops":0},
             {"name":"dense","type":"dense","from":"table","shape":"[2]","parameters":6,"flops":8}],
             "features":[{"name":"age","kind":"number","missing":7,"distinct":60,"inputs":1,
             "transform":"missing: median","fitted":"median 29"}]})")
      .stage("train", R"({"steps":20,"examples":1600,"best_validation_loss":0.25})")
      .stage("evaluate", R"({"split":"test","examples":10,"accuracy":{"value":0.9}})")
      .file("metrics.jsonl",
            "{\"step\":1,\"kind\":\"train\",\"loss\":0.5}\n"
            "{\"step\":1,\"kind\":\"validation\",\"loss\":0.4,\"accuracy\":0.8}\n"
            "{\"step\":2,\"kind\":\"validation\",\"loss\":0.3,\"accuracy\":0.9}\n")
      .file("evaluation.json", R"({"split":"test","examples":10,"target":"animal",
            "values":[{"name":"accuracy","value":0.9,"low":0.7,"high":1.0}],
            "classes":["cat","dog"],"confusion":[4,1,0,5],
            "per_class":[{"precision":1,"recall":0.8,"f1":0.888,"roc_auc":0.96,"examples":5},
                         {"precision":0.833,"recall":1,"f1":0.909,"roc_auc":0.96,"examples":5}],
            "calibration":[{"examples":4,"confidence":0.6,"accuracy":0.75},
                           {"examples":6,"confidence":0.9,"accuracy":1.0}],
            "curve":[[0,0,1],[0,0.8,1],[1,1,0.5]],
            "balance":[{"class":"cat","train":40,"validation":5,"test":5}],
            "groups":[{"column":"home","value":"city","examples":4,"loss":0.1,"error":0},
                      {"column":"home","value":"","examples":6,"loss":0.2,"error":0.1667}],
            "importance":{"examples":10,"loss":0.21,"features":[
                {"name":"age","increase":0.125},{"name":"home","increase":-0.01}]},
            "columns":["age","home","animal"],
            "worst":[{"example":3,"line":17,"true":"cat","predicted":"dog","probability":0.875,
                      "loss":2.1,"cells":["<b>9</b>","city","cat"]}]})");
}

TEST(Report, ShowsHowAModelOfATableIsJudged) {
  RunFolder folder("table");
  fill_table(folder);
  const std::string page = render(read_run(folder.path()));
  expect_valid(page);
  for (const char* text :
       {"80 / 10 / 10 examples", "4 rows of the held-out splits", "3 &lt;values&gt; beyond",
        "missing: median", "median 29", "10 examples of the test split",
        "<b>1</b><small>20 %</small>", "--h:0.800", "Precision over recall",
        "Expected error: 12.0 points", "+0.125", "(no value)", "<b>cat</b>", "line 17", "(0.875)",
        "&lt;b&gt;9&lt;/b&gt;", "Validation accuracy", "test accuracy"}) {
    EXPECT_NE(page.find(text), std::string::npos) << text;
  }
  EXPECT_NE(page.find("of them without a target"), std::string::npos);
  EXPECT_NE(page.find("<td class=\"n\">9</td><td class=\"n\">7</td>"), std::string::npos);
  EXPECT_EQ(page.find("<i>animal</i>"), std::string::npos);  // the target stands in the verdict
  // loss, accuracy, two curves, calibration, importance
  EXPECT_EQ(times_in(page, "<figure>"), 6U);
  EXPECT_EQ(page.find("nats per token"), std::string::npos);
}

TEST(Report, SaysWhatTheJudgedExamplesWereToTheModel) {
  const auto says = [](const std::string& split, const std::string& training,
                       std::string_view text) {
    RunFolder folder("split_" + split);
    folder.file("evaluation.json", R"({"split":")" + split + R"(","examples":10,
        "values":[{"name":"accuracy","value":0.9}]})");
    if (!training.empty()) folder.stage("train", training);
    return render(read_run(folder.path())).find(text) != std::string::npos;
  };
  const std::string of_train = "10 examples of the train split";
  const std::string some = of_train + "; the model has learned from some or all of them.";
  const std::string all = of_train + ": the model has learned from all of them.";
  const std::string none = "10 examples of the validation split, none of them learned from.";
  const std::string best = "10 examples of the validation split: not learned from, but";
  EXPECT_TRUE(says("test", "{}", "10 examples of the test split, none of them learned from."));
  EXPECT_TRUE(says("train", "", some));
  EXPECT_TRUE(says("train", R"({"steps":4,"examples":8})", some));
  EXPECT_TRUE(says("train", R"({"steps":5,"examples":10})", all));
  // The weights of the best step are kept, and a step takes two examples.
  EXPECT_TRUE(says("train", R"({"steps":9,"examples":18,"best_step":4,"kept":"best"})", some));
  EXPECT_TRUE(says("train", R"({"steps":9,"examples":18,"best_step":5,"kept":"best"})", all));
  EXPECT_TRUE(says("train", R"({"steps":9,"examples":18,"best_step":4,"kept":"last"})", all));
  EXPECT_TRUE(says("validation", R"({"steps":9,"best_step":4,"kept":"last"})", none));
  EXPECT_TRUE(says("validation", "", none));
  EXPECT_TRUE(says("validation", R"({"steps":9,"best_step":4,"kept":"best"})", best));
  EXPECT_TRUE(says("other", "", "10 other"));
}

TEST(Report, DrawsLinesFromInputsWithCommasInTheirNames) {
  RunFolder folder("commas");
  folder.stage("examples", "{}").stage("plan", R"({"layers":[
      {"name":"a,b","type":"input","from":[],"shape":"[2]"},
      {"name":"c","type":"input","from":[],"shape":"[2]"},
      {"name":"both","type":"concatenate","from":["a,b","c"],"shape":"[4]"}]})");
  const std::string page = render(read_run(folder.path()));
  EXPECT_EQ(times_in(page, "class=\"edge\""), 2U);
  EXPECT_NE(page.find("a,b, c"), std::string::npos);
}

TEST(Report, StagesOfTablesHaveNamesAndTheirPlace) {
  RunFolder folder("stages_of_tables");
  folder.stage("import", "{}").stage("clean_table", "{}").stage("examples", "{}");
  const std::string page = render(read_run(folder.path()));
  const size_t begin = page.find("<div class=\"stages\">");
  ASSERT_NE(begin, std::string::npos);
  const std::string list = page.substr(begin, page.find("</table>", begin) - begin);
  const size_t clean = list.find("Clean table"), examples = list.find("Examples");
  const size_t import = list.find("Import");
  ASSERT_NE(import, std::string::npos) << list;
  EXPECT_LT(clean, examples);
  EXPECT_LT(examples, import);
}

TEST(Report, ShowsNumbersByScatterAndResiduals) {
  RunFolder folder("numbers");
  folder.stage("examples", "{}").file("evaluation.json", R"({"split":"test","examples":3,
      "values":[{"name":"r2","value":0.8,"low":0.7,"high":0.9}],
      "pairs":[[1,1.5],[2,2],[3,2.5]]})");
  const std::string page = render(read_run(folder.path()));
  expect_valid(page);
  EXPECT_NE(page.find("Predicted against true"), std::string::npos);
  EXPECT_NE(page.find("Predicted minus true"), std::string::npos);
  EXPECT_NE(page.find("3 examples, drawn evenly"), std::string::npos);
}

TEST(Report, ShowsMistakenPicturesAndNothingElseAsOne) {
  RunFolder folder("pictures");
  folder.file("evaluation.json", R"({"values":[{"name":"accuracy","value":0.9}],"worst":[
      {"true":"cat","predicted":"<dog>","probability":0.5,"picture":"data:image/png;base64,iVBO+/="},
      {"true":"x","predicted":"y","picture":"data:image/png;base64,\" onload=\"a"},
      {"true":"x","predicted":"y","picture":"https://elsewhere/a.png"}]})");
  const std::string page = render(read_run(folder.path()));
  EXPECT_EQ(times_in(page, "<img"), 1U);
  EXPECT_NE(page.find("data:image/png;base64,iVBO+/="), std::string::npos);
  EXPECT_NE(page.find("&lt;dog&gt;"), std::string::npos);
  EXPECT_EQ(page.find("elsewhere"), std::string::npos);
}

TEST(Report, OfManyClassesShowsTheWorstPairs) {
  RunFolder folder("many");
  std::string classes, confusion;
  for (int i = 0; i < 20; ++i) {
    classes += (i > 0 ? "," : "") + ("\"c" + std::to_string(i) + "\"");
    for (int k = 0; k < 20; ++k) {
      confusion += (i + k > 0 ? "," : "") + std::to_string(i == k ? 9 : i == 4 && k == 7 ? 3 : 0);
    }
  }
  folder.file("evaluation.json", R"({"values":[{"name":"accuracy","value":0.9}],"classes":[)" +
                                     classes + R"(],"confusion":[)" + confusion + "]}");
  const std::string page = render(read_run(folder.path()));
  expect_valid(page);
  EXPECT_EQ(page.find("class=\"heat\""), std::string::npos);
  EXPECT_NE(page.find("25.0 %"), std::string::npos);  // 3 of 12
}

TEST(Report, SurvivesEvaluationsOfEveryWrongType) {
  for (const char* wrong : {"\"text\"", "[]", "[1]", "{}", "null", "true", "-1", "1e308", "[{}]"}) {
    RunFolder folder("wrong_evaluation");
    const std::string w = wrong;
    std::string json =
        R"({"values":[{"name":"accuracy","value":0.9,"low":)" + w + "},{\"name\":" + w;
    json += "}]";
    for (const char* key :
         {"split", "examples", "target", "classes", "confusion", "per_class", "calibration",
          "curve", "balance", "groups", "importance", "columns", "worst", "pairs"}) {
      json += std::string(",\"") + key + "\":" + w;
    }
    folder.file("evaluation.json", json + "}");
    folder.stage("plan", R"({"layers":)" + w + R"(,"features":)" + w + "}");
    folder.stage("examples", R"({"splits":)" + w + R"(,"warnings":)" + w + "}");
    expect_valid(render(read_run(folder.path())));
  }
}

TEST(Report, PutsStagesInTheOrderOfThePipeline) {
  RunFolder folder("order");
  folder.stage("train", "{}").stage("zoo", R"({"apples":3})").stage("inspect", "{}");
  const RunRecord run = read_run(folder.path());
  ASSERT_EQ(run.stages.size(), 3U);
  EXPECT_EQ(run.stages[0].name, "inspect");
  EXPECT_EQ(run.stages[1].name, "train");
  EXPECT_EQ(run.stages[2].name, "zoo");
  EXPECT_NE(render(run).find("apples 3"), std::string::npos);
}

TEST(Report, OfAnyPartAloneIsValid) {
  RunFolder whole("whole");
  fill(whole);
  std::vector<std::string> parts;
  for (const auto& entry : fs::recursive_directory_iterator(whole.path())) {
    if (entry.is_regular_file()) {
      parts.push_back(fs::relative(entry.path(), whole.path()).string());
    }
  }
  ASSERT_EQ(parts.size(), 13U);
  for (const std::string& part : parts) {
    const fs::path single = whole.path().parent_path() / "single";
    fs::remove_all(single);
    fs::create_directories((single / part).parent_path());
    fs::copy_file(whole.path() / part, single / part);
    expect_valid(render(read_run(single)));
    fs::remove(single / part);
  }
}

TEST(Report, OfAnEmptyFolderSaysSo) {
  const RunFolder folder("nothing");
  const std::string page = render(read_run(folder.path()));
  expect_valid(page);
  EXPECT_NE(page.find("<h1>nothing</h1>"), std::string::npos);
  EXPECT_NE(page.find("holds no records of a run yet"), std::string::npos);
}

TEST(Report, OfAHalfFinishedRunSaysSo) {
  RunFolder folder("half");
  folder.stage("inspect", R"({"files":3})")
      .file("stages/train.json", R"({"state":"running","seconds":null})");
  const std::string page = render(read_run(folder.path()));
  expect_valid(page);
  EXPECT_NE(page.find("This run is not finished"), std::string::npos);
  EXPECT_NE(page.find("<span class=\"state running\">running</span>"), std::string::npos);
}

TEST(Report, EscapesEverythingThatComesFromTheRun) {
  const std::string evil = R"(</pre><script>alert('1')</script><img src=x onerror=\"y\">&amp;)";
  RunFolder folder("evil");
  folder.file("recipe.yaml", "name: \"" + evil + "\"\n")
      .file("run.json", R"({"name":")" + evil + R"(","machine":{"cpu":")" + evil + R"("}})")
      .file("stages/e.json", R"({"name":")" + evil + R"(","state":")" + evil + R"(","numbers":{")" +
                                 evil + R"(":1,"t":")" + evil + R"("}})")
      .stage("clean", R"({"files_before":1,"removed":{")" + evil + R"(":2}})")
      .stage("split", R"({"splits":{")" + evil + R"(":{"files":2}}})")
      .stage("evaluate", R"({"bits_per_byte":1,"baselines":{")" + evil + R"(":2}})")
      .stage("compress", R"({"variants":[{"name":")" + evil + R"(","bytes":1}]})")
      .stage("serve", R"({"prompt":")" + evil + R"(","completion":")" + evil + R"(","model":")" +
                          evil + R"("})")
      .file("metrics.jsonl",
            R"({"step":1,"kind":"sample","prompt":")" + evil + R"(","text":")" + evil + "\"}\n");
  const std::string page = render(read_run(folder.path()));
  EXPECT_EQ(unbalanced(page), "");
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_GE(times_in(page, "&lt;script&gt;"), 12U);
}

TEST(Report, SurvivesValuesOfEveryWrongType) {
  for (const char* wrong : {"\"text\"", "[]", "[1]", "{}", "null", "true", "-1", "1e308", "[{}]"}) {
    RunFolder folder("wrong");
    const std::string w = wrong;
    folder.file("run.json", R"({"name":)" + w + R"(,"machine":)" + w + "}")
        .file("plan.json",
              R"({"parameters":)" + w + R"(,"peak_bytes":)" + w + R"(,"seconds":)" + w + "}")
        .stage("clean", R"({"files_before":)" + w + R"(,"removed":)" + w + "}")
        .stage("split", R"({"splits":)" + w + R"(,"near_duplicate_files":)" + w + "}")
        .stage("train",
               R"({"parameters":)" + w + R"(,"tokens":)" + w + R"(,"peak_bytes":)" + w + "}")
        .stage("evaluate", R"({"bits_per_byte":1.5,"baselines":{"gzip_files":)" + w + "}}")
        .stage("compress", R"({"variants":)" + w + "}")
        .stage("serve", R"({"completion":)" + w + R"(,"prompt":)" + w + "}")
        .stage("inspect", w)
        .file("metrics.jsonl",
              R"({"step":1,"kind":"train","loss":)" + w + R"(,"clock":)" + w + "}\n");
    expect_valid(render(read_run(folder.path())));
  }
}

TEST(Report, NamesFilesThatCannotBeRead) {
  RunFolder folder("broken");
  folder.file("plan.json", "{\"steps\":").file("stages/clean.json", "[1,2]");
  folder.file("metrics.jsonl", "{\"step\":1,\"kind\":\"train\"}\nrubbish\n");
  const RunRecord run = read_run(folder.path());
  ASSERT_EQ(run.problems.size(), 3U);
  EXPECT_NE(run.problems[0].find("plan.json"), std::string::npos) << run.problems[0];
  EXPECT_EQ(run.problems[1], "report: clean.json must hold an object, holds array");
  EXPECT_EQ(run.problems[2], "metrics.jsonl: 1 lines are no records, the first is line 2");
  const std::string page = render(run);
  expect_valid(page);
  EXPECT_NE(page.find("clean.json must hold an object"), std::string::npos);
}

TEST(Report, OfAFolderThatIsNotThereIsAnError) {
  try {
    (void)read_run("/nonexistent/run");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_STREQ(error.what(),
                 "report: /nonexistent/run is not a folder; name the folder that `ingot run` made");
  }
}

}  // namespace
}  // namespace ingot::report::report_test
