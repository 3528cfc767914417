/* Leaves a callback registered. */
#include "control.h"

static VOID NTAPI called_back(PVOID context, PVOID argument1, PVOID argument2) {
  UNREFERENCED_PARAMETER(context);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
}

static NTSTATUS open(PCALLBACK_OBJECT *object) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Callback\\Control");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
  return ExCreateCallback(object, &attributes, TRUE, TRUE);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  PCALLBACK_OBJECT object;
  NTSTATUS status = open(&object);
  if (NT_SUCCESS(status)) {
    ExRegisterCallback(object, called_back, NULL);
    ObDereferenceObject(object);
  }
  return complete(irp, status, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
