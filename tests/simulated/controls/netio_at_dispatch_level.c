/* Calls NetIO with a spin lock held. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KSPIN_LOCK lock;
  KIRQL irql;
  PMIB_ANYCASTIPADDRESS_TABLE table;
  KeInitializeSpinLock(&lock);
  KeAcquireSpinLock(&lock, &irql);
  NTSTATUS status = GetAnycastIpAddressTable(AF_INET6, &table);
  KeReleaseSpinLock(&lock, irql);
  if (status == STATUS_SUCCESS) {
    FreeMibTable(table);
  }
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
