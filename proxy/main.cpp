#include "proxy/command_line.hpp"

int main(int argc, char** argv) {
    return howdah::proxy::run_command_line(argc, argv);
}
