/* Frees the memory of a work item that it has initialized there. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  PIO_WORKITEM item = ExAllocatePoolWithTag(NonPagedPoolNx, IoSizeofWorkItem(), TAG);
  if (item == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  IoInitializeWorkItem(device, item);
  ExFreePoolWithTag(item, TAG);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
