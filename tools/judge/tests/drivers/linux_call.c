/*
 * Does what Windows has no name for: calls the Linux below the simulated kernel, by which a driver can end or stop the process
 * that it runs in. ACTION says what.
 */
#include "control.h"

static LONG_PTR call(LONG_PTR number, LONG_PTR first, LONG_PTR second, LONG_PTR third) {
  LONG_PTR result;
  /* What rt_sigprocmask has as its fourth: the size of a set of signals. */
  register LONG_PTR fourth __asm__("r10") = 8;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(first), "S"(second), "d"(third), "r"(fourth)
                   : "rcx", "r11", "memory");
  return result;
}

/* Writes to standard output for ever, and lets no signal end that. */
static LONG_PTR talk_forever(VOID) {
  ULONG64 all = ~0ull;
  LONG_PTR result = call(14, 0, (LONG_PTR)&all, 0);
  while (result <= 2) {
    result = call(1, 1, (LONG_PTR)"x\n", 2);
  }
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
