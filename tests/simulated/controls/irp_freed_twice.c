/* Frees an IRP twice. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  PIRP own = IoAllocateIrp(device->StackSize, FALSE);
  if (own != NULL) {
    IoFreeIrp(own);
    IoFreeIrp(own);
  }
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
