#include "core/suggest.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace biject;

TEST_CASE("a slip of the finger is recognised") {
  const std::vector<std::string> flags = {"--seed", "--layers", "--learning-rate", "--hidden"};
  CHECK(closest_match("--sede", flags) == "--seed");
  CHECK(closest_match("--layer", flags) == "--layers");
  CHECK(closest_match("--learning_rate", flags) == "--learning-rate");
  CHECK(did_you_mean("--hiden", flags) == "did you mean '--hidden'?");
}

TEST_CASE("the nearest of several candidates is suggested") {
  const std::vector<std::string> columns = {"petal_length", "petal_width", "sepal_length"};
  CHECK(closest_match("petal_widht", columns) == "petal_width");
  CHECK(closest_match("Sepal_Length", columns) == "sepal_length");
  CHECK(closest_match("A", std::vector<std::string>{"b", "a"}) == "a");
}

TEST_CASE("nothing is suggested when nothing is near") {
  const std::vector<std::string> columns = {"height", "weight"};
  CHECK_FALSE(closest_match("species", columns).has_value());
  CHECK_FALSE(closest_match("b", std::vector<std::string>{"a", "c"}).has_value());
  CHECK_FALSE(closest_match("x", {}).has_value());
  CHECK(did_you_mean("species", columns).empty());
}
