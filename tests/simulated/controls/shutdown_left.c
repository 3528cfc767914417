/* Leaves its device registered for the system's shutdown. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) { return complete(irp, IoRegisterShutdownNotification(device), 0); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
