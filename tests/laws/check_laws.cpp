#include "laws/check_laws.hpp"

#include <doctest/doctest.h>

#include "laws/bijector_laws.hpp"

namespace laws {

namespace {

template <class S> Subject<S> subject(const Case<S>& c, Index n, bool is_training) {
  Subject<S> result(c.features, c.context, c.build, n);
  result.tolerances = c.tolerances;
  if (is_training) result.noise = std::make_unique<Noise>(Noise{7, 11});
  return result;
}

}  // namespace

void check_laws(const Case<double>& c, const Case<float>& in_float) {
  CAPTURE(c.name);
  constexpr Index kRows = 48;
  const Subject<double> s = subject(c, kRows, false), shard = subject(c, kShardRows, false);
  const Subject<float> f = subject(in_float, kRows, false), shard_f = subject(in_float, kShardRows, false);
  Subject<double> training = subject(c, kRows, true);
  const Subject<float> training_f = subject(in_float, kRows, true);
  CHECK_LAW(inverts(s));
  CHECK_LAW(has_that_jacobian(s, c.is_triangular));
  CHECK_LAW(falls_like_a_square(training));
  CHECK_LAW(agrees_with_differences(training));
  CHECK_LAW(accumulates(training));
  CHECK_LAW(agrees_in_float(s, f));
  CHECK_LAW(allocates_nothing(s));
  CHECK_LAW(allocates_nothing(f));
  CHECK_LAW(allocates_nothing(training));
  CHECK_LAW(allocates_nothing(training_f));
  CHECK_LAW(listens_to_context(s));
  CHECK_LAW(survives_extremes(s));
  CHECK_LAW(treats_rows_alike(shard));
  CHECK_LAW(treats_rows_alike(shard_f));
}

}  // namespace laws
