/* Does not start, and leaves nothing. */
#include "control.h"

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  NTSTATUS status = create_device(driver, 0, succeed, remove_device);
  if (NT_SUCCESS(status)) {
    remove_device(driver);
  }
  return STATUS_NOT_SUPPORTED;
}
