/* Sends an IRP that it has allocated, and has no completion routine keep it in the end. */
#include "client.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  UCHAR byte = 0;
  PIRP own = NT_SUCCESS(open_target()) ? IoAllocateIrp(target_device->StackSize, FALSE) : NULL;
  if (own == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  prepare(own, IOCTL_TARGET_REVERSE, &byte, sizeof(byte), take_back, NULL);
  IoSetCompletionRoutine(own, NULL, NULL, FALSE, FALSE, FALSE);
  IoCallDriver(target_device, own);
  IoFreeIrp(own);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, close_target_and_remove_device);
}
