#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <numbers>

#include "core/error.hpp"
#include "model/model_file.hpp"
#include "model/sha256.hpp"
#include "train/engine.hpp"

// Model files written by hand, whose density is a closed form, scored through the whole path from bytes to nats.

using namespace biject;

namespace {

constexpr double kMean[2] = {100, -3}, kScale[2] = {12.5, 0.004};
constexpr double kG[2] = {0.25, -0.5}, kU = 0.75, kL = -0.375, kBias[2] = {0.5, -1.25};

/// A `gaussian` of two columns: z = u·U·L + b with u = (x − mean)/scale.
std::string model_by_hand(bool in_double) {
  const std::string zeros(64, '0');
  const int width = in_double ? 8 : 4;
  const char* dtype = in_double ? "F64" : "F32";
  const std::string flow =
      R"({\"flow\":\"gaussian\",\"features\":2,\"context\":0,\"scheme\":\"\",\"layers\":5,\"hidden\":[64,64],\"blocks\":0,\"bins\":8,)"
      R"(\"tail\":5.0,\"mix\":\"lu\",\"base\":\"normal\",\"components\":8,\"component_flow\":\"maf\",\"dropout\":0.0,\"activation\":\"relu\"})";
  const std::string columns =
      R"([{\"name\":\"a\",\"kind\":\"real\",\"given\":false,\"min\":0.0,\"max\":1.0},)"
      R"({\"name\":\"b\",\"kind\":\"real\",\"given\":false,\"min\":0.0,\"max\":1.0}])";
  const std::string preprocessing = R"({\"kind\":\"zscore\",\"mean\":[100.0,-3.0],\"scale\":[12.5,0.004]})";
  const std::string training =
      R"({\"seed\":0,\"rows\":10,\"validation_rows\":1,\"rows_skipped\":0,\"batch_size\":1,\"learning_rate\":0.001,)"
      R"(\"weight_decay\":0.0,\"clip\":5.0,\"schedule\":\"cosine\",\"averaged\":false,\"epochs\":0,\"best_epoch\":0,)"
      R"(\"rejected_steps\":0,\"stop\":\"epochs\"})";
  const std::string judged = R"({\"mean\":0.0,\"standard_error\":0.0,\"rows\":1})";
  std::string header = fmt::format(
      R"({{"__metadata__":{{"format":"biject","format_version":"1","biject_version":"0.1.0","digest":"sha256:{}",)"
      R"("flow":"{}","columns":"{}","preprocessing":"{}","training":"{}",)"
      R"("metrics":"{{\"train\":{},\"validation\":{},\"gaussian\":{}}}","log_prob_quantiles":"[]"}},)"
      R"("0.lu.lu":{{"dtype":"{}","shape":[2,2],"data_offsets":[0,{}]}},)"
      R"("0.lu.log_diagonal":{{"dtype":"{}","shape":[2],"data_offsets":[{},{}]}},)"
      R"("0.lu.bias":{{"dtype":"{}","shape":[2],"data_offsets":[{},{}]}}}})",
      zeros, flow, columns, preprocessing, training, judged, judged, judged, dtype, 4 * width, dtype, 4 * width, 6 * width,
      dtype, 6 * width, 8 * width);
  while (header.size() % 8 != 0) header += ' ';
  std::string bytes(8, '\0');
  const auto length = static_cast<std::uint64_t>(header.size());
  std::memcpy(bytes.data(), &length, 8);
  bytes += header;
  const auto append = [&](double number) {
    const float narrow = static_cast<float>(number);
    if (in_double) {
      bytes.append(reinterpret_cast<const char*>(&number), 8);
    } else {
      bytes.append(reinterpret_cast<const char*>(&narrow), 4);
    }
  };
  for (const double number : {0., kU, kL, 0.}) append(number);  // row-major: U above the diagonal, L below
  for (const double number : {kG[0], kG[1], kBias[0], kBias[1]}) append(number);
  Sha256 digest;
  digest.update(bytes);
  bytes.replace(bytes.find(zeros), 64, digest.finish());
  return bytes;
}

double expected_log_prob(double a, double b) {
  const double u0 = (a - kMean[0]) / kScale[0], u1 = (b - kMean[1]) / kScale[1];
  const double y0 = u0 * std::exp(kG[0]), y1 = u0 * kU + u1 * std::exp(kG[1]);
  const double z0 = y0 + y1 * kL + kBias[0], z1 = y1 + kBias[1];
  return -0.5 * (z0 * z0 + z1 * z1) - std::log(2 * std::numbers::pi) + kG[0] + kG[1] - std::log(kScale[0]) - std::log(kScale[1]);
}

}  // namespace

TEST_CASE("a model file written by hand gives the density of its closed form") {
  const Matrix<double> rows{{100, -3}, {87.25, -2.999}, {130, -3.011}, {99.5, -3.0005}};
  std::vector<double> found(4);
  Engine(parse_model(model_by_hand(true), "by hand"), false, 1).log_prob(0, rows, found);
  for (Index i = 0; i < 4; ++i) {
    CHECK(found[static_cast<std::size_t>(i)] == doctest::Approx(expected_log_prob(rows(i, 0), rows(i, 1))).epsilon(1e-13));
  }
  const Model in_float = parse_model(model_by_hand(false), "by hand");  // all its numbers are exact in float32
  Engine(in_float, true, 1).log_prob(0, rows, found);
  for (Index i = 0; i < 4; ++i) {
    CHECK(found[static_cast<std::size_t>(i)] == doctest::Approx(expected_log_prob(rows(i, 0), rows(i, 1))).epsilon(1e-13));
  }
  Engine(in_float, false, 1).log_prob(0, rows, found);
  for (Index i = 0; i < 4; ++i) {
    CHECK(found[static_cast<std::size_t>(i)] == doctest::Approx(expected_log_prob(rows(i, 0), rows(i, 1))).epsilon(1e-6));
  }
}

TEST_CASE("a wrong sign in the digest's reach is noticed") {
  std::string bytes = model_by_hand(true);
  bytes.back() = static_cast<char>(bytes.back() ^ '\x80');
  CHECK_THROWS_AS(parse_model(bytes, "by hand"), Error);
}

TEST_CASE("scores are finite however far the row") {
  const Model model = parse_model(model_by_hand(false), "by hand");
  Engine engine(model, false, 1);
  double before = 0;
  for (const double far : {1e3, 1e10, 1e20, 1e30, 1e100, 1e154, 1e300, 1.7e308}) {
    const Matrix<double> row{{far, -far}};
    std::vector<double> found(1);
    engine.log_prob(0, row, found);
    CHECK(std::isfinite(found[0]));
    CHECK(found[0] <= before);
    before = found[0];
  }
}

TEST_CASE("a far row does not change the bytes of its neighbours") {
  Engine engine(parse_model(model_by_hand(false), "by hand"), false, 1);
  Matrix<double> rows = Matrix<double>::Constant(300, 2, 1.0);
  std::vector<double> quiet(300), disturbed(300);
  engine.log_prob(0, rows, quiet);
  rows.row(7).setConstant(1e300);
  engine.log_prob(0, rows, disturbed);
  for (std::size_t i = 0; i < 300; ++i) {
    if (i != 7) CHECK(quiet[i] == disturbed[i]);
  }
}
