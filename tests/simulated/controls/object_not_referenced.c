/* Dereferences a device that it has never referenced. */
#include "client.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  NTSTATUS status = open_target();
  if (NT_SUCCESS(status)) {
    ObDereferenceObject(target_device);
  }
  return complete(irp, status, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, close_target_and_remove_device);
}
