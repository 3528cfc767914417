/* Allocates pool that nobody can tell whose it is. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  PVOID memory = ExAllocatePoolWithTag(NonPagedPoolNx, 64, 0);
  if (memory != NULL) {
    ExFreePool(memory);
  }
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
