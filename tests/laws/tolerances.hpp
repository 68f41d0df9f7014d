#pragma once

/// What the laws allow, each with its reason. Double unless said.
struct Tolerances {
  double round_trip = 1e-10;       // times 1 + |x|: a spline divides by slopes down to 1e-3, each costing three digits
  double logdet_cancels = 1e-9;    // forward + inverse; it amplifies the round trip by the curvature
  double jacobian = 1e-6;          // times 1 + |logdet|: central differences lose half of the digits
  double slope = 0.1;              // of 2, for the median over step sizes and directions
  double derivative_absolute = 1e-7, derivative_relative = 1e-6;  // central differences
  double float_log_prob = 2e-4;    // times 1 + |log p|, at the 99th percentile of rows: float32 through five layers
  double integral = 2e-3;          // a trapezoid rule over knots, where the density of a linear spline jumps
};
inline constexpr Tolerances tolerances;

