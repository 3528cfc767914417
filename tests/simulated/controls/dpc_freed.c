/* Frees the memory of a DPC whose timer is set. */
#include "control.h"

static KTIMER timer;

static VOID NTAPI expired(PKDPC object, PVOID context, PVOID argument1, PVOID argument2) {
  UNREFERENCED_PARAMETER(object);
  UNREFERENCED_PARAMETER(context);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  LARGE_INTEGER due = {.QuadPart = -36000000000};
  PKDPC dpc = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*dpc), TAG);
  if (dpc == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  KeInitializeTimer(&timer);
  KeInitializeDpc(dpc, expired, NULL);
  KeSetTimer(&timer, due, dpc);
  ExFreePoolWithTag(dpc, TAG);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
