/* Does not give back the functions that another driver has handed out: that driver refers to the file object on its behalf. */
#include "client.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  struct target_interface functions;
  NTSTATUS status = open_target();
  if (NT_SUCCESS(status)) {
    status = ask(IOCTL_TARGET_INTERFACE, TRUE, NULL, 0, &functions, sizeof(functions), NULL);
  }
  return complete(irp, status, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, close_target_and_remove_device);
}
