/* Calls NetIO while it holds a fast mutex, which raises the IRQL. */
#include "control.h"

static FAST_MUTEX mutex;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  PMIB_ANYCASTIPADDRESS_TABLE table = NULL;
  ExInitializeFastMutex(&mutex);
  ExAcquireFastMutex(&mutex);
  NTSTATUS status = GetAnycastIpAddressTable(AF_UNSPEC, &table);
  ExReleaseFastMutex(&mutex);
  if (status == STATUS_SUCCESS) {
    FreeMibTable(table);
  }
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
