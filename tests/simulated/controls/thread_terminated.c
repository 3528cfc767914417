/* Terminates a thread that it has not created: the one that it was called in. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  NTSTATUS status = PsTerminateSystemThread(STATUS_SUCCESS);
  return complete(irp, status, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
