/* Returns with a push lock held. */
#include "control.h"

static EX_PUSH_LOCK lock;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KeEnterCriticalRegion();
  ExAcquirePushLockExclusiveEx(&lock, 0);
  KeLeaveCriticalRegion();
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
