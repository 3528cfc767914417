/* Frees the memory of a fast mutex that it holds. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  PFAST_MUTEX mutex = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*mutex), TAG);
  if (mutex == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  ExInitializeFastMutex(mutex);
  KeEnterCriticalRegion();
  ExAcquireFastMutexUnsafe(mutex);
  ExFreePoolWithTag(mutex, TAG);
  KeLeaveCriticalRegion();
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
