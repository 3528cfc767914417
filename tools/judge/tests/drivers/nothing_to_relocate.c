/* Keeps every rule, and has no address in its data: its image has no relocations. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

static VOID NTAPI unload(PDRIVER_OBJECT driver) { UNREFERENCED_PARAMETER(driver); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  driver->DriverUnload = unload;
  return STATUS_SUCCESS;
}
