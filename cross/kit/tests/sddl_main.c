/* Prints, in hexadecimal, the security descriptor that wdmsec.lib makes of its argument, or "refused". */
#include <stdio.h>
#include <string.h>

#include "../lib/sddl.h"

int main(int argc, char **argv) {
  if (argc != 2) {
    return 2;
  }
  uint16_t text[1024];
  size_t length = strlen(argv[1]);
  if (length > 1024) {
    return 2;
  }
  for (size_t i = 0; i < length; i++) {
    text[i] = (unsigned char)argv[1][i];
  }
  uint8_t descriptor[SDDL_MAX_DESCRIPTOR];
  size_t size = sddl_to_descriptor(text, length, descriptor);
  if (size == 0) {
    puts("refused");
  }
  for (size_t i = 0; i < size; i++) {
    printf("%02x", descriptor[i]);
  }
  putchar('\n');
  return 0;
}
