#pragma once

#include <array>

namespace biject {

/// An explicit Runge–Kutta method for dx/dt = v(t, x), as data: kᵢ = v(t + cᵢh, x + h·Σ_{j<i} aᵢⱼkⱼ), x ← x + h·Σ bᵢkᵢ.
/// Coefficients beyond `stages` are zero.
struct Tableau {
  static constexpr int kMostStages = 7;
  using Row = std::array<double, kMostStages>;

  int stages;
  int order;               // of the result; its error after a fixed time falls like h^order
  std::array<Row, kMostStages> a;
  Row b, c;
  Row error;               // b minus the weights of an embedded method of one order less; zero if there is none
};

/// The classical method of order 4: Kutta (1901), Beitrag zur näherungsweisen Integration totaler Differentialgleichungen.
inline constexpr Tableau kRungeKutta4{
    .stages = 4,
    .order = 4,
    .a = {{{}, {1. / 2}, {0, 1. / 2}, {0, 0, 1}}},
    .b = {1. / 6, 1. / 3, 1. / 3, 1. / 6},
    .c = {0, 1. / 2, 1. / 2, 1},
    .error = {},
};

/// Order 5 with an embedded order 4; its last stage is the first one of the next step. Dormand, Prince (1980), A family of embedded
/// Runge–Kutta formulae, table 2.
inline constexpr Tableau kDormandPrince{
    .stages = 7,
    .order = 5,
    .a = {{{},
           {1. / 5},
           {3. / 40, 9. / 40},
           {44. / 45, -56. / 15, 32. / 9},
           {19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
           {9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
           {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84}}},
    .b = {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84, 0},
    .c = {0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1},
    .error = {35. / 384 - 5179. / 57600, 0, 500. / 1113 - 7571. / 16695, 125. / 192 - 393. / 640,
              -2187. / 6784 + 92097. / 339200, 11. / 84 - 187. / 2100, -1. / 40},
};

}  // namespace biject
