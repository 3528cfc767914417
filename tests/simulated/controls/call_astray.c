/* Calls a function that is not there. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  VOID(NTAPI * volatile missing)(PIRP) = (PVOID)(ULONG_PTR)64;
  missing(irp);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
