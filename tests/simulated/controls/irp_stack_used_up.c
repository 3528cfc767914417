/* Sends an IRP on that has one stack location, and keeps that one for itself. */
#include "client.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  PIRP own = IoAllocateIrp(1, FALSE);
  if (own == NULL || !NT_SUCCESS(open_target())) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  IoSetNextIrpStackLocation(own);
  IoCallDriver(target_device, own);
  IoFreeIrp(own);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, close_target_and_remove_device);
}
