/* Hands NetIO a row out of a packed buffer. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  UCHAR buffer[sizeof(MIB_ANYCASTIPADDRESS_ROW) + 8] __attribute__((aligned(8))) = {0};
  DeleteAnycastIpAddressEntry((PMIB_ANYCASTIPADDRESS_ROW)(buffer + 4));
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
