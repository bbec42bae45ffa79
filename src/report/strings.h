// SPDX-License-Identifier: Apache-2.0
// The sentences, headings and captions of the report. The titles of a table's columns and the units
// beside its figures stand where the table is made. Keys of run files are listed with the words
// that stand for them; an unknown key is shown as it is, with spaces for underscores.
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace ingot::report::words {

using Word = std::pair<std::string_view, std::string_view>;

inline constexpr std::string_view kProduct = "Ingot";
inline constexpr std::string_view kReportOf = "Run report";
inline constexpr std::string_view kRecipeHash = "recipe";
inline constexpr std::string_view kStarted = "started";
inline constexpr std::string_view kFinished = "finished";
inline constexpr std::string_view kVersion = "version";
inline constexpr std::string_view kUnfinished =
    "This run is not finished; the report shows what is there.";
inline constexpr std::string_view kEmpty = "This folder holds no records of a run yet.";

inline constexpr std::string_view kStages = "Stages";
inline constexpr std::string_view kData = "Data";
inline constexpr std::string_view kTokenizer = "Tokenizer";
inline constexpr std::string_view kTraining = "Training";
inline constexpr std::string_view kPlan = "Plan and measurement";
inline constexpr std::string_view kEvaluation = "Evaluation";
inline constexpr std::string_view kCompression = "Compression";
inline constexpr std::string_view kServing = "Served completion";
inline constexpr std::string_view kSamples = "Samples while training";
inline constexpr std::string_view kDetails = "Details";
inline constexpr std::string_view kProblems = "Not readable";
inline constexpr std::string_view kRecipe = "Recipe";

inline constexpr std::string_view kStepAxis = "step";
inline constexpr std::string_view kLossPlot = "Loss (nats per token)";
inline constexpr std::string_view kRatePlot = "Learning rate";
inline constexpr std::string_view kSpeedPlot = "Throughput (tokens per second)";
inline constexpr std::string_view kNormPlot = "Gradient norm";
inline constexpr std::string_view kTrainSeries = "training";
inline constexpr std::string_view kValidationSeries = "validation";
inline constexpr std::string_view kBest = "best";
inline constexpr std::string_view kLossNote =
    "Dots are single steps, the line through them is a centred moving average.";

inline constexpr std::string_view kBitsChart = "Bits per byte on the test files; lower is better.";
inline constexpr std::string_view kThisModel = "this model";
inline constexpr std::string_view kFewer = "The model needs {} fewer bits than {}.";
inline constexpr std::string_view kMore = "The model needs {} more bits than {}.";
inline constexpr std::string_view kMasked = "{} e-mail addresses were masked in {} files.";
inline constexpr std::string_view kNear =
    "{} near-duplicate files in {} groups after cleaning; each group lies in one split.";

// Runs on tables.
inline constexpr std::string_view kTableLossPlot = "Loss";
inline constexpr std::string_view kTableSpeedPlot = "Throughput (examples per second)";
inline constexpr std::string_view kAccuracyPlot = "Validation accuracy";
inline constexpr std::string_view kR2Plot = "Validation R\u00b2";
inline constexpr std::string_view kFeatures = "Features";
inline constexpr std::string_view kNetwork = "Network";
inline constexpr std::string_view kMoreWarnings = "more warnings";
inline constexpr std::string_view kLeaks =
    "{} rows of the held-out splits have a twin with the same features in another split.";
/// By the split that the model is judged by, and what is known of the training: examples of it.
inline constexpr std::array<Word, 5> kJudged{{
    {"train", "{} examples of the train split; the model has learned from some or all of them."},
    {"train, all", "{} examples of the train split: the model has learned from all of them."},
    {"validation", "{} examples of the validation split, none of them learned from."},
    {"validation, best",
     "{} examples of the validation split: not learned from, but the weights that did best on them "
     "were kept."},
    {"test", "{} examples of the test split, none of them learned from."},
}};
inline constexpr std::string_view kConfusion = "Confusion";
inline constexpr std::string_view kConfusionNote =
    "Rows are the true classes, columns the predicted ones; shares are of the row.";
inline constexpr std::string_view kPairsNote =
    "The classes that are taken for each other most often.";
inline constexpr std::string_view kCalibration = "Calibration";
inline constexpr std::string_view kCalibrationNote =
    "How often the model is right against how sure it says it is. Expected error: {} points.";
inline constexpr std::string_view kConfidence = "confidence";
inline constexpr std::string_view kIdeal = "as sure as right";
inline constexpr std::string_view kRoc = "Receiver operating characteristic (recall)";
inline constexpr std::string_view kFalseRate = "false positive rate";
inline constexpr std::string_view kChance = "by chance";
inline constexpr std::string_view kPr = "Precision over recall";
inline constexpr std::string_view kRecall = "recall";
inline constexpr std::string_view kScatter = "Predicted against true";
inline constexpr std::string_view kTrueAxis = "true";
inline constexpr std::string_view kExamplesSeries = "examples";
inline constexpr std::string_view kExact = "exact";
inline constexpr std::string_view kResiduals = "Predicted minus true";
inline constexpr std::string_view kResidualAxis = "difference";
inline constexpr std::string_view kSampleNote = "{} examples, drawn evenly from the split.";
inline constexpr std::string_view kImportance = "What the model leans on";
inline constexpr std::string_view kImportanceNote =
    "By how much the loss grows when a column is exchanged between {} examples (loss as it is: "
    "{}). "
    "Columns that say the same share it.";
inline constexpr std::string_view kGroups = "Groups";
inline constexpr std::string_view kGroupsNote =
    "Errors per category of the columns that have few; against the mean over all examples.";
inline constexpr std::string_view kNoValue = "(no value)";
inline constexpr std::string_view kWorst = "Worst errors";
inline constexpr std::string_view kWorstNote =
    "The examples of the largest loss: what is true, what was predicted, and the row.";
inline constexpr std::string_view kMistakesNote =
    "Pictures of the largest loss: what is true, what was predicted and how surely.";
inline constexpr std::string_view kTakenFor = "\u2192";
inline constexpr std::string_view kExample = "example";
inline constexpr std::string_view kLine = "line";

inline constexpr std::array<Word, 4> kStates{{
    {"done", "done"},
    {"running", "running"},
    {"failed", "failed"},
    {"stopped", "stopped"},
}};

/// The order of the pipeline and the names of its stages.
inline constexpr std::array<Word, 16> kStageNames{{
    {"inspect", "Inspect"},
    {"clean_table", "Clean table"},
    {"split_table", "Split table"},
    {"examples", "Examples"},
    {"clean", "Clean"},
    {"mask", "Mask"},
    {"split", "Split"},
    {"tokenizer", "Tokenizer"},
    {"tokenize", "Tokenize"},
    {"plan", "Plan"},
    {"train", "Train"},
    {"import", "Import"},
    {"evaluate", "Evaluate"},
    {"compress", "Compress"},
    {"serve", "Serve"},
    {"report", "Report"},
}};

inline constexpr std::string_view kLicenceHeads = "licence heads taken off";

inline constexpr std::array<Word, 7> kRemoved{{
    {"invalid_utf8", "not UTF-8"},
    {"exact_duplicates", "exact duplicates"},
    {"near_empty", "nearly empty"},
    {"empty", "empty"},
    {"binary", "binary"},
    {"too_large", "too large"},
    {"unreadable", "unreadable"},
}};

inline constexpr std::array<Word, 3> kSplits{{
    {"train", "train"},
    {"validation", "validation"},
    {"test", "test"},
}};

inline constexpr std::array<Word, 3> kBaselines{{
    {"gzip_files", "gzip -9, each file alone"},
    {"gzip_all", "gzip -9, all files joined"},
    {"xz_all", "xz -9, all files joined"},
}};

}  // namespace ingot::report::words
