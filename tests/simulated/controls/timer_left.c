/* Leaves a timer set when it is unloaded. */
#include "control.h"

static KTIMER timer;
static KDPC dpc;

static VOID NTAPI expired(PKDPC object, PVOID context, PVOID argument1, PVOID argument2) {
  UNREFERENCED_PARAMETER(object);
  UNREFERENCED_PARAMETER(context);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  LARGE_INTEGER due = {.QuadPart = -36000000000};
  KeInitializeTimer(&timer);
  KeInitializeDpc(&dpc, expired, NULL);
  KeSetTimer(&timer, due, &dpc);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
