#pragma once

#include <optional>

#include "core/types.hpp"

namespace biject {

/// The linear map z = x·R + offset after which data have mean 0 and covariance 1.
struct Whitening {
  Matrix<double> r;             // D × D, upper triangular with positive diagonal
  Eigen::RowVectorXd offset;    // 1 × D
};

/// The one of these data (n × D, n ≥ 2), or nothing if a number is lost on the way. A small ridge on the covariance keeps
/// collinear columns from asking for an infinite scale.
template <class S> std::optional<Whitening> whitening(In<S> x);

}  // namespace biject
