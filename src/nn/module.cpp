// SPDX-License-Identifier: Apache-2.0
#include "nn/module.h"

namespace ingot::nn {
namespace {

class Collector : public Visitor {
 public:
  void parameter(const std::string& name, Parameter& p) override { list.push_back({name, &p}); }
  std::vector<NamedParameter> list;
};

}  // namespace

void Visitor::operator()(const char* name, std::unique_ptr<Layer>& slot) {
  if (slot == nullptr) return;
  if (layer(prefix_ + name, slot)) return;
  child(name, *slot);
}

std::vector<NamedParameter> parameters(Module& module) {
  Collector collector;
  module.visit(collector);
  return std::move(collector.list);
}

int64_t parameter_count(Module& module) {
  int64_t count = 0;
  for (const NamedParameter& p : parameters(module)) count += p.parameter->shape.size();
  return count;
}

}  // namespace ingot::nn
