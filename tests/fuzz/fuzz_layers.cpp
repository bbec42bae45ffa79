// SPDX-License-Identifier: Apache-2.0
// models/network/network_file.h: inputs and layers as text become a network, whose shapes, weights
// and FLOP are settled without a number being computed. What the table of an accepted list says of
// its layers adds up to the whole, its forward pass, recorded without memory, has the shapes that
// were said, and the list survives being written and read again. Texts are short: a block's repeat
// makes thousands of layers of a few words.
#include <cstddef>
#include <string>

#include "base/team.h"
#include "fuzz/fuzz.h"
#include "models/network/forward_shape.h"
#include "models/network/network_file.h"

namespace {

using namespace ingot;

constexpr size_t kLongest = 8192;
constexpr const char* kName = "network.yaml";

/// Every number of the table of `plan --graph`.
void check_table(models::Network& network) {
  int64_t parameters = 0, flops = 0;
  for (const models::LayerLine& line : network.lines()) {
    fuzz::demand(line.parameters >= 0 && line.flops >= 0);
    parameters += line.parameters;
    flops += line.flops;
  }
  fuzz::demand(parameters == nn::parameter_count(network) && flops == network.flops());
  network.each_layer(
      "", [](const std::string& name, const models::Value&, const models::Value& out) {
        fuzz::demand(!name.empty() && out.shape.rank() < kMaxRank && out.shape.size() >= 1);
      });
}

/// What comes out of every layer has the shape that was said.
void check_shapes(models::Network& network) {
  static Team team(1);
  static Engine engine(team);
  constexpr int64_t kBatch = 2;
  if (!testing::is_recordable(network)) return;
  fuzz::demand(testing::forward_shape(engine, network, kBatch) ==
               testing::batch_shape(kBatch, network.output().shape));
}

void check_round_trip(const models::ListedNetwork& listed) {
  const std::string printed = models::network_text(*listed.network, listed.layers);
  const models::ListedNetwork again = models::parse_network(printed, kName);
  fuzz::demand(models::network_text(*again.network, again.layers) == printed);
  fuzz::demand(again.network->mermaid() == listed.network->mermaid());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kLongest) return 0;
  const std::string text = std::string(fuzz::as_text(data, size)) + "\n";
  models::ListedNetwork listed;
  if (!fuzz::accepts([&] { listed = models::parse_network(text, kName); })) return 0;
  check_table(*listed.network);
  check_shapes(*listed.network);
  // An alias is written as what it stands for, which may be more than is read.
  if (text.find('*') == std::string::npos) check_round_trip(listed);
  return 0;
}
