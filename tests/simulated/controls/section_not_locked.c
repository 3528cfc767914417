/* Unlocks a section that it has not locked. */
#include "control.h"

static __attribute__((section("PAGEDATA"))) ULONG data = 1;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  MmUnlockPagableImageSection(&data);
  return complete(irp, data == 1 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
