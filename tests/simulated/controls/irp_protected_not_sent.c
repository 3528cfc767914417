/* Protects a completion routine with IoSetCompletionRoutineEx, and frees the IRP without sending it. */
#include "client.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  KEVENT done;
  PIRP own = IoAllocateIrp(target_device->StackSize, FALSE);
  if (own == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  KeInitializeEvent(&done, NotificationEvent, FALSE);
  NTSTATUS status = IoSetCompletionRoutineEx(device, own, take_back, &done, TRUE, TRUE, TRUE);
  IoFreeIrp(own);
  return complete(irp, status, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  NTSTATUS status = open_target();
  return NT_SUCCESS(status) ? create_device(driver, 0, control, close_target_and_remove_device) : status;
}
