/* Crashes for one control code, and refuses every other. */
#include "control.h"

#define IOCTL_OWN ((ULONG)CTL_CODE(0x9BAD, 0xABC, METHOD_NEITHER, FILE_WRITE_DATA))

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  if (location(irp)->Parameters.DeviceIoControl.IoControlCode == IOCTL_OWN) {
    *(volatile ULONG *)irp->MdlAddress = 0;
  }
  return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
