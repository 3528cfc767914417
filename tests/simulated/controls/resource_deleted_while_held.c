/* Deletes a resource that it holds. */
#include "control.h"

static ERESOURCE resource;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ExInitializeResourceLite(&resource);
  KeEnterCriticalRegion();
  ExAcquireResourceSharedLite(&resource, TRUE);
  ExDeleteResourceLite(&resource);
  KeLeaveCriticalRegion();
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
