/* Takes a push lock although it can be suspended while it has it. */
#include "control.h"

static EX_PUSH_LOCK lock;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ExAcquirePushLockExclusiveEx(&lock, 0);
  ExReleasePushLockExclusiveEx(&lock, 0);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
