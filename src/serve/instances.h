// SPDX-License-Identifier: Apache-2.0
// The examples of one predict request as a table of cells, filled from JSON in rows or in columns,
// and what every reader of such a request needs: the first error, in words that name instance,
// column and value. Instances count from 0, as in the request. Knows no protocol: that is
// tensorflow.h and open_inference.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"
#include "serve/api_error.h"
#include "serve/predictor.h"

namespace ingot::serve {

struct PredictLimits {
  int64_t max_depth = 64;
  bool strict = false;                    ///< unknown fields are errors
  std::span<const std::string> unused{};  ///< names of Predictor::unused()
};

/// An output that a request of the Open Inference Protocol wants.
struct WantedOutput {
  std::string name;
  bool is_binary = false;
};

/// What was asked, whatever the protocol.
struct PredictRequest {
  int64_t rows = 0;
  std::vector<std::string> cells;    ///< [rows, inputs]; a missing value is an empty text
  std::vector<std::string> ignored;  ///< unknown fields, columns that the model does not use

  bool by_column = false;             ///< TensorFlow Serving: "inputs" instead of "instances"
  std::string id;                     ///< Open Inference Protocol
  std::vector<WantedOutput> outputs;  ///< Open Inference Protocol: at least one
};

/// Fills a PredictRequest and keeps the first thing that was wrong.
class InstanceReader {
 public:
  InstanceReader(std::span<const PredictorInput> inputs, const PredictLimits& limits)
      : inputs_(inputs), limits_(limits) {}

  /// The body as an object; false when it is none. takes_nan: NaN, which is no JSON and which
  /// clients write all the same, is null.
  [[nodiscard]] bool parse(std::string_view body, Json& root, bool takes_nan = false);

  template <class... Args>
  void reject(fmt::format_string<Args...> text, Args&&... args) {
    if (failed()) return;
    error_.emplace();
    error_->message = fmt::format(text, std::forward<Args>(args)...);
  }
  /// For a member of the body that the protocol does not know.
  void unknown_field(const std::string& key, std::span<const std::string> known);

  /// `count` more rows of empty cells. Rows are made when their values are known to be there, so
  /// that memory stays in proportion to the body.
  void add_rows(int64_t count);
  [[nodiscard]] std::span<const PredictorInput> inputs() const { return inputs_; }
  /// The input called `name`. Nothing for a column that the model does not use, which is kept as
  /// ignored, and after the error for an unknown one. `instance` < 0: of no instance.
  [[nodiscard]] std::optional<size_t> find(std::string_view name, int64_t instance);
  /// Whether a column has this name, one that the model uses or one that it does not.
  [[nodiscard]] bool knows(std::string_view name);
  /// Puts one value into its cell: a text, number, truth value, null or {"b64": text}, bare or as
  /// the only item of a list. A picture may also be lists [height][width][channels] of its pixels.
  void put(int64_t instance, size_t input, const Json& value);
  /// The text of a cell, or the bytes of an image.
  void put_text(int64_t instance, size_t input, std::string text);
  /// An object of names, a list in the order of the inputs, or the value of the only input.
  void put_instance(int64_t instance, const Json& value);
  /// Names of all inputs, for messages.
  [[nodiscard]] std::string names() const;

  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] const ApiError& error() const { return *error_; }

  PredictRequest request;

 private:
  void ignore(std::string_view name);
  void place_names();
  void put_bytes(int64_t instance, size_t input, std::string_view base64);
  void put_pixels(int64_t instance, size_t input, const Json& lists);
  [[nodiscard]] std::string where(int64_t instance, size_t input) const;

  std::span<const PredictorInput> inputs_;
  const PredictLimits& limits_;
  // Of inputs_, and kUnused for what the model does not use, once a name is looked for.
  std::unordered_map<std::string_view, size_t> places_;
  std::optional<ApiError> error_;
};

}  // namespace ingot::serve
