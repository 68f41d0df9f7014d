#include <doctest/doctest.h>

#include "laws/cases.hpp"
#include "laws/check_laws.hpp"

namespace {

void check_all(const std::vector<laws::Case<double>>& in_double, const std::vector<laws::Case<float>>& in_float) {
  for (std::size_t i = 0; i < in_double.size(); ++i) laws::check_laws(in_double[i], in_float[i]);
}

}  // namespace

TEST_CASE("every part keeps the laws of a bijector") {
  check_all(laws::parts<double>(), laws::parts<float>());
}

TEST_CASE("every row of the catalogue keeps the laws of a bijector") {
  check_all(laws::rows_of_the_catalogue<double>(), laws::rows_of_the_catalogue<float>());
}
