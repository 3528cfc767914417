/* Takes a fast mutex although it can be suspended while it has it. */
#include "control.h"

static FAST_MUTEX mutex;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ExInitializeFastMutex(&mutex);
  ExAcquireFastMutexUnsafe(&mutex);
  ExReleaseFastMutexUnsafe(&mutex);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
