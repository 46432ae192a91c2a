#include "launcher/run.h"

int main(int argc, char** argv) {
  return weft::run({argv + (argc > 0 ? 1 : 0), argv + argc});
}
