// SPDX-License-Identifier: Apache-2.0
// Time is passed in, so that tests decide it. now_s never goes back and is for differences; wall_s
// is the calendar and is for records. Used by progress, the ledger, the loop's horizons and
// serving.
#pragma once

#include <memory>
#include <string>

namespace ingot {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual double now_s() const = 0;   ///< seconds from an arbitrary start
  [[nodiscard]] virtual double wall_s() const = 0;  ///< seconds since 1970-01-01 00:00 UTC
};

class RealClock final : public Clock {
 public:
  [[nodiscard]] double now_s() const override;
  [[nodiscard]] double wall_s() const override;
};

/// Stands still until told.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(double now = 0, double wall = 0) : now_(now), wall_(wall) {}
  [[nodiscard]] double now_s() const override { return now_; }
  [[nodiscard]] double wall_s() const override { return wall_; }
  void advance(double seconds) {
    now_ += seconds;
    wall_ += seconds;
  }

 private:
  double now_;
  double wall_;
};

/// "2024-05-01T12:34:56Z".
[[nodiscard]] std::string utc_text(double wall_s);

}  // namespace ingot
