/* Sends a request to its own device, and crashes in serving it. */
#include "control.h"

static NTSTATUS NTAPI crash(PDEVICE_OBJECT device, PIRP irp) {
  *(volatile ULONG *)(ULONG_PTR)16 = 1;
  return succeed(device, irp);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  PIRP own = IoAllocateIrp(device->StackSize, FALSE);
  if (own != NULL) {
    IoGetNextIrpStackLocation(own)->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    IoCallDriver(device, own);
  }
  /* Nothing comes here: not on Windows, and so not here either. */
  return complete(irp, STATUS_SUCCESS, 4711);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  driver->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = crash;
  return create_device(driver, 0, control, remove_device);
}
