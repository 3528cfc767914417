/* Keeps every rule, and has no device: quickly judged. */
#include <ntifs.h>
#include <netioapi.h>

DRIVER_INITIALIZE DriverEntry;

static VOID NTAPI unload(PDRIVER_OBJECT driver) { UNREFERENCED_PARAMETER(driver); }

/* An address in the image, to be relocated. */
static PDRIVER_UNLOAD volatile routine = unload;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  driver->DriverUnload = routine;
  PMIB_ANYCASTIPADDRESS_TABLE table;
  if (GetAnycastIpAddressTable(AF_UNSPEC, &table) == STATUS_SUCCESS) {
    FreeMibTable(table);
  }
  PVOID memory = ExAllocatePoolWithTag(NonPagedPoolNx, 64, 'eciN');
  if (memory == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  ExFreePoolWithTag(memory, 'eciN');
  return STATUS_SUCCESS;
}
