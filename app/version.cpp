#include "version.hpp"

#include <fmt/format.h>

#include <Eigen/Core>

#include "model/model_file.hpp"

namespace biject {

std::string version_text(bool is_verbose) {
  auto text = fmt::format("biject {}\n", BIJECT_VERSION);
  if (is_verbose)
    text += fmt::format(
        "model format {}\ncompiler     {} {}\nEigen        {}.{}.{}\nSIMD         {}\nbuilt for    {}\n", kFormatVersion,
#ifdef __clang__
        "clang", __clang_version__,
#else
        "gcc", __VERSION__,
#endif
        EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION, Eigen::SimdInstructionSetsInUse(),
        BIJECT_PROCESSOR);
  return text;
}

}  // namespace biject
