/* Releases more rundown protection than it has acquired. */
#include "control.h"

static EX_RUNDOWN_REF reference;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ExInitializeRundownProtection(&reference);
  if (ExAcquireRundownProtection(&reference)) {
    ExReleaseRundownProtection(&reference);
    ExReleaseRundownProtection(&reference);
  }
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
