#pragma once

#include <string>

#include "laws/subject.hpp"

namespace laws {

/// One thing of which the laws of bijectors are asked, in one precision.
template <class S> struct Case {
  std::string name;
  biject::Index features, context;
  typename Subject<S>::Build build;
  bool is_triangular = false;  // output j depends on inputs up to j
  Tolerances tolerances{};     // other than the usual ones only for what is computed by iteration
};

/// CHECKs every law of a bijector.
void check_laws(const Case<double>& in_double, const Case<float>& in_float);

}  // namespace laws
