#pragma once

#include <memory>
#include <span>

#include "model/model.hpp"

namespace biject {

/// A model made ready to score and to sample, in float or in double, by as many threads at once as there are lanes: each
/// uses its own. A row's result depends on nothing but the row: not on its neighbours, its place, nor the lane.
class Engine {
 public:
  /// Computes in float32 unless in_double is set or the model was trained in double.
  Engine(const Model& model, bool in_double, int lanes);
  ~Engine();

  /// values: n × (all columns of the model, in its order), in the units of the file. Overwrites log_prob (n): nats, density
  /// in the units of the file of the columns that are not given. Always finite for finite values: a point so far out that its
  /// density underflows gets the lowest finite double.
  void log_prob(int lane, In<double> values, std::span<double> log_prob);
  /// Fills the columns of values (n × all columns) that are not given with the draws first_row …; those that are given are
  /// read. In the units of the file.
  void sample(int lane, std::uint64_t seed, std::uint64_t first_row, double temperature, Out<double> values);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace biject
