#include "sesame/cli/command_line.h"

int main(int argc, char** argv) { return sesame::run_command_line(argc, argv); }
