/* Takes two push locks in one order, and then in the other: two threads that do so may wait for each other. */
#include "control.h"

static EX_PUSH_LOCK one, other;

static VOID take_both(PEX_PUSH_LOCK first, PEX_PUSH_LOCK second) {
  KeEnterCriticalRegion();
  ExAcquirePushLockExclusiveEx(first, 0);
  ExAcquirePushLockExclusiveEx(second, 0);
  ExReleasePushLockExclusiveEx(second, 0);
  ExReleasePushLockExclusiveEx(first, 0);
  KeLeaveCriticalRegion();
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  take_both(&one, &other);
  take_both(&other, &one);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
