/* Writes one byte too many. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  volatile UCHAR *memory = ExAllocatePoolWithTag(NonPagedPoolNx, 61, TAG);
  if (memory != NULL) {
    memory[61] = 0;
    ExFreePoolWithTag((PVOID)memory, TAG);
  }
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
