#include "ode/tableau.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace biject;

namespace {

/// A rooted tree: the subtrees on its root. A method has order p iff for all trees with up to p nodes Σ bᵢΦᵢ(tree) = 1/γ(tree)
/// (Butcher 1963; Hairer, Nørsett, Wanner 1993, theorem II.2.13).
struct Tree {
  std::vector<Tree> branches;

  int nodes() const {
    int sum = 1;
    for (const Tree& branch : branches) sum += branch.nodes();
    return sum;
  }
  double gamma() const {
    double product = nodes();
    for (const Tree& branch : branches) product *= branch.gamma();
    return product;
  }
  /// Φ of stage i: the product over branches of Σⱼ aᵢⱼΦⱼ(branch).
  double weight(const Tableau& tableau, std::size_t i) const {
    double product = 1;
    for (const Tree& branch : branches) {
      double sum = 0;
      for (std::size_t j = 0; j < i; ++j) sum += tableau.a[i][j] * branch.weight(tableau, j);
      product *= sum;
    }
    return product;
  }
};

/// All trees with that many nodes: branches are taken from `known`, all smaller trees, with numbers that do not rise.
void grow(int nodes, std::size_t most, const std::vector<Tree>& known, const Tree& begun, std::vector<Tree>& result) {
  if (nodes == 0) {
    result.push_back(begun);
    return;
  }
  for (std::size_t i = 0; i < most; ++i) {
    if (known[i].nodes() > nodes) continue;
    Tree longer = begun;
    longer.branches.push_back(known[i]);
    grow(nodes - known[i].nodes(), i + 1, known, longer, result);
  }
}

std::vector<Tree> trees_up_to(int nodes) {
  std::vector<Tree> all;
  for (int n = 1; n <= nodes; ++n) {
    std::vector<Tree> next;
    grow(n - 1, all.size(), all, {}, next);
    all.insert(all.end(), next.begin(), next.end());
  }
  return all;
}

/// The largest violation of an order condition by these weights, over all trees with exactly that many nodes.
double violation(const Tableau& tableau, const Tableau::Row& weights, int nodes) {
  double worst = 0;
  for (const Tree& tree : trees_up_to(nodes)) {
    if (tree.nodes() != nodes) continue;
    double sum = 0;
    for (std::size_t i = 0; i < Tableau::kMostStages; ++i) sum += weights[i] * tree.weight(tableau, i);
    worst = std::max(worst, std::abs(sum - 1 / tree.gamma()));
  }
  return worst;
}

}  // namespace

TEST_CASE("the trees are as many as they should be") {
  CHECK(trees_up_to(1).size() == 1);
  CHECK(trees_up_to(4).size() == 8);
  CHECK(trees_up_to(6).size() == 37);
}

TEST_CASE("a tableau has the order that it claims, and no more") {
  for (const Tableau& tableau : {kRungeKutta4, kDormandPrince}) {
    for (int nodes = 1; nodes <= tableau.order; ++nodes) CHECK(violation(tableau, tableau.b, nodes) < 1e-14);
    CHECK(violation(tableau, tableau.b, tableau.order + 1) > 1e-5);
  }
}

TEST_CASE("the embedded method has one order less") {
  Tableau::Row embedded = kDormandPrince.b;
  for (std::size_t i = 0; i < embedded.size(); ++i) embedded[i] -= kDormandPrince.error[i];
  for (int nodes = 1; nodes <= 4; ++nodes) CHECK(violation(kDormandPrince, embedded, nodes) < 1e-14);
  CHECK(violation(kDormandPrince, embedded, 5) > 1e-5);
}

TEST_CASE("rows sum to the times of their stages, stages see only those before them") {
  for (const Tableau& tableau : {kRungeKutta4, kDormandPrince}) {
    for (std::size_t i = 0; i < Tableau::kMostStages; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < Tableau::kMostStages; ++j) {
        sum += tableau.a[i][j];
        if (j >= i || static_cast<int>(i) >= tableau.stages) CHECK(tableau.a[i][j] == 0);
      }
      CHECK(sum == doctest::Approx(tableau.c[i]).epsilon(1e-14));
    }
  }
}

TEST_CASE("the last stage of Dormand and Prince stands at the result") { CHECK(kDormandPrince.a[6] == kDormandPrince.b); }
