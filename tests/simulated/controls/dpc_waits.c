/* Waits in a DPC. */
#include "control.h"

static KDPC dpc;

static VOID NTAPI expired(PKDPC object, PVOID context, PVOID argument1, PVOID argument2) {
  KEVENT event;
  UNREFERENCED_PARAMETER(object);
  UNREFERENCED_PARAMETER(context);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  KeInitializeEvent(&event, NotificationEvent, TRUE);
  KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KeInitializeDpc(&dpc, expired, NULL);
  KeInsertQueueDpc(&dpc, NULL, NULL);
  KeFlushQueuedDpcs();
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
