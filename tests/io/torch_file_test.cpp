// SPDX-License-Identifier: Apache-2.0
// Checkpoints of PyTorch in both forms against what PyTorch says they hold (golden files and
// script: tests/golden/io, scripts/golden/torch_file_golden.py), and files that lie or are cut off.
#include "io/torch_file.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/message_of.h"
#include "source_dir.h"

namespace ingot::io::torch_file_test {
namespace {

using testing::message_of;

const std::string kTorchFolder = INGOT_SOURCE_DIR "/tests/golden/io/";

std::vector<TorchTensor> parse_torch(const std::string& bytes) {
  return parse_torch_file(std::as_bytes(std::span(bytes)), "t");
}
std::string torch_refusal(const std::string& bytes) {
  return message_of([&] { (void)parse_torch(bytes); });
}

TEST(TorchFile, BothFormsHoldWhatPyTorchSays) {
  const Json golden = parse_json(read_file(kTorchFolder + "state.json"), "state.json");
  for (const char* name : {"state_zip.pt", "state_stream.pt"}) {
    SCOPED_TRACE(name);
    const TorchFile file(kTorchFolder + name);
    const Json& tensors = golden.at("tensors");
    ASSERT_EQ(file.tensors().size(), tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      const TorchTensor& t = file.tensors()[i];
      SCOPED_TRACE(t.name);
      EXPECT_EQ(t.name, tensors[i].at("name").get<std::string>());
      EXPECT_EQ(dtype_name(t.dtype), tensors[i].at("dtype").get<std::string>());
      Shape shape;
      for (const int64_t dim : tensors[i].at("shape").get<std::vector<int64_t>>()) shape.push(dim);
      EXPECT_EQ(t.shape, shape);
      if (t.dtype == DType::kI64 || t.dtype == DType::kU8) continue;
      EXPECT_EQ(torch_numbers(t), tensors[i].at("values").get<std::vector<float>>());
    }
  }
}

TEST(TorchFile, WholeNumbersAreNoWeights) {
  const TorchFile file(kTorchFolder + "state_zip.pt");
  for (const TorchTensor& t : file.tensors()) {
    if (t.name != "long") continue;
    EXPECT_EQ(message_of([&] { (void)torch_numbers(t); }),
              "torch file: \"long\" holds int64, not numbers with a fraction");
  }
}

TEST(TorchFileErrors, SayWhatIsWrong) {
  EXPECT_EQ(torch_refusal("xyz"),
            "t: offset 0: the pickle opcode 0x78 is not read. Save plain tensors, as "
            "torch.save(model.state_dict(), …) does");
  EXPECT_EQ(torch_refusal(std::string("\x80\x02K\x01.", 5)),
            "t: neither form of torch.save's files");
  std::string stream = read_file(kTorchFolder + "state_stream.pt");
  const std::string cut = torch_refusal(stream.substr(0, stream.size() - 1));
  EXPECT_NE(cut.find("bytes are left"), std::string::npos) << cut;
  const std::string zip = read_file(kTorchFolder + "state_zip.pt");
  EXPECT_EQ(torch_refusal(zip.substr(0, zip.size() - 1)),
            "t: the zip file has no directory at its end; is it whole?");
}

TEST(TorchFileErrors, AnyCutAndAnyChangedByteIsRefusedOrRead) {
  const std::string whole = read_file(kTorchFolder + "state_stream.pt");
  for (size_t n = 0; n < whole.size(); n += 7)
    EXPECT_NE(torch_refusal(whole.substr(0, n)), "no error") << n;
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x15);
    EXPECT_EQ(torch_refusal(changed).find("internal"), std::string::npos) << i;  // and no crash
  }
}

}  // namespace
}  // namespace ingot::io::torch_file_test
