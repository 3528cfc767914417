/* Returns memory that it has allocated and never written. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  if (location(irp)->Parameters.DeviceIoControl.OutputBufferLength < 16) {
    return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
  }
  PVOID memory = ExAllocatePoolWithTag(NonPagedPoolNx, 16, TAG);
  if (memory == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, memory, 16);
  ExFreePoolWithTag(memory, TAG);
  return complete(irp, STATUS_SUCCESS, 16);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
