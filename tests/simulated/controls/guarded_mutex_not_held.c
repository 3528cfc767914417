/* Releases a guarded mutex that it does not hold. */
#include "control.h"

static KGUARDED_MUTEX mutex;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KeInitializeGuardedMutex(&mutex);
  KeReleaseGuardedMutexUnsafe(&mutex);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
