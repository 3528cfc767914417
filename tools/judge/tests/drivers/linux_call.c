/*
 * Does what Windows has no name for: calls the Linux below the simulated kernel, by which a driver can end or stop the process
 * that it runs in. ACTION says what.
 */
#include "control.h"

static LONG_PTR call(LONG_PTR number, LONG_PTR first, LONG_PTR second, LONG_PTR third) {
  LONG_PTR result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(first), "S"(second), "d"(third)
                   : "rcx", "r11", "memory");
  return result;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KIRQL irql = KeGetCurrentIrql();
  LONG_PTR result = ACTION;
  return complete(irp, result == irql ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
