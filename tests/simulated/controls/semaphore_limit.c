/* Releases a semaphore more often than its limit allows. */
#include "control.h"

static KSEMAPHORE semaphore;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KeInitializeSemaphore(&semaphore, 1, 1);
  KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, FALSE);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
