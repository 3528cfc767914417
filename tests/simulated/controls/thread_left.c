/* Is unloaded while a thread of its own runs. */
#include "control.h"

static VOID NTAPI thread(PVOID context) {
  UNREFERENCED_PARAMETER(context);
  LARGE_INTEGER second = {.QuadPart = -10000000};
  KeDelayExecutionThread(KernelMode, FALSE, &second);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver) {
  HANDLE handle;
  if (NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, thread, NULL))) {
    ZwClose(handle);
  }
  remove_device(driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, succeed, unload);
}
