/* Completes a cancelled IRP without releasing the cancel spin lock. */
#include "pending.h"

static VOID NTAPI keep(PDEVICE_OBJECT device, PIRP irp) {
  KIRQL irql;
  KeAcquireSpinLock(&extension(device)->lock, &irql);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&extension(device)->lock, irql);
  complete(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  return pend(device, irp, keep);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return load_pending(driver, control);
}
