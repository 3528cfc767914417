/* Keeps a key of the registry open. */
#include "control.h"

static NTSTATUS open_key(HANDLE *key) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\Control");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
  return ZwOpenKey(key, KEY_READ, &attributes);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  HANDLE key;
  return complete(irp, open_key(&key), 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
