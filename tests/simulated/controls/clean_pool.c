/* Keeps every rule: allocates pool in every way that there is, as its callers ask, and frees it when they say so. */
#include "control.h"

/* With these a request says how the pool is allocated; its input says how much. Without input everything is freed. */
#define IOCTL_CODE(function) ((ULONG)CTL_CODE(0x8ACC, 0x800 + function, METHOD_BUFFERED, FILE_ANY_ACCESS))
#define IOCTL_QUOTA_FLAG IOCTL_CODE(1)
#define IOCTL_QUOTA_TAG IOCTL_CODE(2)
#define IOCTL_QUOTA_TAG_RAISE IOCTL_CODE(3)
#define IOCTL_CACHE_ALIGNED IOCTL_CODE(4)
#define IOCTL_UNINITIALIZED IOCTL_CODE(5)

/* At the beginning of each allocation. */
struct allocation {
  struct allocation *next;
};

static struct allocation *allocations;

static PVOID allocate(ULONG code, ULONG length) {
  switch (code) {
  case IOCTL_QUOTA_FLAG:
    return ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_USE_QUOTA, length, TAG);
  case IOCTL_QUOTA_TAG:
    return ExAllocatePoolWithQuotaTag(NonPagedPoolNx | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, length, TAG);
  case IOCTL_QUOTA_TAG_RAISE:
    return ExAllocatePoolWithQuotaTag(NonPagedPoolNx, length, TAG);
  case IOCTL_CACHE_ALIGNED:
    /* Flags in the upper half are for who knows them. */
    return ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_CACHE_ALIGNED | 1ULL << 63, length, TAG);
  case IOCTL_UNINITIALIZED:
    return ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, length, TAG);
  default:
    return NULL;
  }
}

static VOID free_all(void) {
  struct allocation *next, *first = allocations;
  for (allocations = NULL; first != NULL; first = next) {
    next = first->next;
    ExFreePoolWithTag(first, TAG);
  }
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ULONG *length = irp->AssociatedIrp.SystemBuffer;
  if (location(irp)->Parameters.DeviceIoControl.InputBufferLength < sizeof(*length)) {
    free_all();
    return complete(irp, STATUS_SUCCESS, 0);
  }
  ULONG code = location(irp)->Parameters.DeviceIoControl.IoControlCode;
  struct allocation *allocation = allocate(code, *length);
  if (allocation == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  /* What was there before, in the last byte. */
  UCHAR last = ((PUCHAR)allocation)[*length - 1];
  BOOLEAN right = code == IOCTL_UNINITIALIZED || code == IOCTL_QUOTA_TAG || code == IOCTL_QUOTA_TAG_RAISE || last == 0;
  right = right && (code != IOCTL_CACHE_ALIGNED || (ULONG_PTR)allocation % 64 == 0);
  allocation->next = allocations;
  allocations = allocation;
  return complete(irp, right ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver) {
  free_all();
  remove_device(driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, unload);
}
