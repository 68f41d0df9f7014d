#include "program.hpp"

int main(int argc, char** argv) { return biject_main(argc, argv); }
