/* Leaves a provider of events registered. */
#include "control.h"
#include <evntprov.h>

static const GUID provider_id = {0xA0A1A2A3, 0xB0B1, 0xC0C1, {0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7}};
static REGHANDLE provider;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return complete(irp, EtwRegister(&provider_id, NULL, NULL, &provider), 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
