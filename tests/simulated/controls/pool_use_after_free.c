/* Reads memory that it has freed. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  volatile UCHAR *memory = ExAllocatePoolWithTag(NonPagedPoolNx, 64, TAG);
  if (memory != NULL) {
    ExFreePoolWithTag((PVOID)memory, TAG);
    (VOID)memory[0];
  }
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
