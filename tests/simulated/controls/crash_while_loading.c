/* Divides by zero in DriverEntry, when it has a device already. */
#include "control.h"

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  NTSTATUS status = create_device(driver, 0, succeed, remove_device);
  volatile ULONG zero = registry_path == NULL ? 1 : 0;
  return status + (NTSTATUS)(100 / zero);
}
