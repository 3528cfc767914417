/* Returns while a timer on its stack is set. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KTIMER timer;
  LARGE_INTEGER due = {.QuadPart = -36000000000};
  KeInitializeTimer(&timer);
  KeSetTimer(&timer, due, NULL);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
