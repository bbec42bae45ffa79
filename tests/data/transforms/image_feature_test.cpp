// SPDX-License-Identifier: Apache-2.0
// Pictures as a feature: sizes and channels found in training, moments against plain sums, and what
// is said about pictures that are missing, empty, cut, too large or of another kind.
#include "data/transforms/image_feature.h"

#include <cmath>

#include <sys/stat.h>

#include "base/files.h"
#include "data/temp_folder.h"
#include "data/transforms/samples.h"
#include "source_dir.h"

namespace ingot::data::image_feature_test {
namespace {

using samples::config_of;
using Texts = std::vector<std::string>;

/// One rounding to float32 of numbers of size 1.
constexpr double kTolerance = 1e-6;

std::string pnm(int64_t height, int64_t width, const std::string& pixels) {
  const auto channels = static_cast<int64_t>(pixels.size()) / (height * width);
  return io::pnm_head(height, width, channels) + pixels;
}

std::string gray(const std::string& pixels) {
  return pnm(1, static_cast<int64_t>(pixels.size()), pixels);
}

Cell cell_of(const std::string& text, const std::string& folder = "") {
  return {text, text.empty(), 7, folder};
}

struct Fitted {
  std::unique_ptr<ImageFeature> feature;
  Texts warnings;
};

Fitted fit(const FeatureConfig& config, const Texts& cells, const std::string& folder = "") {
  Fitted result{std::make_unique<ImageFeature>(config), {}};
  bool again = true;
  while (again) {
    for (const std::string& text : cells) result.feature->add(cell_of(text, folder));
    again = result.feature->finish_pass(result.warnings);
  }
  return result;
}

std::vector<uint8_t> encoded(const ImageFeature& feature, const std::string& text,
                             const std::string& folder = "") {
  std::vector<uint8_t> pixels(static_cast<size_t>(feature.layout().pixels.size()), 77);
  FeatureScratch scratch;
  if (!feature.encode(cell_of(text, folder), {{}, {}, pixels}, scratch)) return {};
  return pixels;
}

std::vector<float> numbers(const ImageFeature& feature, const std::vector<uint8_t>& pixels) {
  std::vector<float> out(pixels.size());
  feature.to_numbers(pixels, out.data());
  return out;
}

class ImageFeatureTest : public ::testing::Test {
 protected:
  FeatureConfig config_ = config_of(FeatureKind::kImage);
  TempFolder folder_;
};

TEST_F(ImageFeatureTest, SizeAndChannelsAreThoseOfTheTrainingPictures) {
  const Fitted f = fit(config_, {pnm(2, 2, "abcd"), pnm(2, 2, "abcdefghijkl")});
  EXPECT_EQ(f.feature->layout().pixels, (Shape{2, 2, 3})) << "one has colours";
  EXPECT_TRUE(f.feature->layout().columns.empty());
  EXPECT_EQ(f.feature->layout().ids, 0);
  EXPECT_EQ(encoded(*f.feature, pnm(2, 2, "abcd")),
            (std::vector<uint8_t>{'a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c', 'd', 'd', 'd'}));
  EXPECT_EQ(fit(config_, {gray("ab"), gray("cd")}).feature->layout().pixels, (Shape{1, 2, 1}));
}

TEST_F(ImageFeatureTest, OtherSizesAndChannelsAreTurnedIntoTheGivenOnes) {
  config_.image.size = {1, 2};
  config_.image.channels = 1;
  const Fitted f = fit(config_, {pnm(2, 2,
                                     "ab"
                                     "ab"),
                                 gray("abcd")});
  EXPECT_EQ(f.feature->layout().pixels, (Shape{1, 2, 1}));
  EXPECT_EQ(encoded(*f.feature, pnm(2, 2,
                                    "xz"
                                    "xz")),
            (std::vector<uint8_t>{'x', 'z'}));
  EXPECT_EQ(encoded(*f.feature, pnm(1, 2, "xxxzzz")), (std::vector<uint8_t>{'x', 'z'}))
      << "colours become gray";
}

TEST_F(ImageFeatureTest, SizesThatDifferAreNamed) {
  EXPECT_EQ(
      message_of(Code::kShapeMismatch,
                 [&] {
                   (void)fit(config_, {gray("ab"), gray("abc")});
                 }),
      "features: column \"x\" (line 7): \"the cell\" is 1 high and 3 wide, the first picture 1 "
      "and 2; set {name: \"x\", image: {size: [1, 2]}} in table.features to give all one size");
}

TEST_F(ImageFeatureTest, SizesBeyondReasonAskForASmallerOne) {
  EXPECT_EQ(message_of(Code::kInvalidArgument,
                       [&] { (void)fit(config_, {gray(std::string(9000, 'x'))}); }),
            "features: column \"x\": pictures of 9000 x 1 pixels are too large to learn from; set "
            "{name: \"x\", image: {size: [64, 64]}} in table.features");
}

TEST_F(ImageFeatureTest, StandardisesEveryChannelOfTheTrainingPictures) {
  // Red 10 and 30, green 0 and 255, blue always 7.
  const std::string one("\x0a\x00\x07", 3), two("\x1e\xff\x07", 3);
  const Fitted f = fit(config_, {pnm(1, 1, one), pnm(1, 1, two)});
  EXPECT_EQ(f.warnings, Texts{"x: channel 3 is 7 in all training pictures, scaled to 0"});
  const std::vector<float> low = numbers(*f.feature, {10, 0, 7});
  const std::vector<float> high = numbers(*f.feature, {50, 255, 200});
  EXPECT_NEAR(low[0], -1, kTolerance);
  EXPECT_NEAR(high[0], 3, kTolerance);
  EXPECT_NEAR(low[1], -1, kTolerance);
  EXPECT_NEAR(high[1], 1, kTolerance);
  EXPECT_EQ(low[2], 0);
  EXPECT_EQ(high[2], 0);
}

TEST_F(ImageFeatureTest, ScalesByUnitByNothingOrByWhatIsGiven) {
  const std::vector<uint8_t> pixels{0, 51, 255};
  config_.image.scale = PixelScale::kZeroOne;
  EXPECT_EQ(numbers(*fit(config_, {gray("abc")}).feature, pixels),
            (std::vector<float>{0, 0.2F, 1}));
  config_.image.scale = PixelScale::kNone;
  EXPECT_EQ(numbers(*fit(config_, {gray("abc")}).feature, pixels),
            (std::vector<float>{0, 51, 255}));
  config_.image.scale = PixelScale::kGiven;
  config_.image.mean = {0.5};
  config_.image.deviation = {0.25};
  const std::vector<float> given = numbers(*fit(config_, {gray("abc")}).feature, pixels);
  EXPECT_EQ(given[0], -2);
  EXPECT_NEAR(given[1], -1.2, kTolerance);
  EXPECT_EQ(given[2], 2);
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { (void)fit(config_, {pnm(1, 1, "abc")}); }),
            "features: column \"x\": image.mean has 1 numbers, the pictures have 3 channels; set "
            "{name: \"x\", image: {channels: 1}} in table.features, or give 3 numbers");
}

TEST_F(ImageFeatureTest, ComesBackFromItsStateToTheBit) {
  config_.image.augment.emplace_back().padding = 1;
  const Fitted f = fit(config_, {pnm(2, 2, "abcdefghijkl"), pnm(2, 2, "mnopqrstuvwx")});
  const std::unique_ptr<Feature> again = samples::stored(*f.feature);
  EXPECT_EQ(again->layout().pixels, f.feature->layout().pixels);
  EXPECT_EQ(dump_json(again->state()), dump_json(f.feature->state()));
  const std::vector<uint8_t> pixels = encoded(*f.feature, pnm(2, 2, "abcdefghijkl"));
  const auto& stored = dynamic_cast<const ImageFeature&>(*again);
  EXPECT_EQ(numbers(stored, pixels), numbers(*f.feature, pixels));
  EXPECT_FALSE(stored.augmenter().is_empty());
  Json state = f.feature->state();
  state["channels"] = 2;
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { ImageFeature(config_, state, "f.json"); }),
            "f.json: pictures of 2 x 2 x 2");
  state["channels"] = 1;
  EXPECT_EQ(message_of(Code::kInvalidArgument, [&] { ImageFeature(config_, state, "f.json"); }),
            "f.json: \"mean\" must be a list of 1 numbers");
}

TEST_F(ImageFeatureTest, ReadsPathsRelativeToTheTable) {
  const std::string golden = INGOT_SOURCE_DIR "/tests/golden/io/images/";
  (void)folder_.put("deep/a.png", read_file(golden + "gray.png"));
  config_.image.channels = 1;
  const Fitted f = fit(config_, {" deep/a.png "}, folder_.path());
  EXPECT_FALSE(encoded(*f.feature, folder_.file("deep/a.png"), "elsewhere").empty())
      << "an absolute path stays one";
  // A JPEG of inks is a picture as any other.
  config_.image.channels = 3;
  config_.image.size = {4, 4};
  EXPECT_EQ(fit(config_, {"cmyk.jpg", "rgba.png", "palette.png", "gray.jpg"}, golden)
                .feature->layout()
                .pixels,
            (Shape{4, 4, 3}));
}

/// What is said about a picture file with these bytes.
TEST_F(ImageFeatureTest, BadPicturesAreNamedWithTheirLine) {
  const std::string golden = INGOT_SOURCE_DIR "/tests/golden/io/images/";
  const std::string png = read_file(golden + "rgb.png"), jpeg = read_file(golden + "rgb.jpg");
  (void)folder_.put("good.png", png);
  config_.image.size = {2, 2};
  const Fitted f = fit(config_, {"good.png"}, folder_.path());
  const auto refusal = [&](Code code, const std::string& name) {
    std::string text = message_of(code, [&] { (void)encoded(*f.feature, name, folder_.path()); });
    const size_t at = text.find(folder_.path() + "/");
    return at == std::string::npos ? text : text.erase(at, folder_.path().size() + 1);
  };
  const std::string column = "features: column \"x\" (line 7): ";
  const std::string drop = "set {name: \"x\", image: {bad: drop_row}} in table.features";
  (void)folder_.put("empty.png", "");
  EXPECT_EQ(refusal(Code::kCorruptFile, "empty.png"),
            column + "image: \"empty.png\": the file is empty; correct it, or " + drop);
  (void)folder_.put("cut.png", png.substr(0, png.size() / 2));
  EXPECT_EQ(refusal(Code::kCorruptFile, "cut.png"),
            column + "image: \"cut.png\": broken PNG: truncated; correct it, or " + drop);
  (void)folder_.put("cut.jpg", jpeg.substr(0, jpeg.size() - 40));
  EXPECT_EQ(refusal(Code::kCorruptFile, "cut.jpg"),
            column +
                "image: \"cut.jpg\": broken JPEG: Premature end of JPEG file; correct it, or " +
                drop);
  (void)folder_.put("text.png", "no picture at all");
  EXPECT_EQ(refusal(Code::kCorruptFile, "text.png"),
            column +
                "image: \"text.png\": none of PNG, JPEG, PGM and PPM by its first bytes; correct "
                "it, or " +
                drop);
  ASSERT_EQ(mkfifo((folder_.path() + "/pipe.png").c_str(), 0600), 0);
  EXPECT_EQ(refusal(Code::kCorruptFile, "pipe.png"),
            column +
                "read: \"pipe.png\" is a pipe or device, a regular file is needed: copy it to "
                "one first; correct it, or " +
                drop);
  EXPECT_TRUE(refusal(Code::kNotFound, "none.png").starts_with(column));
  EXPECT_TRUE(contains(refusal(Code::kNotFound, "none.png"), "none.png"));
  (void)folder_.put("huge.pgm", "P5\n20000 20000\n255\n");
  EXPECT_EQ(refusal(Code::kInvalidArgument, "huge.pgm"),
            column +
                "image: \"huge.pgm\": 20000 x 20000 pixels are more than the 67108864 allowed; "
                "raise its image.max_pixels, or " +
                drop);
  (void)folder_.put("dot.pgm", "P5\n1 1\n255\nx");
  EXPECT_EQ(encoded(*f.feature, "dot.pgm", folder_.path()).front(), 'x') << "1 x 1 is fine";
  EXPECT_EQ(refusal(Code::kInvalidArgument, ""),
            column +
                "no path of an image; set {name: \"x\", missing: drop_row} in table.features to "
                "leave such rows out");
}

TEST_F(ImageFeatureTest, ARequestReadsNoFiles) {
  (void)folder_.put("good.png", "");
  const Fitted f = fit(config_, {gray("ab")});
  const std::string expected =
      "features: column \"x\" (line 7): image: a picture is expected here, the bytes of a PNG or "
      "JPEG file, or of a PGM or PPM file whose head is width, height and 255 alone, not the text ";
  const std::string cure =
      "; correct it, or set {name: \"x\", image: {bad: drop_row}} in table.features";
  EXPECT_EQ(message_of(Code::kCorruptFile, [&] { (void)encoded(*f.feature, "/etc/passwd"); }),
            expected + "\"/etc/passwd\"" + cure);
  const std::string commented =
      message_of(Code::kCorruptFile, [&] { (void)encoded(*f.feature, "P5\n# x\n2 1\n255\nab"); });
  EXPECT_TRUE(commented.starts_with(expected)) << commented;
  EXPECT_EQ(encoded(*f.feature, gray("yz")), (std::vector<uint8_t>{'y', 'z'}));
}

TEST_F(ImageFeatureTest, BadPicturesAreLeftOutAndCountedWhenAsked) {
  config_.image.bad = BadImage::kDropRow;
  (void)folder_.put("empty.png", "");
  const Fitted f = fit(config_, {"empty.png", gray("ab"), "none.png", gray("cd")}, folder_.path());
  ASSERT_EQ(f.warnings.size(), 1U);
  EXPECT_EQ(f.warnings[0],
            "x: 2 of 4 training pictures cannot be read; the first: image: "
            "\"empty.png\": the file is empty");
  EXPECT_TRUE(encoded(*f.feature, "empty.png", folder_.path()).empty());
  EXPECT_FALSE(encoded(*f.feature, gray("ab")).empty());
  const Fitted holes = fit(config_, {"", gray("ab")});
  EXPECT_EQ(holes.warnings.at(0),
            "x: 1 of 2 training pictures cannot be read; the first: the cell (line 7) is empty");
  EXPECT_TRUE(encoded(*holes.feature, "").empty()) << "a row without a picture is left out, too";
  EXPECT_TRUE(
      contains(message_of(Code::kInvalidArgument,
                          [&] {
                            (void)fit(config_, {"empty.png", "empty.png"}, folder_.path());
                          }),
               "features: column \"x\" has no picture in 2 training rows, the first: image: "));
}

}  // namespace
}  // namespace ingot::data::image_feature_test
