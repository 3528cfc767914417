/* Pends IRPs that nobody can cancel, and forgets them at cleanup. */
#include "pending.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  return pend(device, irp, NULL);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  NTSTATUS status = load_pending(driver, control);
  driver->MajorFunction[IRP_MJ_CLEANUP] = succeed;
  return status;
}
