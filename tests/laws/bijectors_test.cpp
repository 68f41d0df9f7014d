#include <doctest/doctest.h>

#include "laws/bijector_laws.hpp"
#include "laws/cases.hpp"

using namespace biject;
using namespace laws;

namespace {

void check_laws(const Case<double>& c, const Case<float>& in_float) {
  CAPTURE(c.name);
  Subject<double> s(c.features, c.context, c.build);
  const Subject<float> f(c.features, c.context, in_float.build);
  CHECK_LAW(inverts(s));
  CHECK_LAW(has_that_jacobian(s, c.is_triangular));
  CHECK_LAW(falls_like_a_square(s));
  CHECK_LAW(agrees_with_differences(s));
  CHECK_LAW(accumulates(s));
  CHECK_LAW(agrees_in_float(s, f));
  CHECK_LAW(allocates_nothing(s));
  CHECK_LAW(allocates_nothing(f));
  CHECK_LAW(listens_to_context(s));
  CHECK_LAW(survives_extremes(s));
  const Subject<double> shard(c.features, c.context, c.build, kShardRows);
  const Subject<float> shard_f(c.features, c.context, in_float.build, kShardRows);
  CHECK_LAW(treats_rows_alike(shard));
  CHECK_LAW(treats_rows_alike(shard_f));
  if (c.has_dropout) {
    Subject<double> noisy(c.features, c.context, c.build);
    noisy.noise = std::make_unique<Noise>(Noise{Rng(7, Stream::dropout), 11});
    CHECK_LAW(falls_like_a_square(noisy));
    CHECK_LAW(agrees_with_differences(noisy));
  }
}

}  // namespace

TEST_CASE("every part keeps the laws of a bijector") {
  const auto in_double = parts<double>();
  const auto in_float = parts<float>();
  for (std::size_t i = 0; i < in_double.size(); ++i) check_laws(in_double[i], in_float[i]);
}

TEST_CASE("every row of the catalogue keeps the laws of a bijector") {
  const auto in_double = rows_of_the_catalogue<double>();
  const auto in_float = rows_of_the_catalogue<float>();
  for (std::size_t i = 0; i < in_double.size(); ++i) check_laws(in_double[i], in_float[i]);
}
