// SPDX-License-Identifier: Apache-2.0
// Tensors, ops and gradients. A tensor belongs to an engine, which owns threads and memory.
#include <cmath>
#include <cstdio>

#include <ingot.h>

int main() {
  using namespace ingot;
  Runtime runtime;
  Engine& engine = runtime.engine;

  // Values in row-major order, and what to_text shows of them.
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const Tensor a = Tensor::from<float>(engine, values, {2, 3});
  const Tensor b = Tensor::full(engine, {3}, 10.0F);
  std::printf("a + b    %s\n", to_text(ops::add(a, b)).c_str());  // b is added to every row
  std::printf("softmax  %s\n", to_text(ops::softmax(a)).c_str());
  std::printf("mean     %s\n", to_text(ops::mean(a, {0})).c_str());

  // Ops on a watched tensor are recorded while a tape is on; backward walks the record once.
  Tensor x = Tensor::from<float>(engine, std::vector<float>{1, 2, 3}, {3});
  Tape tape(engine);
  const Recording on(engine, &tape);
  tape.watch(x);
  const Tensor y = ops::sum(ops::mul(x, x), {0});  // y = x1² + x2² + x3²
  tape.backward(y);
  const std::vector<float> slope = tape.grad(x).to_vector<float>();
  std::printf("y = %g, dy/dx = %g %g %g\n", y.item(), slope[0], slope[1], slope[2]);

  // What does not fit says so, with both shapes.
  try {
    (void)ops::add(a, Tensor::zeros(engine, {4}));
  } catch (const Error& error) {
    std::printf("error: %s\n", error.what());
  }
  const bool is_right = y.item() == 14.0F && slope == std::vector<float>{2, 4, 6};
  return is_right ? 0 : 1;
}
