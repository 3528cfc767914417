/* Reads a value from the registry directly, whatever its type is. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ULONG value = 0;
  RTL_QUERY_REGISTRY_TABLE table[] = {
      {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Value", &value, REG_NONE, NULL, 0},
      {NULL, 0, NULL, NULL, REG_NONE, NULL, 0},
  };
  return complete(irp, RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, L"\\Registry\\Machine\\Control", table, NULL, NULL), 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
