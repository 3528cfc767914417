/* Keeps every rule: reads a count under a push lock taken shared, and changes it under the lock taken exclusively. */
#include "control.h"

static EX_PUSH_LOCK lock;
static volatile ULONG count;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KeEnterCriticalRegion();
  ExAcquirePushLockSharedEx(&lock, 0);
  ULONG before = count;
  ExReleasePushLockSharedEx(&lock, 0);
  ExAcquirePushLockExclusiveEx(&lock, 0);
  count = count + 1;
  ExReleasePushLockExclusiveEx(&lock, 0);
  KeLeaveCriticalRegion();
  return complete(irp, before <= count ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
