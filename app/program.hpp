#pragma once

/// The program: main() does nothing else. Where it is compiled for several processors (app/CMakeLists.txt), this is all that a shared
/// library of it shows.
extern "C" [[gnu::visibility("default")]] int biject_main(int argc, char** argv);
